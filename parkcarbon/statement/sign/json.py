"""Detached Ed25519 signatures over the JSON of a statement, and the record of a change of keys."""

import base64
import datetime as dt
import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .documents import ROTATION_SCHEMA, SIGNATURE_SCHEMA, Rotation, Signature, SignatureError, bytes_of, decode, encode
from .keys import SigningKey, fingerprint_of, pdf_key_of


def sign_json(data: bytes, key: SigningKey) -> bytes:
    """Sign the bytes of `statement.json`; returns those of `statement.json.sig`."""
    return encode(
        Signature(
            schema=SIGNATURE_SCHEMA,
            algorithm="Ed25519",
            sha256=hashlib.sha256(data).hexdigest(),
            fingerprint=key.fingerprint,
            public_key=base64.b64encode(key.public_key).decode(),
            pdf_key=pdf_key_of(key.certificate).hex(),
            signature=base64.b64encode(key.json_key.sign(data)).decode(),
        )
    )


def check_json(data: bytes, signature: bytes) -> Signature:
    """Check that a signature belongs to the bytes; whose key it is, is another question.

    Raises:
        SignatureError: it does not, or is no signature.
    """
    document = decode(signature, Signature)
    public = bytes_of(document.public_key, 32, "public_key")
    if fingerprint_of(public, bytes.fromhex(document.pdf_key)) != document.fingerprint:
        raise SignatureError("the fingerprint is not that of the keys beside it")
    if (digest := hashlib.sha256(data).hexdigest()) != document.sha256:
        raise SignatureError(f"signed was a file with sha256 {document.sha256[:16]}…, this one has {digest[:16]}…")
    _check(public, bytes_of(document.signature, 64, "signature"), data)
    return document


def rotate(old: SigningKey, new: SigningKey, *, at: dt.datetime, reason: str) -> bytes:
    """Let the old key say which comes after it; returns the bytes of the record to publish."""
    unsigned = Rotation(
        schema=ROTATION_SCHEMA,
        old=old.fingerprint,
        old_public_key=base64.b64encode(old.public_key).decode(),
        old_pdf_key=pdf_key_of(old.certificate).hex(),
        new=new.fingerprint,
        at=at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        reason=reason,
        signature="",
    )
    made = old.json_key.sign(encode(unsigned))
    return encode(msgspec.structs.replace(unsigned, signature=base64.b64encode(made).decode()))


def check_rotation(data: bytes) -> Rotation:
    """Check that the old key signed the record.

    Raises:
        SignatureError: it did not.
    """
    document = decode(data, Rotation)
    public = bytes_of(document.old_public_key, 32, "old_public_key")
    if fingerprint_of(public, bytes.fromhex(document.old_pdf_key)) != document.old:
        raise SignatureError("the old fingerprint is not that of the keys beside it")
    made = bytes_of(document.signature, 64, "signature")
    _check(public, made, encode(msgspec.structs.replace(document, signature="")))
    return document


def _check(public: bytes, signature: bytes, data: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        raise SignatureError("the signature does not fit") from None
