"""The small documents around a signature: canonical JSON, each with its schema, unknown members refused."""

import base64
import binascii
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

SIGNATURE_SCHEMA: Final = "parkcarbon.statement-signature/1"
KEY_SCHEMA: Final = "parkcarbon.statement-key/1"
ROTATION_SCHEMA: Final = "parkcarbon.statement-rotation/1"

Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class SignatureError(ValueError):
    """A signature, or a document around one, is not what it should be; the message says the first thing."""


class Signature(Struct, frozen=True, forbid_unknown_fields=True):
    """`statement.json.sig`: a detached signature over the bytes of `statement.json`, as they stand.

    Attributes:
        schema: `SIGNATURE_SCHEMA`.
        algorithm: Ed25519 (RFC 8032) over the file itself, no digest before it.
        sha256: of the file that is signed; for people, the signature is over the file.
        fingerprint: of the signing key, both of its halves.
        public_key: base64 of the raw Ed25519 key [32 bytes].
        pdf_key: sha256 of the public key (DER of SubjectPublicKeyInfo) that signs the PDF.
        signature: base64 [64 bytes].
    """

    schema: Literal["parkcarbon.statement-signature/1"]
    algorithm: Literal["Ed25519"]
    sha256: Hash
    fingerprint: Hash
    public_key: str
    pdf_key: Hash
    signature: str


class PublicKey(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator publishes of the key: fingerprint, both public halves.

    Attributes:
        schema: `KEY_SCHEMA`.
        fingerprint: of both halves.
        public_key: base64 of the raw Ed25519 key [32 bytes].
        pdf_key: sha256 of the public key of the certificate.
        certificate: PEM of the certificate that PDF readers show.
        valid_from: [ISO 8601 UTC].
    """

    schema: Literal["parkcarbon.statement-key/1"]
    fingerprint: Hash
    public_key: str
    pdf_key: Hash
    certificate: str
    valid_from: str


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """The old key says which key comes after it.

    Attributes:
        schema: `ROTATION_SCHEMA`.
        old: fingerprint of the key that signs this.
        old_public_key: base64 of its raw Ed25519 half [32 bytes].
        old_pdf_key: sha256 of its other half.
        new: fingerprint of the key that comes after it.
        at: from when [ISO 8601 UTC].
        reason: why.
        signature: base64 [64 bytes], over this document with an empty signature.
    """

    schema: Literal["parkcarbon.statement-rotation/1"]
    old: Hash
    old_public_key: str
    old_pdf_key: Hash
    new: Hash
    at: str
    reason: str
    signature: str


_D = TypeVar("_D", Signature, PublicKey, Rotation)


def encode(document: Struct) -> bytes:
    """Canonical bytes: members sorted, no spaces, UTF-8."""
    return msgspec.json.encode(document, order="sorted")


def decode(data: bytes, kind: type[_D]) -> _D:
    """Read a document that must be canonical: nothing reordered, twice, or between the members.

    Raises:
        SignatureError: it is not.
    """
    try:
        document = msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise SignatureError(str(error)) from None
    except UnicodeDecodeError as error:
        raise SignatureError(f"not UTF-8: {error.reason}") from None
    if encode(document) != data:
        raise SignatureError("not canonical: members reordered, twice, or something between them")
    return document


def bytes_of(text: str, length: int, what: str) -> bytes:
    """Decode base64 of a known length; only the one canonical spelling is taken.

    Raises:
        SignatureError: it is something else.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise SignatureError(f"{what} is not base64") from None
    if len(data) != length or base64.b64encode(data).decode() != text:
        raise SignatureError(f"{what} is not base64 of {length} bytes")
    return data
