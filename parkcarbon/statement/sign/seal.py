"""Checking of PAdES signatures over whole files: strict, so that no byte of a file can change unnoticed.

A CMS container has room that no signature covers (its padding, repeated algorithms, further certificates). Here the
container must be, byte for byte, the one that follows from its signed attributes, its certificate and its signature.
"""

import datetime as dt
import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from asn1crypto import cms  # type: ignore[import-untyped]  # it has no stubs
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from .documents import SignatureError
from .keys import pdf_key_of
from .waiting import wait_for

SUBFILTER = "/ETSI.CAdES.detached"
_RANGE = re.compile(rb"/ByteRange \[0 (\d{1,10}) (\d{1,10}) (\d{1,10})\]")

for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)  # what they find comes out as the check's own words


@dataclass(frozen=True, slots=True)
class Seal:
    """What a signature over a PDF says.

    Attributes:
        pdf_key: sha256 [32 bytes] of the public key that signed.
        signer: name in the certificate.
        signed_at: time that the signer wrote.
        stamped_at: time that an authority vouches for; None: there is no time stamp.
        stamped_by: its name, as its certificate says; nobody here vouches for it.
        drawn_by: build of the software that drew and signed, as it says.
        signed_part: bytes of the file that the signature was appended to, and nothing but the signature.
    """

    pdf_key: bytes
    signer: str
    signed_at: dt.datetime | None
    stamped_at: dt.datetime | None
    stamped_by: str
    drawn_by: str
    signed_part: bytes


def check_pdf(data: bytes) -> Seal:
    """Check that one signature covers the whole file, that it holds, and that it was the last thing added.

    Raises:
        SignatureError: with the first thing that is wrong, whatever the bytes are.
    """
    try:
        return _check(data)
    except SignatureError:
        raise
    except Exception as error:  # a broken file makes a parser fail in any way there is
        raise SignatureError(f"the file is broken: {str(error) or type(error).__name__}") from error


def _check_digest(data: bytes) -> None:
    """The first look, before anything is parsed: the digest that was signed is that of the file."""
    found = _RANGE.search(data, max(0, data.rfind(b"/ByteRange")))
    if found is None:
        return
    length, after, rest = map(int, found.groups())
    if after + rest == len(data) and length < after:
        signed = hashlib.sha256(data[:length])
        signed.update(data[after:])
        if signed.hexdigest().upper().encode() not in data[length:after]:
            raise SignatureError("the file was changed after it was signed: its digest is not the signed one")


def _check(data: bytes) -> Seal:
    _check_digest(data)
    reader = PdfFileReader(BytesIO(data), strict=True)
    signatures = reader.embedded_signatures
    if len(signatures) != 1:
        raise SignatureError(f"it carries {len(signatures) or 'no'} signatures, a statement carries one")
    signature = signatures[0]
    _check_range(data, signature)
    _check_container(signature)
    certificate = _check_certificate(signature)
    status = wait_for(_status(signature, certificate))
    return Seal(
        pdf_key=pdf_key_of(certificate),
        signer=certificate.subject.rfc4514_string().removeprefix("CN="),
        signed_at=signature.self_reported_timestamp,
        stamped_at=None if status.timestamp_validity is None else status.timestamp_validity.timestamp,
        stamped_by=_authority(status.timestamp_validity),
        drawn_by=_drawn_by(signature.sig_object),
        signed_part=_signed_part(data, reader),
    )


def _check_range(data: bytes, signature: EmbeddedPdfSignature) -> None:
    """Everything but the container is signed, the container is where the gap is, and its digest fits."""
    start, length, after, rest = signature.byte_range
    if start != 0 or after + rest != len(data) or not 0 < length < after:
        covered = min(len(data), after + rest)
        raise SignatureError(f"the signature does not cover the whole file: {len(data) - covered} bytes were appended")
    der = cms.ContentInfo.load(signature.pkcs7_content).dump()
    written = b"<" + der.hex().upper().encode()
    if data[length:after] != written + b"0" * (after - length - len(written) - 1) + b">":
        raise SignatureError("the bytes around the signature were changed")
    signed = hashlib.sha256(data[:length])
    signed.update(data[after:])
    attributes = {item["type"].native: item["values"] for item in signature.signer_info["signed_attrs"]}
    if attributes["message_digest"][0].native != signed.digest():
        raise SignatureError("the file was changed after it was signed: its digest is not the signed one")


def _check_container(signature: EmbeddedPdfSignature) -> None:
    """Make the container again from what is signed in it."""
    signer, certificate = signature.signer_info, signature.signer_cert
    digest = {"algorithm": "sha256"}
    unsigned = signer["unsigned_attrs"]
    stamped = {"unsigned_attrs": unsigned} if len(unsigned) else {}
    if [item["type"].native for item in unsigned] not in ([], ["signature_time_stamp_token"]):
        raise SignatureError("the signature carries something besides a time stamp")
    again = cms.ContentInfo(
        {
            "content_type": "signed_data",
            "content": cms.SignedData(
                {
                    "version": "v1",
                    "digest_algorithms": [digest],
                    "encap_content_info": {"content_type": "data"},
                    "certificates": [cms.CertificateChoices(name="certificate", value=certificate)],
                    "signer_infos": [
                        cms.SignerInfo(
                            {
                                "version": "v1",
                                "sid": {
                                    "issuer_and_serial_number": {
                                        "issuer": certificate.issuer,
                                        "serial_number": certificate.serial_number,
                                    }
                                },
                                "digest_algorithm": digest,
                                "signed_attrs": signer["signed_attrs"],
                                "signature_algorithm": {"algorithm": "sha256_rsa"},
                                "signature": signer["signature"].native,
                                **stamped,
                            }
                        )
                    ],
                }
            ),
        }
    )
    if again.dump() != cms.ContentInfo.load(signature.pkcs7_content).dump():
        raise SignatureError("the signature's container was changed")
    if signature.sig_object.get("/SubFilter") != SUBFILTER:
        raise SignatureError("the signature is none of PAdES (ETSI.CAdES.detached)")


