"""What stands on the pages against what the record says.

Without drawing: every footer is complete, page 1 carries title and verdict. Where the build that drew the file is
installed: it is drawn again from the record that it carries and must come out the same.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from parkcarbon.statement.record import Record, content_digest
from parkcarbon.statement.sign.build import build

from .content import DifferenceError, first_difference
from .figures import Language, tight
from .paper import plain, read_pages

if TYPE_CHECKING:
    from parkcarbon.statement.sign.seal import Seal

_FOOTER: Final = 400
"""Characters at the end of a page's text in which its footer stands."""


def check_footers(record: Record, pages: Sequence[str]) -> str:
    """Check that no page is missing and that each carries number, version and digest of this record.

    Raises:
        DifferenceError: with the first page that does not.
    """
    digest = content_digest(record)[:16]
    for number, text in enumerate(pages, 1):
        footer = text[-_FOOTER:]
        for what, wanted in (
            ("number", rf"{re.escape(plain(record.number))}"),
            ("version", rf"V{record.version}"),
            ("digest", digest),
            ("page number", rf"{number} ?/ ?{len(pages)}"),
        ):
            if not re.search(rf"(?:^|(?<= )){wanted}(?= |$)", footer):
                raise DifferenceError(f"page {number} of {len(pages)}: its footer has not the {what} {wanted}")
    return f"{len(pages)} pages, each with its number, the statement's and its digest {digest}"


def check_verdict(record: Record, pages: Sequence[str]) -> str:
    """Check that title and verdict stand on the first page in these words.

    Raises:
        DifferenceError: with the first words that do not.
    """
    language = language_of(record, pages)
    first = tight(pages[0]) if pages else ""
    for text in (record.front.title, record.verdict.label, record.verdict.sentence, record.verdict.scope_words):
        for words in [text.zh] * (language != "en") + [text.en] * (language != "zh"):
            if tight(words) not in first:
                raise DifferenceError(f"page 1 does not say {words!r}")
    return f"page 1 says: {record.verdict.label.zh} {record.verdict.label.en}"


def language_of(record: Record, pages: Sequence[str]) -> Language:
    """Language of the pages, by the title on the first one."""
    first = tight(pages[0]) if pages else ""
    chinese, english = (tight(text) in first for text in (record.front.title.zh, record.front.title.en))
    return "both" if chinese and english else "zh" if chinese else "en"


def draw_again(
    record: Record, attachments: Mapping[str, bytes], pages: Sequence[str], seal: "Seal | None"
) -> tuple[bool, str]:
    """Draw the file again and compare; False: that cannot be done here.

    Args:
        record: that the file carries.
        attachments: of the file.
        pages: text of its pages.
        seal: its signature, with the part of the file that was drawn; None: it does not hold.

    Raises:
        DifferenceError: with the first page that differs.
    """
    if seal is None:
        return False, "the signature that says which build drew it does not hold"
    if seal.drawn_by != build():
        return (
            False,
            f"drawn by {seal.drawn_by or 'another program'}, here is {build()}: with that one it can be drawn again",
        )
    try:
        from parkcarbon.statement.render.pdf import render_pdf
    except ImportError as error:
        return False, f"the renderer is not installed here ({error.name})"
    language = language_of(record, pages)
    again = render_pdf(record, language=language, attachments=attachments)
    if again.rstrip() == seal.signed_part.rstrip():
        return True, f"drawn again from the record ({language}), it comes out the same byte for byte"
    for number, (wanted, found) in enumerate(zip(read_pages(again), pages, strict=False), 1):
        if wanted != found:
            raise DifferenceError(f"page {number}: {first_difference(wanted, found)}")
    raise DifferenceError("drawn again it has the same text, but not the same bytes: other fonts, images or pages")
