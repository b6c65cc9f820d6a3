"""The zip of a workbook made anew: the same bytes for the same cells, and values beside formulas.

openpyxl writes the time of day into the file and leaves formulas without their values; programs that show a file
without computing it (mail, previews, readers of data) would show nothing.
"""

import re
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Final
from xml.sax.saxutils import escape

Known = dict[tuple[str, str], float | str]
"""What a formula comes to, by sheet and cell."""

_FORMULA: Final = re.compile(r'<c r="([A-Z]+[0-9]+)"([^>]*)><f>(.*?)</f><v\s*(?:/>|></v>)</c>', re.DOTALL)
_TIMES: Final = re.compile(r"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def packed(data: bytes, sheets: Sequence[str], known: Mapping[tuple[str, str], float | str], moment: str) -> bytes:
    """A workbook with values beside its formulas, and nothing in it that depends on when it was written.

    Args:
        data: as openpyxl wrote it.
        sheets: names, in order.
        known: what formulas come to.
        moment: written as its time [ISO 8601 UTC].
    """
    files = {f"xl/worksheets/sheet{number}.xml": name for number, name in enumerate(sheets, start=1)}
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            body = old.read(entry)
            if entry in files:
                body = _with_values(body.decode(), files[entry], known).encode()
            elif entry == "docProps/core.xml":
                body = _TIMES.sub(rf"\g<1>{escape(moment)}\g<2>", body.decode()).encode()
            info = zipfile.ZipInfo(entry, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            new.writestr(info, body)
    return out.getvalue()


def _with_values(text: str, sheet: str, known: Mapping[tuple[str, str], float | str]) -> str:
    def cell(found: re.Match[str]) -> str:
        place, attributes, formula = found.groups()
        value = known.get((sheet, place))
        if value is None:
            return found.group(0)
        if isinstance(value, str):
            return f'<c r="{place}"{attributes} t="str"><f>{formula}</f><v>{escape(value)}</v></c>'
        return f'<c r="{place}"{attributes}><f>{formula}</f><v>{value!r}</v></c>'

    return _FORMULA.sub(cell, text)
