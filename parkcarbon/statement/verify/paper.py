"""Reading a PDF: its attachments and the text of its pages. The only place that knows pypdf."""

import logging
import re
import unicodedata
from io import BytesIO
from typing import TYPE_CHECKING, Final

from .content import DifferenceError

if TYPE_CHECKING:
    from pypdf import PdfReader

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it finds comes out as the check's own words

RECORD: Final = "statement.json"
SIGNATURE: Final = "statement.json.sig"

_SPACE: Final = re.compile(r"\s+")
_MINUS: Final = str.maketrans({"\u2212": "-", "\u2010": "-", "\u2011": "-", "\u00ad": None})


def read_attachments(data: bytes) -> dict[str, bytes]:
    """The two attachments of a statement.

    Raises:
        DifferenceError: one is missing, twice, or there are others.
    """
    with _broken("attachments cannot be read"):
        attached = {name: list(versions) for name, versions in _reader(data).attachments.items()}
    wanted = {RECORD, SIGNATURE}
    if set(attached) != wanted or any(len(versions) != 1 for versions in attached.values()):
        found = ", ".join(sorted(name for name, versions in attached.items() for _ in versions)) or "nothing"
        raise DifferenceError(f"attached must be {RECORD} and {SIGNATURE}, each once; attached is {found}")
    return {name: versions[0] for name, versions in attached.items()}


def read_pages(data: bytes) -> tuple[str, ...]:
    """Text of each page.

    Raises:
        DifferenceError: the pages cannot be read.
    """
    with _broken("pages cannot be read"):
        return tuple(plain(page.extract_text()) for page in _reader(data).pages)


def _reader(data: bytes) -> "PdfReader":
    from pypdf import PdfReader  # not read in for a JSON

    return PdfReader(BytesIO(data))


def plain(text: str) -> str:
    r"""Text in one spelling: compatibility characters as plain ones, one kind of minus, one blank between words.

    >>> plain("CO₂  −1.5\n⽉")
    'CO2 -1.5 月'
    """
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).translate(_MINUS)).strip()


class _broken:  # noqa: N801 - reads as a word at the head of a block
    """Whatever a parser makes of a broken file comes out as a difference."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, DifferenceError):
            raise DifferenceError(f"{self._what}: {type(error).__name__}: {error}") from error
