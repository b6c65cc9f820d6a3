"""Changes PDF files as a forger would: streams changed and put back, offsets and lengths made right again."""

import re
import zlib
from collections.abc import Iterator
from io import BytesIO

from pypdf import PdfReader
from pypdf.generic import DictionaryObject, StreamObject

_STREAM = rb"(?:^|\n)%d 0 obj\n<<(?P<head>.*?)>>\nstream\n"
_TEXT = re.compile(rb"/(f\d+) [\d.]+ Tf|Tm\[")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def change_digit(data: bytes, shown: str, *, page: int | None = None) -> tuple[bytes, int]:
    """Change the last digit of a number on the first page that shows it; the text below it stays as it is.

    Returns the file, whole again but for its signature, and the number of the page (from 0).
    """
    reader = PdfReader(BytesIO(data))
    for number, sheet in enumerate(reader.pages):
        if page in (None, number):
            contents = sheet["/Contents"].indirect_reference
            stream = sheet["/Contents"].get_object()
            assert contents is not None
            assert isinstance(stream, StreamObject)
            changed = _with_other_digit(stream.get_data(), _codes(sheet), shown)
            if changed is not None:
                return replace_stream(data, contents.idnum, changed), number
    raise AssertionError(f"no page shows {shown}")


def swap_attachment(data: bytes, old: bytes, new: bytes) -> bytes:
    """Put another file in the place of an attached one."""
    for found in re.finditer(rb"(?:^|\n)(\d+) 0 obj\n<<[^>]*/EmbeddedFile", data):
        if stream_of(data, int(found[1])) == old:
            return replace_stream(data, int(found[1]), new)
    raise AssertionError("there is no such attachment")


def stream_of(data: bytes, number: int) -> bytes:
    """The unpacked stream of an object."""
    found = re.search(_STREAM % number, data, re.DOTALL)
    assert found is not None
    length = re.search(rb"/Length (\d+)", found["head"])
    assert length is not None
    raw = data[found.end() : found.end() + int(length[1])]
    return zlib.decompress(raw) if b"/FlateDecode" in found["head"] else raw


def replace_stream(data: bytes, number: int, content: bytes) -> bytes:
    """Replace a stream and mend every length, offset and byte range of the file."""
    found = re.search(_STREAM % number, data, re.DOTALL)
    assert found is not None
    length = re.search(rb"/Length (\d+)", found["head"])
    assert length is not None
    packed = zlib.compress(content, 9) if b"/FlateDecode" in found["head"] else content
    digits = len(length[1])
    packed += b"\n" * (10 ** (digits - 1) - len(packed))  # the length keeps its number of digits
    assert len(str(len(packed))) == digits
    at = found.start("head") + length.start(1)
    grown = len(packed) - int(length[1])
    begin = found.start()
    mended = (
        data[:at]
        + str(len(packed)).encode()
        + data[at + digits : found.end()]
        + packed
        + data[found.end() + int(length[1]) :]
    )
    return _moved(mended, begin, grown)


def _moved(data: bytes, begin: int, grown: int) -> bytes:
    def entry(found: re.Match[bytes]) -> bytes:
        offset = int(found[1])
        return b"%010d" % (offset + grown * (offset > begin + 1)) + found[2]

    def pointer(found: re.Match[bytes]) -> bytes:
        return found[1] + _same_width(found[2], grown)

    def span(found: re.Match[bytes]) -> bytes:
        return b"/ByteRange [0 " + _same_width(found[1], grown) + b" " + _same_width(found[2], grown) + b" "

    tail = data[begin:]
    tail = re.sub(rb"(?<=\n)(\d{10})( \d{5} n)", entry, tail)
    tail = re.sub(rb"(startxref\s+|/Prev )(\d+)", pointer, tail)
    return data[:begin] + re.sub(rb"/ByteRange \[0 (\d+) (\d+) ", span, tail)


def _same_width(number: bytes, grown: int) -> bytes:
    moved = str(int(number) + grown).encode()
    assert len(moved) == len(number), "choose another change: an offset got another number of digits"
    return moved


def _codes(sheet: DictionaryObject) -> dict[str, dict[bytes, str]]:
    """For each font of a page the characters of its two-byte codes."""
    found: dict[str, dict[bytes, str]] = {}
    fonts = sheet["/Resources"].get_object()["/Font"].get_object()  # type: ignore[index]
    for name, font in fonts.items():
        text = font.get_object()["/ToUnicode"].get_object().get_data().decode("latin-1")
        pairs = re.findall(r"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>", text)
        found[name.lstrip("/")] = {bytes.fromhex(code): chr(int(char, 16)) for code, char in pairs}
    return found


def _with_other_digit(stream: bytes, codes: dict[str, dict[bytes, str]], shown: str) -> bytes | None:
    font = ""
    for found in _TEXT.finditer(stream):
        if found[1]:
            font = found[1].decode()
            continue
        spans = list(_strings(stream, found.end()))
        strings = [_pairs(stream[begin:end]) for begin, end in spans]
        places = [(at, number) for at, string in enumerate(strings) for number in range(len(string))]
        text = "".join(codes[font].get(strings[at][number], "\0") for at, number in places)
        whole = re.search(rf"(?<![0-9.,-]){re.escape(shown)}(?![0-9]|[.,][0-9])", text)
        if whole is None:
            continue
        place = max(at for at in range(*whole.span()) if text[at].isdigit())
        at, number = places[place]
        strings[at][number] = next(code for code, char in codes[font].items() if char.isdigit() and char != text[place])
        begin, end = spans[at]
        return stream[:begin] + b"<" + b"".join(strings[at]).hex().encode() + b">" + stream[end:]
    return None


def _strings(stream: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each string of an array, with its brackets."""
    while stream[at : at + 1] != b"]":
        begin = at
        if stream[at : at + 1] == b"<":
            at = stream.index(b">", at) + 1
            yield begin, at
        elif stream[at : at + 1] == b"(":
            depth = 0
            while depth or at == begin:
                depth += {b"(": 1, b")": -1}.get(stream[at : at + 1], 0)
                at += 2 if stream[at : at + 1] == b"\\" else 1
            yield begin, at
        else:
            at += 1


def _pairs(string: bytes) -> list[bytes]:
    inner = string[1:-1]
    raw = bytes.fromhex(inner.decode()) if string[:1] == b"<" else _ESCAPE.sub(_unescaped, inner)
    return [raw[at : at + 2] for at in range(0, len(raw), 2)]


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 8)]) if found[1].isdigit() else _NAMED.get(found[1], found[1])
