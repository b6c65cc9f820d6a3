"""A record as CSV: a row for each figure, in the order of the pages."""

import csv
import io
import re
from typing import Final

from parkcarbon.statement.places import Place, homes
from parkcarbon.statement.record import Figure, Formula, Record

COLUMNS: Final = (
    "statement",
    "version",
    "section",
    "table",
    "row_zh",
    "row_en",
    "column_zh",
    "column_en",
    "figure",
    "value",
    "unit",
    "places",
    "shown",
    "formula",
    "within",
    "basis",
    "explain",
    "rule",
)
_NUMBER: Final = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?")
_LEADERS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_SIGNS: Final = {"sum": " + ", "difference": " - ", "product": " * ", "quotient": " / "}


def render_csv(record: Record) -> bytes:
    """Every figure once, where a table first shows it: UTF-8 with a byte order mark, lines end with CR LF.

    A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for name, place in homes(record).items():
        writer.writerow([safe(text) for text in _row(record, name, place)])
    return out.getvalue().encode("utf-8-sig")


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    >>> safe("=1+1"), safe("-12.5"), safe("-1,234.5"), safe("-x"), safe("grid import")
    ("'=1+1", '-12.5', '-1,234.5', "'-x", 'grid import')
    """
    text = text.replace("\x00", "")
    if text.lstrip(" ").startswith(_LEADERS) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def formula_text(formula: Formula | None) -> str:
    """A formula to be read: figure ids, signs, and the scale.

    >>> formula_text(Formula("sum", ("a", "b"), "0.001"))
    '(a + b) * 0.001'
    """
    if formula is None:
        return ""
    text = _SIGNS[formula.op].join(formula.of)
    if formula.scale == "1":
        return text
    bracket = formula.op in ("sum", "difference") and len(formula.of) > 1
    return f"({text}) * {formula.scale}" if bracket else f"{text} * {formula.scale}"


def _row(record: Record, name: str, place: Place) -> tuple[str, ...]:
    figure: Figure = record.figures[name]
    return (
        record.number,
        str(record.version),
        place.section,
        place.table,
        place.row.zh,
        place.row.en,
        place.column.zh,
        place.column.en,
        name,
        "" if figure.value is None else figure.value,
        figure.unit,
        str(figure.places),
        figure.shown,
        formula_text(figure.formula),
        figure.within,
        figure.basis,
        figure.explain,
        figure.rule,
    )
