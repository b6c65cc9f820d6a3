"""The PDF of a statement: archival, whole, readable by two readers, and the same bytes again."""

import datetime as dt
import io
import itertools
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pypdf
import pypdfium2  # type: ignore[import-untyped]
import pytest
import segno

from parkcarbon.statement.record import (
    Chart,
    Column,
    Figure,
    HeatMap,
    Line,
    Record,
    Section,
    Series,
    Table,
    Text,
    content_digest,
    encode,
)
from parkcarbon.statement.render import fonts
from parkcarbon.statement.render.blocks import Language
from parkcarbon.statement.render.order import printed_figures
from parkcarbon.statement.render.pdf import TEMPLATE, RenderError, render_pdf
from parkcarbon.statement.sheet import Sheet, words
from parkcarbon.statement.sign.keys import make_key
from parkcarbon.statement.sign.pdf import sign_pdf
from tests.fakes import verapdf
from tests.fakes.statement_record import sample_empty, sample_flash, sample_record, sample_reissue

SAMPLES: Final = {
    "issued": sample_record,
    "reissue": sample_reissue,
    "empty": sample_empty,
    "flash": sample_flash,
}
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en", "both")
SIGNATURE: Final = bytes(range(128, 192))
SIGNED: Final = dt.datetime(2026, 11, 15, 1, 6, tzinfo=dt.UTC)
SMALLEST_PT: Final = 9.5
PT_A_MM: Final = 72 / 25.4
_MADE: Final[dict[tuple[bytes, str], bytes]] = {}
Reader = Callable[[bytes], list[str]]


def pdf_of(record: Record, language: Language = "both") -> bytes:
    """Its PDF; made once for all tests that look at the same."""
    key = (encode(record), language)
    if key not in _MADE:
        _MADE[key] = made_anew(record, language)
    return _MADE[key]


def made_anew(record: Record, language: Language = "both") -> bytes:
    return render_pdf(
        record,
        language=language,
        attachments={"statement.json": encode(record), "statement.json.sig": SIGNATURE},
    )


def with_pypdf(data: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]


def with_pdfium(data: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data)]


READERS: Final[tuple[Reader, ...]] = (with_pypdf, with_pdfium)


def missing_figures(record: Record, text: str) -> list[str]:
    """Figures that are not read back from the text, in the order of the pages."""
    place, missing = 0, []
    for _, name in printed_figures(record):
        shown = re.escape(record.figures[name].shown)
        found = re.compile(rf"(?<![\d.,]){shown}(?!\d|[.,]\d)").search(text, place)
        if found is None:
            missing.append(name)
        else:
            place = found.end()
    return missing


def pieces(data: bytes, page: int) -> Iterator[tuple[str, float]]:
    """Texts of a page with the size they are set in [pt]."""
    found: list[tuple[str, float]] = []

    def visit(text: str, user: Any, matrix: Any, _font: Any, size: float) -> None:
        if text.strip():
            scale = (user[0] ** 2 + user[1] ** 2) ** 0.5 * (matrix[0] ** 2 + matrix[1] ** 2) ** 0.5
            found.append((text.strip(), size * scale))

    pypdf.PdfReader(io.BytesIO(data)).pages[page].extract_text(visitor_text=visit)
    yield from found


def with_figures(record: Record, sheet: Sheet, *sections: Section) -> Record:
    return msgspec.structs.replace(record, figures={**record.figures, **sheet.figures}, sections=sections)


def long_record(rows: int, columns: int, places: int = 1) -> Record:
    """A record with one table of numbers, growing, every fourth column negative."""
    sheet = Sheet()
    lines = tuple(
        Line(
            (
                words(f"电表 {row:04d}", f"meter {row:04d}"),
                *(
                    sheet.put(
                        f"m{row}.c{at}", f"{(-1 if at % 4 == 3 else 1) * row * 1000.125 * (at + 1)}", "kWh", places
                    )
                    for at in range(columns)
                ),
            )
        )
        for row in range(rows)
    )
    heads = (
        Column(Text("电表", "meter"), align="left", weight=2.0),
        *(Column(Text(f"列{at}", f"column {at}"), "kWh") for at in range(columns)),
    )
    table = Table("long", Text("长表", "A long table"), heads, lines)
    return with_figures(sample_record(), sheet, Section("long", Text("长", "Long"), (table,)))


