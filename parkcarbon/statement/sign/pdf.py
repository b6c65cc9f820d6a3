"""PAdES signatures over whole PDF files, as an incremental update: what was drawn stays byte for byte.

The field is invisible and printable, as PDF/A wants; the document's metadata is left alone, so that it stays equal in
both places where PDF/A keeps it.
"""

import datetime as dt
from io import BytesIO

from asn1crypto import keys as asn1_keys  # type: ignore[import-untyped]  # it has no stubs
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields
from pyhanko.sign.signers.pdf_byterange import BuildProps
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes, SimpleSigner
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from .build import NAME, build
from .keys import SigningKey
from .timestamp import HttpTimeStamper
from .waiting import wait_for

FIELD = "Statement"
_RESERVED = 2 * 4096  # hex digits: the CMS of a self-signed RSA-3072 certificate takes about 2,100 bytes
_RESERVED_STAMP = 2 * 16384  # a time stamp brings the chain of its authority along


class _HeldKey(SimpleSigner):
    """Signs with the key at hand: reading it again checks its primes, which takes longer than signing."""

    held: SigningKey

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        """RSASSA-PKCS1-v1_5 over SHA-256."""
        if digest_algorithm != "sha256":
            raise ValueError(f"statements are signed over sha256, not {digest_algorithm}")
        return self.held.pdf_key.sign(data, PKCS1v15(), SHA256())


class _Writer(IncrementalPdfFileWriter):
    """Appends objects and touches no metadata."""

    def _update_meta(self) -> None:
        pass


def sign_pdf(pdf: bytes, key: SigningKey, *, at: dt.datetime, reason: str = "", tsa_url: str | None = None) -> bytes:
    """Sign a PDF that this build has drawn.

    It takes tenths of a second, with a time stamp seconds: event loops call it in a thread.

    Args:
        pdf: as it was drawn, with its attachments.
        key: who signs.
        at: time that is written into the signature; only a time stamp proves one.
        reason: shown by PDF readers.
        tsa_url: where an RFC 3161 time stamp is got; None: there is none.

    Raises:
        OSError: the authority gave no time stamp.
        ValueError: the certificate is not valid at that time: no check would accept the signature.
    """
    valid = key.certificate.not_valid_before_utc, key.certificate.not_valid_after_utc
    if not valid[0] <= at <= valid[1]:
        raise ValueError(f"the signing key is valid from {valid[0]} to {valid[1]}, not on {at}: make a new one")
    return wait_for(_sign(pdf, key, at=at, reason=reason, tsa_url=tsa_url))


async def _sign(pdf: bytes, key: SigningKey, *, at: dt.datetime, reason: str, tsa_url: str | None) -> bytes:
    stamper = None if tsa_url is None else HttpTimeStamper(tsa_url)
    signer = PdfSigner(
        PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            reason=reason or None,
            subfilter=fields.SigSeedSubFilter.PADES,
            app_build_props=BuildProps(NAME, build()),
        ),
        _cms_signer(key),
        timestamper=stamper,
        new_field_spec=fields.SigFieldSpec(FIELD),
    )
    session = signer.init_signing_session(_Writer(BytesIO(pdf)))
    session.system_time = at
    document = session.prepare_tbs_document(None, _RESERVED if stamper is None else _RESERVED_STAMP)
    digest, output = document.digest_tbs_document(output=BytesIO())
    await document.perform_signature(digest.document_digest, PdfCMSSignedAttributes(signing_time=at))
    signed: bytes = output.getvalue()  # type: ignore[attr-defined]  # it is the BytesIO given above
    return signed


def _cms_signer(key: SigningKey) -> SimpleSigner:
    private = key.pdf_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = _HeldKey(
        signing_cert=asn1_x509.Certificate.load(key.certificate.public_bytes(Encoding.DER)),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # pyHanko's
    )
    signer.held = key
    return signer
