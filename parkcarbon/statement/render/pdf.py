"""The statement as PDF/A-3b: its record set by typst, with the files that belong to it inside."""

import datetime as dt
import functools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import segno
import typst

from parkcarbon.statement.record import Record, content_digest

from . import fonts
from .blocks import Language
from .view import View

TEMPLATE: Final = Path(__file__).parent / "template"
STANDARD: Final = "a-3b"
KEPT_DOCUMENTS: Final = 10
LETTERS: Final = (
    "".join(map(chr, [*range(0x20, 0x7F), *range(0xA1, 0x250), *range(0x370, 0x530)])) + "‐–—‘’“”•…‰′″€₂→−≈≠≤≥"
)
os.environ.setdefault("RAYON_NUM_THREADS", "1")
"""Typst's threads: more of them take 7 % more of the processors where several statements are set at once."""


class RenderError(RuntimeError):
    """A record could not be set."""


def render_pdf(record: Record, *, language: Language, attachments: Mapping[str, bytes]) -> bytes:
    """Set a statement in one language; see `render_pdfs`."""
    return render_pdfs(record, languages=(language,), attachments=attachments)[language]


def render_pdfs(
    record: Record, *, languages: Sequence[Language], attachments: Mapping[str, bytes]
) -> dict[Language, bytes]:
    """Set a statement.

    The same arguments give the same bytes: nothing is read but the record and the fonts, and the date of the document
    is when the statement was issued, or, of a draft, what it knows.

    Args:
        record: of the statement.
        languages: `zh`, `en`, or `both`; each a document.
        attachments: files to carry, by name; `statement.json` is marked as the source of the document.

    Raises:
        fonts.MissingFontError: there is no Chinese font; it names the extra to install.
        RenderError: typst refused, with its reason.
    """
    folder = fonts.font_folder()
    known, advances = fonts.characters(folder), _advances(folder)
    # The languages share most of their texts: each is looked at once.
    clean = functools.cache(lambda text: fonts.breakable(fonts.printable(text, known)))
    ems = functools.cache(lambda text: sum(advances.get(letter, 1.0) for letter in text))
    inputs = {"qr": _qr(record), **_files(attachments)}
    return {language: _set(View(record, language, clean, ems), folder, inputs) for language in languages}


def _set(view: View, folder: Path, inputs: Mapping[str, str]) -> bytes:
    record = view.record
    try:
        pdf = typst.compile(
            TEMPLATE / "main.typ",
            root=TEMPLATE,
            font_paths=_faces(folder),
            ignore_system_fonts=True,
            sys_inputs={"view": json.dumps(view.whole(), ensure_ascii=False), **inputs},
            pdf_standards=[STANDARD],
            timestamp=dt.datetime.fromisoformat(record.issued_at or record.known_on).replace(microsecond=0),
        )
    except typst.TypstError as error:
        raise RenderError(f"{record.number} V{record.version} in {view.language}: {error.message}") from error
    finally:
        _forget(_faces(folder))
    # What a signature appends has to begin on a line of its own (ISO 19005-3, 6.1.9); typst ends without one.
    return pdf + b"\n"


@functools.cache
def _faces(folder: Path) -> typst.Fonts:
    """The Chinese fonts and those inside typst; what the machine has is never looked at."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(folder)])


@functools.cache
def _advances(folder: Path) -> dict[str, float]:
    """Widths of the letters that are not as wide as they are high [em], as typst sets them."""
    known = fonts.characters(folder)
    letters = "".join(letter for letter in LETTERS + fonts.RAISED_AND_LOWERED if ord(letter) in known)
    found = typst.query(
        TEMPLATE / "advances.typ",
        "<advances>",
        field="value",
        one=True,
        root=TEMPLATE,
        font_paths=_faces(folder),
        ignore_system_fonts=True,
        sys_inputs={"letters": letters, "view": '{"words": {}, "language": "zh"}', "files": "[]"},
    )
    return {**dict(json.loads(found)), fonts.SOFT_BREAK: 0.0}


def _forget(faces: typst.Fonts) -> None:
    """Let typst drop the pages it laid out: it keeps what was not used in its last ten documents.

    A process that sets many statements stays near 120 MB instead of 370 MB.
    """
    empty = typst.Compiler(TEMPLATE / "empty.typ", root=TEMPLATE, font_paths=faces, ignore_system_fonts=True)
    for _ in range(KEPT_DOCUMENTS + 1):
        empty.compile()


def _qr(record: Record) -> str:
    """Number, version and digest as an SVG picture."""
    text = f"{record.number} V{record.version} sha256:{content_digest(record)}"
    return segno.make(text, error="m", micro=False).svg_inline(border=0)


def _files(attachments: Mapping[str, bytes]) -> dict[str, str]:
    """Attachments as inputs of the template: text as it is, other bytes as numbers."""
    listed: list[dict[str, Any]] = []
    inputs: dict[str, str] = {}
    for place, (name, data) in enumerate(sorted(attachments.items())):
        key = f"file{place}"
        try:
            inputs[key] = data.decode()
            text = True
        except UnicodeDecodeError:
            inputs[key] = json.dumps(list(data))
            text = False
        listed.append({"name": name, "key": key, "text": text, **_kind(name)})
    return {"files": json.dumps(listed), **inputs}


def _kind(name: str) -> dict[str, str]:
    """How a file belongs to the document (ISO 32000-2, 7.11.3) and what it is."""
    if name == "statement.json":
        return {"relationship": "source", "type": "application/json", "about": "record that this document is set from"}
    kind = "application/json" if name.endswith(".json") else "application/octet-stream"
    return {"relationship": "supplement", "type": kind, "about": "belongs to statement.json"}
