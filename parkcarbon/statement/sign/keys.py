"""The signing key of an operator: one secret file with two keys, and one fingerprint that binds both.

The Ed25519 key signs JSON. PDF readers and validators do not take Ed25519 everywhere, so a self-signed certificate over
RSA-3072 signs PDF; its signatures are deterministic. Trust comes from the fingerprint, got on another way than the
statement; no authority vouches for the certificate.
"""

import base64
import datetime as dt
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from .documents import KEY_SCHEMA, PublicKey, encode

KEY_FILE: Final = "statement-key.pem"
PUBLIC_FILE: Final = "statement-key.json"
ROTATION_FILE: Final = "statement-rotation.json"

_VALID: Final = dt.timedelta(days=3653)
_SKEW: Final = dt.timedelta(days=1)
"""Clocks of the machine that makes a key and of the one that signs may differ; nobody is asked to wait."""

_RSA_BITS: Final = 3072
_END: Final = b"-----END"


class KeyFileError(ValueError):
    """The secret file is not there, open to others, or not what it should be; the message says which."""


def fingerprint_of(public_key: bytes, pdf_key: bytes) -> str:
    """Fingerprint [64 hex digits] of the raw Ed25519 key [32 bytes] and the sha256 of the PDF key [32 bytes].

    >>> fingerprint_of(bytes(32), bytes(32))[:16]
    '5c9e4a6f81ba2c08'
    """
    return hashlib.sha256(KEY_SCHEMA.encode() + b"\n" + public_key + pdf_key).hexdigest()


def pdf_key_of(certificate: x509.Certificate) -> bytes:
    """Sha256 [32 bytes] of the public key of a certificate, as DER of SubjectPublicKeyInfo."""
    info = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).digest()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs statements.

    Attributes:
        json_key: signs JSON.
        pdf_key: signs PDF.
        certificate: self-signed, of `pdf_key`.
    """

    json_key: Ed25519PrivateKey
    pdf_key: RSAPrivateKey
    certificate: x509.Certificate

    @property
    def public_key(self) -> bytes:
        """Raw Ed25519 public key [32 bytes]."""
        return self.json_key.public_key().public_bytes_raw()

    @property
    def fingerprint(self) -> str:
        """Of both keys [64 hex digits]."""
        return fingerprint_of(self.public_key, pdf_key_of(self.certificate))

    def public(self) -> PublicKey:
        """What may be given to everybody."""
        return PublicKey(
            schema=KEY_SCHEMA,
            fingerprint=self.fingerprint,
            public_key=base64.b64encode(self.public_key).decode(),
            pdf_key=pdf_key_of(self.certificate).hex(),
            certificate=self.certificate.public_bytes(Encoding.PEM).decode(),
            valid_from=self.certificate.not_valid_before_utc.isoformat().replace("+00:00", "Z"),
        )


def make_key(entity: str, *, now: dt.datetime) -> SigningKey:
    """Make a key.

    Args:
        entity: organisation that signs, as PDF readers show it.
        now: the certificate is valid from a day before it, for ten years.
    """
    pdf_key = generate_private_key(65537, _RSA_BITS)
    # 64 characters is what X.520 allows a common name
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, entity[:64])])
    begin = now.astimezone(dt.UTC).replace(microsecond=0) - _SKEW
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(pdf_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(pdf_key.public_key()), critical=False)
        .sign(pdf_key, hashes.SHA256())
    )
    return SigningKey(Ed25519PrivateKey.generate(), pdf_key, certificate)


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def write_key(key: SigningKey, folder: Path) -> Path:
    """Write the secret (mode 0400) and, beside it, what may be published; return the path of the secret.

    Raises:
        KeyFileError: there is a key already; it is not overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = b"".join(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for private in (key.json_key, key.pdf_key)
    ) + key.certificate.public_bytes(Encoding.PEM)
    path = folder / KEY_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    except FileExistsError:
        raise KeyFileError(f"{path} is there already; a key is never overwritten, choose another folder") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
    (folder / PUBLIC_FILE).write_bytes(encode(key.public()))
    return path


def load_key(path: Path) -> SigningKey:
    """Read the secret file; a folder stands for the file of its usual name in it.

    Raises:
        KeyFileError: it is not there, others than its owner may read or write it, or it holds something else.
    """
    path = path / KEY_FILE if path.is_dir() else path
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read()
    except OSError as error:
        raise KeyFileError(f"{path}: the signing key cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise KeyFileError(f"{path} is open to others than its owner (mode {mode:04o}); do: chmod 0400 {path}")
    return _parse(path, text)


def _parse(path: Path, text: bytes) -> SigningKey:
    blocks = [part + _END + rest for part, rest in _pem_blocks(text)]
    try:
        first, second = (load_pem_private_key(block, password=None) for block in blocks[:2])
        certificate = x509.load_pem_x509_certificate(blocks[2])
    except (ValueError, TypeError, IndexError, UnsupportedAlgorithm):
        raise KeyFileError(
            f"{path} is no signing key of statements: it holds two private keys and a certificate"
        ) from None
    if not isinstance(first, Ed25519PrivateKey) or not isinstance(second, RSAPrivateKey):
        raise KeyFileError(f"{path} is no signing key of statements: its keys are not Ed25519 and RSA, in this order")
    if second.public_key() != certificate.public_key():
        raise KeyFileError(f"{path}: the certificate belongs to another key")
    return SigningKey(first, second, certificate)


def _pem_blocks(text: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    rest = text
    while _END in rest:
        body, _, rest = rest.partition(_END)
        label, _, rest = rest.partition(b"\n")
        found.append((body, label + b"\n"))
    return found