def strange_record() -> Record:
    """Huge and negative amounts, letters that no font has, a clock change, negative bars, names like markup."""
    days = tuple(f"2026-10-{day:02d}" for day in range(1, 32))
    hours = {24: 25, 5: 23}
    heat = tuple(
        tuple(None if (day, hour) == (3, 7) else str((hour - 12) ** 2) for hour in range(hours.get(day, 24)))
        for day in range(31)
    )
    bars = (
        Series(Text("净", "net"), tuple(str((day - 15) * 7.5) for day in range(31))),
        Series(Text("估", "estimated"), tuple(str(day - 15) for day in range(31)), "hatched"),
        Series(Text("旧", "before"), tuple(str(day) if day % 9 else None for day in range(31)), "ghost"),
    )
    shares = tuple(None if day == 4 else str(day % 3 * 50) for day in range(31))
    record = sample_record()
    figures = {
        **record.figures,
        "s12.market.total": Figure("123456789012345.6", "t CO2e", 1, "123,456,789,012,345.6"),
        "s12.location.total": Figure("-98765432109876.5", "t CO2e", 1, "-98,765,432,109,876.5"),
    }
    section = Section(
        "charts",
        Text("图", "Charts"),
        (
            Chart("c", Text("负", "negative"), "t CO2e", days, bars, shares),
            HeatMap("h", Text("时", "hours"), "kW", days, heat),
        ),
    )
    name = Text("园区\N{PARTY POPPER}\n\x00\u202e", "Park #let $x$ *b* @r <l> \\ [a] // /* 🎉")
    return msgspec.structs.replace(record, park_name=name, figures=figures, sections=(section,))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_figure_is_read_back_in_order_by_two_readers(sample: str, language: Language) -> None:
    record = SAMPLES[sample]()
    data = pdf_of(record, language)
    assert sum(1 for _ in printed_figures(record)) >= 200
    for reader in READERS:
        assert missing_figures(record, "\n".join(reader(data))) == []


def test_the_same_record_gives_the_same_bytes_and_another_gives_others() -> None:
    record = sample_record()
    assert pdf_of(record) == made_anew(record)
    assert pdf_of(record) != pdf_of(msgspec.structs.replace(record, issued_at="2026-11-15T01:07:00Z"))


