"""Where roots go: from `PARKCARBON_…` variables; secrets as files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from .claim import Anchor, AnchorError, Answer, Claim
from .mail import MailAnchor, Smtp
from .object_lock import FolderAnchor
from .rfc3161 import StampAnchor


class AnchorSettings(Struct, frozen=True):
    """Places that get every daily root of every park; lists are separated by commas.

    Attributes:
        anchor_mail: addresses, best an auditor's mailbox.
        anchor_rfc3161: URLs of time-stamp authorities.
        anchor_rfc3161_ca: PEM file with the certificates that authorities are trusted by; empty: the signature of a
            token is checked, but not whose it is.
        anchor_folder: folder, best one whose storage lets nobody overwrite (object lock, WORM).
        smtp_url: `smtp://host:25`, `smtp+starttls://user@host:587` or `smtps://user@host:465`.
        smtp_password: of the user; `PARKCARBON_SMTP_PASSWORD_FILE` names a file with it.
        mail_from: sender.
    """

    anchor_mail: str = ""
    anchor_rfc3161: str = ""
    anchor_rfc3161_ca: str = ""
    anchor_folder: str = ""
    smtp_url: str = ""
    smtp_password: str = ""
    mail_from: str = "parkcarbon@localhost"


def anchors_of(settings: AnchorSettings) -> Sequence[Anchor]:
    """The places that are set.

    Raises:
        ValueError: mail without a server, or an address that is none.
    """
    found: list[Anchor] = []
    addresses = _items(settings.anchor_mail)
    if addresses:
        if not settings.smtp_url:
            raise ValueError("PARKCARBON_ANCHOR_MAIL is set, PARKCARBON_SMTP_URL is not")
        smtp = Smtp.of(settings.smtp_url, settings.smtp_password, settings.mail_from)
        found += [MailAnchor(smtp, address) for address in addresses]
    trusted = Path(settings.anchor_rfc3161_ca) if settings.anchor_rfc3161_ca else None
    found += [StampAnchor(url, trusted=trusted) for url in _items(settings.anchor_rfc3161)]
    if settings.anchor_folder:
        found.append(FolderAnchor(Path(settings.anchor_folder)))
    return found


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A place that nothing can be sent to; each attempt says why."""

    kind: str
    destination: str
    reason: str

    async def send(self, claims: Sequence[Claim]) -> list[Answer]:
        """Refuse.

        Raises:
            AnchorError: always.
        """
        raise AnchorError(f"{self.reason}; {len(claims)} roots wait")


def anchor_at(kind: str, destination: str, settings: AnchorSettings) -> Anchor:
    """The place that a park document names; one that cannot be used says so at each attempt."""
    try:
        if kind == "rfc3161":
            trusted = Path(settings.anchor_rfc3161_ca) if settings.anchor_rfc3161_ca else None
            return StampAnchor(destination, trusted=trusted)
        if not settings.smtp_url:
            return Unreachable(kind, destination, "PARKCARBON_SMTP_URL is not set")
        return MailAnchor(Smtp.of(settings.smtp_url, settings.smtp_password, settings.mail_from), destination)
    except ValueError as error:
        return Unreachable(kind, destination, str(error))


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
