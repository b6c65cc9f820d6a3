"""The fonts that statements are set in: they come with a package, are embedded, and are never fetched.

A PDF/A must hold a glyph for every character. What a name or a comment contains is not ours to choose, so characters
that the fonts do not have are found here before they are set.
"""

import functools
import importlib
import re
import struct
from pathlib import Path
from typing import Final

PACKAGE: Final = "pylopdf_fonts_zh_cn"
FILES: Final = ("NotoSansSC-Regular.otf", "NotoSerifSC-Regular.otf")
RAISED_AND_LOWERED: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉₊₋"
"""The Chinese fonts lack some of these; the template takes them from Libertinus Serif, which is inside typst."""
SUBSTITUTE: Final = "\N{WHITE SQUARE}"
"""Stands for a character that the fonts do not have."""

SOFT_BREAK: Final = "\N{ZERO WIDTH SPACE}"

_LONG: Final = re.compile(r"[!-,.0-~]{24,}")
_PIECE: Final = re.compile(r".{1,16}")
_SEGMENTS: Final = 4
_GROUPS: Final = 12


class MissingFontError(RuntimeError):
    """There is no Chinese font to set a statement in."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}: statements are set in Noto Sans SC and Noto Serif SC, which come with the package "
            "pylopdf-fonts-zh-cn; install the extra: pip install 'parkcarbon[statements]'"
        )


def font_folder() -> Path:
    """Folder with both fonts.

    Raises:
        MissingFontError: the package is not installed, or a font is not in it.
    """
    try:
        module = importlib.import_module(PACKAGE)
    except ModuleNotFoundError as error:
        raise MissingFontError(f"no module {error.name}") from error
    folder = Path(str(module.__file__)).parent
    for name in FILES:
        if not (folder / name).is_file():
            raise MissingFontError(f"no file {name} in {folder}")
    return folder


@functools.cache
def characters(folder: Path) -> frozenset[int]:
    """Code points that can be set in every face."""
    first, *rest = (_code_points((folder / name).read_bytes()) for name in FILES)
    return frozenset(first.intersection(*rest)) | frozenset(map(ord, RAISED_AND_LOWERED))


def printable(text: str, known: frozenset[int]) -> str:
    """The text with each character that cannot be set replaced; line breaks and tabs become spaces.

    >>> printable(f"park {chr(10)}{chr(0x1F389)}", frozenset(map(ord, "park ")))
    'park  □'
    """
    if text.isascii() and text.isprintable():
        return text
    kept = (" " if letter.isspace() else letter for letter in text)
    return "".join(letter if ord(letter) in known and letter.isprintable() else SUBSTITUTE for letter in kept)


def breakable(text: str) -> str:
    """The text with places where a line may break inside words that are longer than a column: hashes, serials.

    >>> breakable("root " + 32 * "a").split(SOFT_BREAK)
    ['root aaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaa']
    """
    return _LONG.sub(lambda found: SOFT_BREAK.join(_PIECE.findall(found[0])), text)


def _code_points(font: bytes) -> set[int]:
    """What the character maps of an OpenType font cover (formats 4 and 12)."""
    tables = {font[at : at + 4]: struct.unpack_from(">I", font, at + 8)[0] for at in range(12, 12 + _tables(font), 16)}
    start = tables[b"cmap"]
    (count,) = struct.unpack_from(">H", font, start + 2)
    found: set[int] = set()
    for number in range(count):
        (offset,) = struct.unpack_from(">I", font, start + 4 + 8 * number + 4)
        found |= _subtable(font, start + offset)
    return found


def _tables(font: bytes) -> int:
    (count,) = struct.unpack_from(">H", font, 4)
    return 16 * int(count)


def _subtable(font: bytes, at: int) -> set[int]:
    (kind,) = struct.unpack_from(">H", font, at)
    if kind == _GROUPS:
        (groups,) = struct.unpack_from(">I", font, at + 12)
        bounds = [struct.unpack_from(">II", font, at + 16 + 12 * number) for number in range(groups)]
    elif kind == _SEGMENTS:
        (twice,) = struct.unpack_from(">H", font, at + 6)
        ends = struct.unpack_from(f">{twice // 2}H", font, at + 14)
        begins = struct.unpack_from(f">{twice // 2}H", font, at + 16 + twice)
        bounds = [(begin, end) for begin, end in zip(begins, ends, strict=True) if end != 0xFFFF]
    else:
        bounds = []
    return {point for begin, end in bounds for point in range(begin, end + 1)}