def test_the_same_bytes_come_out_of_another_process() -> None:
    program = (
        "import sys; from tests.fakes.statement_record import sample_record as s;"
        "from parkcarbon.statement.render.pdf import render_pdf as r;"
        "sys.stdout.buffer.write(r(s(), language='zh', attachments={}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=120)
    assert done.stdout == render_pdf(sample_record(), language="zh", attachments={})


def test_verapdf_passes_every_kind_of_statement_in_every_language_and_signed(tmp_path: Path) -> None:
    records = [(name, sample(), language) for name, sample in SAMPLES.items() for language in LANGUAGES]
    records += [("strange", strange_record(), "both"), ("wide", long_record(40, 12, 3), "both")]
    files = []
    for name, record, language in records:
        files.append(tmp_path / f"{name}-{language}.pdf")
        files[-1].write_bytes(pdf_of(record, language))
    files.append(tmp_path / "signed.pdf")
    files[-1].write_bytes(sign_pdf(pdf_of(sample_record(), "zh"), make_key("Park", now=SIGNED), at=SIGNED))
    found = verapdf.validate(files)
    assert {name: verdict for name, verdict in found.items() if verdict != "PASS"} == {}


def test_it_says_that_it_is_pdf_a_3b_with_all_fonts_inside() -> None:
    reader = pypdf.PdfReader(io.BytesIO(pdf_of(sample_record())))
    root: Any = reader.trailer["/Root"]
    xmp = root["/Metadata"].get_data().decode()
    assert re.search(r"<pdfaid:part>3</pdfaid:part>\s*<pdfaid:conformance>B</pdfaid:conformance>", xmp)
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert reader.trailer.get("/Encrypt") is None
    assert "/ID" in reader.trailer
    assert all(name not in root for name in ("/OpenAction", "/AA", "/AcroForm"))
    used = {}
    for page in reader.pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            used[inner["/BaseFont"].partition("+")[2].partition("-")[0]] = inner["/FontDescriptor"].get_object()
    assert set(used) == {"NotoSansSC", "NotoSerifSC", "LibertinusSerif"}
    assert all("/FontFile3" in descriptor for descriptor in used.values())


def test_the_record_and_its_signature_are_inside_as_they_were_given() -> None:
    record = sample_record()
    reader = pypdf.PdfReader(io.BytesIO(pdf_of(record)))
    assert dict(reader.attachments) == {"statement.json": [encode(record)], "statement.json.sig": [SIGNATURE]}
    root: Any = reader.trailer["/Root"]
    listed = {item.get_object()["/F"]: item.get_object()["/AFRelationship"] for item in root["/AF"]}
    assert listed == {"statement.json": "/Source", "statement.json.sig": "/Supplement"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_carries_number_version_hash_place_and_status(language: Language) -> None:
    record = sample_reissue()
    pages = with_pypdf(pdf_of(record, language))
    for place, text in enumerate(pages, start=1):
        footer = " ".join(text.split())
        assert f"{record.number} · V2 · 暂定 PROVISIONAL" in footer
        assert content_digest(record)[:16] in footer
        assert f"{place} / {len(pages)}" in footer
        assert "替代版本 supersedes V1: 电表 m-t03 倍率更正" in footer
        assert "DRAFT" not in footer


def test_each_language_stands_alone() -> None:
    english, chinese = ("\n".join(with_pypdf(pdf_of(sample_record(), language))) for language in ("en", "zh"))
    assert "Energy balance" in english
    assert "能量平衡" not in english
    assert "能量平衡" in chinese
    assert "Energy balance" not in chinese
    assert "不可用于CBAM" in chinese
    assert "not a CBAM value" in english


@pytest.mark.rule("3.8")
@pytest.mark.parametrize("language", LANGUAGES)
def test_scope_words_and_both_bases_are_as_large_as_what_they_stand_beside(language: Language) -> None:
    record = sample_record()
    sizes: dict[str, list[float]] = {}
    for text, size in pieces(pdf_of(record, language), 0):
        sizes.setdefault(text, []).append(round(size, 2))
    judged, other = (record.figures[name].shown for name in (record.front.judged[0], record.front.other[0]))
    assert max(sizes[judged]) == max(sizes[other]) > 15
    own = "zh" if language == "both" else language
    largest = [
        max(size for text, found in sizes.items() for size in found if getattr(part, own) in text)
        for part in (record.verdict.label, record.verdict.scope_words)
    ]
    assert largest[0] == largest[1] >= 15


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_smaller_than_nine_and_a_half_points(language: Language) -> None:
    data = pdf_of(sample_reissue(), language)
    for page in range(len(pypdf.PdfReader(io.BytesIO(data)).pages)):
        for text, size in pieces(data, page):
            assert size >= SMALLEST_PT - 0.01, (page, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_statement_is_on_page_one(language: Language) -> None:
    for sample in SAMPLES.values():
        record = sample()
        first, second = with_pypdf(pdf_of(record, language))[:2]
        own = "zh" if language == "both" else language
        assert getattr(record.front.verification, own) in first
        assert getattr(record.notes[-1], own) in first
        assert getattr(record.notes[-1], own) not in second


def test_who_owes_what_until_when_is_on_page_one() -> None:
    record = sample_flash()
    first = with_pypdf(pdf_of(record, "en"))[0]
    assert len(record.missing) == 3
    for item in record.missing:
        assert all(part in first for part in (item.text.en, item.owner, item.due))


def test_an_empty_month_prints_every_heading_and_no_nought() -> None:
    record = sample_empty()
    text = "\n".join(with_pypdf(pdf_of(record)))
    assert all(section.head.zh in text and section.head.en in text for section in record.sections)
    assert "无法判定" in text
    assert "无数据" in text
    assert not re.search(r"(?<![\d.,])0\.0+ t\b", text)
    assert "DRAFT" in text


def test_a_long_table_breaks_across_pages_with_its_heads() -> None:
    record = long_record(200, 4)
    pages = with_pdfium(pdf_of(record))
    with_rows = [text for text in pages if re.search(r"meter \d{4}", text)]
    assert len(with_rows) > 5
    assert all("column 3" in text and "[kWh]" in text for text in with_rows)
    assert missing_figures(record, "\n".join(pages)) == []


def test_a_wide_table_turns_its_pages_and_stays_in_order() -> None:
    record = long_record(40, 12, 3)
    data = pdf_of(record)
    sizes = [page.get_size() for page in pypdfium2.PdfDocument(data)]
    assert sizes[0][0] < sizes[0][1]
    assert sizes[1][0] > sizes[1][1]
    assert missing_figures(record, "\n".join(with_pypdf(data))) == []


def test_huge_and_negative_numbers_and_letters_that_no_font_has() -> None:
    record = strange_record()
    for language in LANGUAGES:
        data = pdf_of(record, language)
        text = "\n".join(with_pypdf(data))
        assert missing_figures(record, text) == []
        assert "□" in text
        if language == "en":
            assert "Park #let $x$ *b* @r <l> \\ [a] // /* □" in text
    # Nothing is set beyond the paper.
    for page in pypdfium2.PdfDocument(data):
        width = page.get_size()[0]
        boxes = page.get_textpage()
        assert all(boxes.get_charbox(place)[2] <= width - 40 for place in range(boxes.count_chars()))


def test_the_square_code_says_number_version_and_digest() -> None:
    record = sample_record()
    data = pdf_of(record)
    document = pypdfium2.PdfDocument(data)
    scale = 4
    pixels = document[len(document) - 1].render(scale=scale, grayscale=True).to_numpy() < 128
    text = f"{record.number} V{record.version} sha256:{content_digest(record)}"
    wanted = np.array([[bool(cell) for cell in row] for row in segno.make(text, error="m", micro=False).matrix])
    square = _square(pixels[:, int(22 * scale * PT_A_MM) : int(56 * scale * PT_A_MM)], side=int(32 * scale * PT_A_MM))
    at = ((np.arange(len(wanted)) + 0.5) * len(square) / len(wanted)).astype(int)
    assert (square[np.ix_(at, at)] == wanted).all()


def _square(pixels: np.ndarray[Any, Any], side: int) -> np.ndarray[Any, Any]:
    """The one thing in a strip of a page that is as high as the code."""
    dark = [0, *np.nonzero(pixels.any(axis=1))[0], len(pixels) * 2]
    breaks = [place for place in range(1, len(dark)) if dark[place] - dark[place - 1] > 3]
    runs = [(dark[begin], dark[end - 1] + 1) for begin, end in itertools.pairwise(breaks)]
    top, end = next((top, end) for top, end in runs if abs(end - top - side) < 6)
    left = int(np.nonzero(pixels[top:end].any(axis=0))[0][0])
    return pixels[top:end, left : left + end - top]


def test_without_the_fonts_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fonts, "PACKAGE", "no_such_fonts")
    with pytest.raises(fonts.MissingFontError, match=r"no module no_such_fonts.*parkcarbon\[statements\]"):
        made_anew(sample_record())
    (tmp_path / "fonts_without_files.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(fonts, "PACKAGE", "fonts_without_files")
    with pytest.raises(fonts.MissingFontError, match=r"no file NotoSansSC-Regular\.otf"):
        made_anew(sample_record())


def test_a_record_that_cannot_be_set_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(TEMPLATE, tmp_path / "template"))
    (broken / "main.typ").write_text("#panic()")
    monkeypatch.setattr("parkcarbon.statement.render.pdf.TEMPLATE", broken)
    with pytest.raises(RenderError, match="PC-suzhou-demo-2026-10 V1 in zh"):
        made_anew(sample_record(), "zh")


def test_many_statements_stay_small_in_one_process() -> None:
    """Set one after another: what typst kept of the earlier ones would be some 250 MB by then."""
    program = (
        "import msgspec, psutil; from tests.fakes.statement_record import sample_record;"
        "from parkcarbon.statement.render.pdf import render_pdf;"
        "[render_pdf(msgspec.structs.replace(sample_record(), number=f'PC-{n}'), language='both', attachments={})"
        " for n in range(16)];"
        "print(psutil.Process().memory_info().rss >> 20)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=240, text=True)
    assert int(done.stdout) < 200