def _check_certificate(signature: EmbeddedPdfSignature) -> x509.Certificate:
    certificate = x509.load_der_x509_certificate(signature.signer_cert.dump())
    if not _issued(certificate, certificate):
        raise SignatureError("the certificate is not signed by its own key")
    return certificate


async def _status(signature: EmbeddedPdfSignature, certificate: x509.Certificate) -> Any:
    """What pyHanko says about the signature; whose key it is, is the fingerprint's question, not its."""
    moment = signature.self_reported_timestamp or certificate.not_valid_before_utc
    trust = ValidationContext(trust_roots=[signature.signer_cert], allow_fetching=False, moment=moment)
    status = await async_validate_pdf_signature(signature, trust, skip_diff=True)
    if status.coverage != SignatureCoverageLevel.ENTIRE_FILE:
        raise SignatureError(f"the signature does not cover the whole file ({status.coverage})")
    if not (status.intact and status.valid):
        raise SignatureError("the signature does not fit")
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        raise SignatureError(f"signed at {moment.isoformat()}, when the certificate was not valid")
    stamp = status.timestamp_validity
    if stamp is not None and not (stamp.intact and stamp.valid):
        raise SignatureError("the time stamp does not fit the signature")
    if stamp is not None:
        _check_stamp_certificates(signature, stamp.signing_cert.dump())
    return status


def _check_stamp_certificates(signature: EmbeddedPdfSignature, signer: bytes) -> None:
    """The token binds its signer's certificate; the others came along, and those that can be must hold."""
    token = signature.signer_info["unsigned_attrs"][0]["values"][0]["content"]
    chain = [x509.load_der_x509_certificate(choice.chosen.dump()) for choice in token["certificates"]]
    for certificate in chain:
        if certificate == x509.load_der_x509_certificate(signer):
            continue
        issuers = [other for other in chain if other.subject == certificate.issuer]
        issued = any(other.issuer == certificate.subject for other in chain)
        if not (issued or issuers) or (issuers and not any(_issued(certificate, issuer) for issuer in issuers)):
            raise SignatureError(f"a certificate of the time stamp was changed: {certificate.subject.rfc4514_string()}")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _authority(stamp: Any) -> str:
    return "" if stamp is None else str(stamp.signing_cert.subject.human_friendly)


def _drawn_by(signature: generic.DictionaryObject) -> str:
    try:
        return str(signature["/Prop_Build"]["/App"]["/REx"])
    except KeyError:
        return ""


def _signed_part(data: bytes, reader: PdfFileReader) -> bytes:
    """The file as it was drawn; what was added after it may only be the signature itself."""
    if reader.xrefs.total_revisions != 2:
        raise SignatureError(
            f"{reader.xrefs.total_revisions - 1} updates were appended; the signature is to be the only one"
        )
    for reference, before, after in _updated(reader):
        if before is None:
            kind = after.get("/Type") if isinstance(after, generic.DictionaryObject) else None
            form = isinstance(after, generic.DictionaryObject) and set(after) == {"/Fields", "/SigFlags"}
            field = kind == "/Annot" and after.get("/FT") == "/Sig" and list(after["/Rect"]) == [0, 0, 0, 0]
            if not (form or field or kind == "/Sig"):
                raise SignatureError(f"object {reference.idnum} was added with the signature")
        elif not _only_signature_entries(before, after):
            raise SignatureError(f"object {reference.idnum} was changed with the signature")
    end = data.rindex(b"%%EOF", 0, data.rindex(b"/ByteRange"))
    return data[: end + len(b"%%EOF")]


def _updated(reader: PdfFileReader) -> Iterator[tuple[generic.Reference, Any, Any]]:
    past = reader.get_historical_resolver(0)
    for reference in reader.xrefs.explicit_refs_in_revision(1):
        known = reader.xrefs.get_introducing_revision(reference) == 0
        before = past.get_object(reference) if known else None
        yield reference, before, reader.get_object(reference)  # type: ignore[no-untyped-call]  # pyHanko's


def _only_signature_entries(before: Any, after: Any) -> bool:
    """True for a catalogue that got a form, and for a page or a list of notes that got the invisible field."""
    if isinstance(before, generic.ArrayObject):
        added = len(after) - len(before) if isinstance(after, generic.ArrayObject) else 0
        return added == 1 and all(_written(before.raw_get(i)) == _written(after.raw_get(i)) for i in range(len(before)))
    if not isinstance(after, generic.DictionaryObject) or not isinstance(before, generic.DictionaryObject):
        return False
    allowed = {"/Catalog": {"/AcroForm", "/Extensions"}, "/Page": {"/Annots"}}.get(str(before.get("/Type")), set())
    if "/AcroForm" in before or any(_entry(before, key) != _entry(after, key) for key in {*before, *after} - allowed):
        return False
    return before.get("/Type") != "/Page" or _only_signature_entries(_notes(before), _notes(after))


def _notes(page: generic.DictionaryObject) -> generic.ArrayObject:
    notes = page.get("/Annots", generic.ArrayObject())
    return notes if isinstance(notes, generic.ArrayObject) else generic.ArrayObject()


def _entry(dictionary: generic.DictionaryObject, key: str) -> bytes | None:
    return _written(dictionary.raw_get(key)) if key in dictionary else None


def _written(value: Any) -> bytes:
    stream = BytesIO()
    value.write_to_stream(stream, None)
    return stream.getvalue()
