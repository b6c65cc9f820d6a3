"""What stands on the pages against what the record says.

Two checks. Without drawing: every figure stands on the pages, in the order of the record, and every footer is complete.
With the same software installed: the file is drawn again from the record that it carries and must come out the same.
"""

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from parkcarbon.statement.places import Place, places
from parkcarbon.statement.record import Record, content_digest
from parkcarbon.statement.render.order import printed_figures

from .content import DifferenceError, first_difference
from .paper import plain, read_pages

Language = Literal["zh", "en", "both"]


def check_footers(record: Record, pages: Sequence[str]) -> str:
    """Check that no page is missing and that each carries number, version and digest of this record.

    Raises:
        DifferenceError: with the first page that does not.
    """
    digest = content_digest(record)[:16]
    for number, text in enumerate(pages, 1):
        tight = text.replace(" ", "")
        for what, wanted in (
            ("number", plain(record.number).replace(" ", "")),
            ("version", f"V{record.version}"),
            ("digest", digest),
            ("page number", f"{number}/{len(pages)}"),
        ):
            if not re.search(rf"(?<![0-9A-Za-z]){re.escape(wanted)}(?![0-9])|(?<![0-9]){re.escape(wanted)}$", tight):
                raise DifferenceError(f"page {number} of {len(pages)}: its footer has not the {what} {wanted}")
    return f"{len(pages)} pages, each with its number, the statement's and its digest {digest}"


def check_figures(record: Record, pages: Sequence[str]) -> str:
    """Check that every figure stands on the pages, in order.

    Raises:
        DifferenceError: with the first figure that does not.
    """
    whole = "\f".join(pages)
    at = count = 0
    where = list(places(record))
    for section, name in printed_figures(record):
        wanted = plain(record.figures[name].shown)
        found = _number(wanted).search(whole, at)
        if found is None:
            page = whole.count("\f", 0, at) + 1
            raise DifferenceError(f"{_said(name, section, where)}: {wanted} is not on page {page} or after it")
        at, count = found.end(), count + 1
    return f"{count} figures stand on the pages in the order of the record"


def _number(shown: str) -> re.Pattern[str]:
    """Exactly this number, not a part of a longer one."""
    return re.compile(rf"(?<![0-9.,-]){re.escape(shown)}(?![0-9]|[.,][0-9])")


def _said(name: str, section: str, where: Sequence[Place]) -> str:
    place = next((place for place in where if place.figure == name and place.section == section), None)
    return name if place is None else f"{name} ({section}, {place.row.zh} {place.row.en})"


def language_of(record: Record, pages: Sequence[str]) -> Language:
    """Language of the pages, by the title on the first one."""
    first = pages[0].replace(" ", "") if pages else ""
    title = record.front.title
    chinese, english = (plain(text).replace(" ", "") in first for text in (title.zh, title.en))
    return "both" if chinese and english else "zh" if chinese else "en"


def installed() -> str:
    """Name and version of this software, as records name it."""
    try:
        return f"parkcarbon {version('parkcarbon')}"
    except PackageNotFoundError:
        return "parkcarbon"


def draw_again(
    record: Record, attachments: Mapping[str, bytes], pages: Sequence[str], drawn: bytes
) -> tuple[bool, str]:
    """Draw the file again and compare; False: that cannot be done here.

    Args:
        record: that the file carries.
        attachments: of the file.
        pages: text of its pages.
        drawn: the file without its signature.

    Raises:
        DifferenceError: with the first page that differs.
    """
    if record.software != installed():
        return False, f"drawn by {record.software}, here is {installed()}: install that version to compare page by page"
    try:
        from parkcarbon.statement.render.pdf import render_pdf
    except ImportError as error:
        return False, f"the renderer is not installed here ({error.name})"
    language = language_of(record, pages)
    again = render_pdf(record, language=language, attachments=attachments)
    if again.rstrip() == drawn.rstrip():
        return True, f"drawn again from the record ({language}), it comes out the same byte for byte"
    for number, (wanted, found) in enumerate(zip(read_pages(again), pages, strict=False), 1):
        if wanted != found:
            raise DifferenceError(f"page {number}: {first_difference(wanted, found)}")
    raise DifferenceError("drawn again it has the same text, but not the same bytes: other fonts, images or pages")
