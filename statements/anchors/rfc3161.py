"""Time stamps over roots by an authority (RFC 3161): the token says that the root existed, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from asn1crypto import cms, pem, x509  # type: ignore[import-untyped]  # it has no stubs
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from parkcarbon.statement.sign.timestamp import HttpTimeStamper

from .claim import Answer, Claim

_ALGORITHM: Final = "sha256"


@dataclass(frozen=True, slots=True)
class StampAnchor:
    """An authority.

    Attributes:
        destination: its URL.
        trusted: PEM file of certificates it is trusted by; None: whose token it is is not checked.
    """

    destination: str
    trusted: Path | None = None
    kind: str = "rfc3161"

    async def send(self, claims: Sequence[Claim]) -> list[Answer]:
        """Have each claim stamped; the receipt is the token (DER), checked before it counts."""
        stamper = HttpTimeStamper(self.destination)
        answers = []
        for claim in claims:
            try:
                token = await stamper.async_timestamp(claim.digest(), _ALGORITHM)
                await check_token(token.dump(), claim.digest(), trusted=self.trusted)
            except (OSError, ValueError, TypeError, SignatureValidationError) as error:
                answers.append(Answer(claim, error=f"{self.destination}: {error}"))
            else:
                answers.append(Answer(claim, token.dump()))
        return answers


async def check_token(token: bytes, digest: bytes, *, trusted: Path | None = None) -> TimestampSignatureStatus:
    """Check that a token is soundly signed and stamps this digest; where certificates are trusted, by one of them.

    Args:
        token: DER.
        digest: sha256 of what was stamped.
        trusted: PEM file; None: any signer will do.

    Raises:
        ValueError: it is no token, stamps something else, or its signature or signer does not hold.
        SignatureValidationError: the signature cannot be checked at all.
    """
    content = cms.ContentInfo.load(token)
    if content["content_type"].native != "signed_data":
        raise ValueError("not a time-stamp token")

    def expected(algorithm: str) -> bytes:
        if algorithm != _ALGORITHM:
            raise ValueError(f"the token stamps a {algorithm} digest, not {_ALGORITHM}")
        return digest

    roots = [] if trusted is None else _certificates(trusted)
    context = ValidationContext(trust_roots=roots, allow_fetching=False)
    members = await validate_tst_signed_data(content["content"], context, expected)
    status = TimestampSignatureStatus(**members)
    if not status.intact:
        raise ValueError("the token stamps something else")
    if not status.valid:
        raise ValueError("the signature of the token does not fit")
    if trusted is not None and not status.trusted:
        raise ValueError(f"the token is not by an authority of {trusted.name}: {status.trust_problem_indic}")
    return status


def _certificates(path: Path) -> list[x509.Certificate]:
    return [x509.Certificate.load(der) for _, _, der in pem.unarmor(path.read_bytes(), multiple=True)]
