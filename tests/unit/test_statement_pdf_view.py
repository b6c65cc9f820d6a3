"""A record as the template draws it: languages, units, room for decimals, bars, gaps; without setting a page."""

import doctest
import importlib

import msgspec
import pytest

from parkcarbon.statement.record import (
    Bridge,
    Cell,
    Change,
    Chart,
    Column,
    Figure,
    HeatMap,
    Line,
    Predecessor,
    Record,
    Series,
    Step,
    Table,
    Text,
    content_digest,
)
from parkcarbon.statement.render import scales
from parkcarbon.statement.render.blocks import Blocks, Language
from parkcarbon.statement.render.order import printed_figures
from parkcarbon.statement.render.view import View
from parkcarbon.statement.render.words import WORDS
from parkcarbon.statement.sheet import shown
from tests.fakes.statement_record import sample_empty, sample_flash, sample_record, sample_reissue

FIGURES = {
    "a": Figure("1234.5", "kWh", 1, "1,234.5"),
    "b": Figure("-7", "kWh", 0, "-7"),
    "c": Figure("0.5978", "kgCO2/kWh", 4, "0.5978"),
    "d": Figure(None, "kWh", 1, "–"),
    "e": Figure("12", "kg CO2", 0, "12"),
}


def blocks(language: Language = "both") -> Blocks:
    return Blocks(FIGURES, language)


@pytest.mark.parametrize("module", ["scales", "fonts", "words"])
def test_examples_in_docstrings_hold(module: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(f"parkcarbon.statement.render.{module}"))
    assert tried > 0
    assert failed == 0


def test_words_come_in_the_language_asked_for_and_once_where_both_are_the_same() -> None:
    text = Text("电力", "electricity")
    assert blocks("zh").text(text) == [["zh", "电力"]]
    assert blocks("en").text(text) == [["en", "electricity"]]
    assert blocks().text(text) == [["zh", "电力"], ["en", "electricity"]]
    assert blocks().text(Text("GEC-1", "GEC-1")) == [["en", "GEC-1"]]


def table(unit: str, *names: str | None) -> dict[str, list[dict[str, object]]]:
    columns = (Column(Text("项", "item"), align="left"), Column(Text("值", "value"), unit))
    lines = tuple(Line((Cell(text=Text("甲", "a")), Cell(figure=name))) for name in names)
    drawn: dict[str, list[dict[str, object]]] = blocks().table(Table("t", Text("表", "T"), columns, lines))
    return drawn


def values(drawn: dict[str, list[dict[str, object]]], member: str) -> list[object]:
    lines = drawn["lines"]
    cells = [line["cells"] for line in lines]
    return [cell[1].get(member) for cell in cells if isinstance(cell, list)]


def test_decimals_stand_under_each_other() -> None:
    assert values(table("kWh", "a", "b", "d"), "pad") == ["", ".0", ".0"]


def test_a_unit_is_printed_where_nothing_says_it_yet() -> None:
    assert values(table("kWh", "a", "b"), "unit") == ["", ""]
    assert values(table("kWh", "a", "c"), "unit") == ["", "kgCO2/kWh"]
    assert values(table("", "a"), "unit") == ["kWh"]
    assert values(table("kWh, kgCO2/kWh", "a", "c"), "unit") == ["", ""]
    # 12 kg CO2 under [kg] of a column of CO2; but never is kg CO2/kWh swallowed by kg.
    assert values(table("kg", "e"), "unit") == [""]
    assert values(table("kgCO2", "c"), "unit") == ["kgCO2/kWh"]


def test_a_column_of_words_stands_left_and_a_column_of_years_right() -> None:
    columns = (Column(Text("编号", "serial")), Column(Text("年", "year")))
    lines = (Line((Cell(text=Text("GEC-1", "GEC-1")), Cell(text=Text("2023", "2023")))),)
    drawn = blocks().table(Table("t", Text("表", "T"), columns, lines))
    assert [column["align"] for column in drawn["columns"]] == ["left", "right"]


def test_a_bridge_leads_from_total_to_total_whatever_the_sign_of_its_changes() -> None:
    assert scales.waterfall([("total", 9.0), ("change", -2.0), ("total", 7.0)])[1] == (9.0, 7.0)
    assert scales.waterfall([("total", 9.0), ("change", 2.0), ("total", 7.0)])[1] == (9.0, 7.0)
    assert scales.waterfall([("total", 9.0), ("change", 2.0), ("total", 11.0)])[1] == (9.0, 11.0)
    assert scales.waterfall([("total", -9.0), ("change", -2.0), ("change", 1.0)])[1:] == [(-9.0, -11.0), (-11.0, -10.0)]
    assert scales.waterfall([("total", None), ("change", 2.0), ("total", None)]) == [None, (0.0, 2.0), None]


def test_a_bridge_says_its_unit_once_or_at_each_number() -> None:
    label = Text("步", "step")
    same = blocks().bridge(Bridge("b", label, (Step(label, "a", "total"), Step(label, "b", "change"))))
    mixed = blocks().bridge(Bridge("b", label, (Step(label, "a", "total"), Step(label, "c", "change"))))
    assert (same["unit"], [step["unit"] for step in same["steps"]]) == ("kWh", ["", ""])
    assert (mixed["unit"], [step["unit"] for step in mixed["steps"]]) == ("", ["kWh", "kgCO2/kWh"])


def test_what_is_missing_in_a_chart_is_a_gap_and_no_zero() -> None:
    series = (Series(Text("甲", "a"), ("3", None, "0")), Series(Text("乙", "b"), (None, None, "1"), "hatched"))
    drawn = blocks().chart(Chart("c", Text("图", "C"), "t", ("2026-10-01", "2026-10-02", "2026-10-03"), series))
    assert drawn["series"][0]["bars"] == [(0.0, 3.0), None, (0.0, 0.0)]
    assert drawn["series"][1]["bars"] == [None, None, (0.0, 1.0)]
    assert (drawn["common"], drawn["labels"]) == ("2026-10", ["01", "02", "03"])


def test_a_chart_of_nothing_has_no_axis() -> None:
    drawn = blocks().chart(Chart("c", Text("图", "C"), "t", ("1", "2"), (Series(Text("甲", "a"), (None, None)),)))
    assert drawn["ticks"] == []


def test_days_of_23_and_25_hours_are_as_long_as_they_are() -> None:
    rows = (("1",) * 23, ("2",) * 25, (None,) * 24)
    drawn = blocks().heat_map(HeatMap("h", Text("图", "H"), "kW", ("a-1", "a-2", "a-3"), rows))
    assert drawn["hours"] == 25
    assert drawn["runs"] == [(0, 0, 23, 0), (1, 0, 25, scales.LEVELS - 1)]
    assert drawn["gaps"], "the third day is missing: nothing is drawn over the hatch"
    assert drawn["short"] == [(0, 23), (2, 24)], "no hatch where a day has no such hour"


@pytest.mark.parametrize("spread", [(0.0,), (-1e-9, 2e-9), (1e15, -3e14), (5.0, 5.0)])
def test_an_axis_holds_its_values_and_nought(spread: tuple[float, ...]) -> None:
    low, high, ticks = scales.axis(spread)
    assert low <= min(0.0, *spread)
    assert high >= max(0.0, *spread)
    assert 2 <= len(ticks) <= scales.TICKS + 3
    assert len({word for _, word in ticks}) == len(ticks)


@pytest.mark.parametrize("record", [sample_record(), sample_reissue(), sample_empty(), sample_flash()])
@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_every_printed_figure_is_in_what_is_drawn_in_order(record: Record, language: Language) -> None:
    drawn = msgspec.json.encode(View(record, language).whole()).decode()
    place = drawn.index('"front":{')
    bases = drawn.index('"bases":', place)
    for section, name in printed_figures(record):
        member = "half" if section == "front" and name.endswith("halfwidth") else "shown"
        wanted = f'"{member}":"{record.figures[name].shown}"'
        place = drawn.index(wanted, max(bases, place)) + 1
    assert f'"digest":"{content_digest(record)}"' in drawn


def test_the_footer_names_what_is_superseded_with_a_reason_that_fits() -> None:
    frame = View(sample_reissue(), "zh").whole()["frame"]
    assert frame["supersedes"] == "替代版本 supersedes V1"
    assert frame["reason"].startswith("电表 m-t03")
    before = sample_reissue().supersedes
    assert before is not None
    long = msgspec.structs.replace(before, reason="理由" * 100)
    view = View(msgspec.structs.replace(sample_reissue(), supersedes=long), "zh").whole()
    assert len(view["frame"]["reason"]) <= 60
    assert view["front"]["reason"] == "理由" * 100


def test_a_draft_says_so_on_every_page() -> None:
    assert "DRAFT" in View(sample_empty(), "zh").whole()["frame"]["status"]
    assert "DRAFT" not in View(sample_record(), "zh").whole()["frame"]["status"]


def test_that_nobody_reviewed_it_is_said() -> None:
    record = sample_record()
    acts = tuple(act for act in record.acts if act.role != "reviewed")
    people = View(msgspec.structs.replace(record, acts=acts), "zh").whole()["front"]["people"]["lines"]
    assert [[cell["text"][0][1] for cell in line["cells"]][:2] for line in people][1] == ["复核", "无"]
    assert View(msgspec.structs.replace(record, acts=()), "zh").whole()["front"]["people"]["lines"] == []


def test_what_a_reissue_changed_is_printed_as_the_figures_are_unless_that_hides_it() -> None:
    record = sample_record()
    name = "s12.market.total"
    changes = tuple(
        Change(name, Text("合计", "total"), before, after, "t CO2e", Text("因", "cause"))
        for before, after in (("3327.31", "3300"), ("3327.31", "3327.32"), (None, "1"))
    )
    before = Predecessor(record.number, 1, "0" * 64, "r", changes)
    view = View(msgspec.structs.replace(record, version=2, supersedes=before), "en").whole()
    rows = [[cell["text"][0][1] for cell in line["cells"][1:3]] for line in view["changes"]["lines"]]
    assert rows == [["3,327.3", "3,300.0"], ["3327.31", "3327.32"], ["–", "1.0"]]


def test_a_clock_change_shows_both_offsets() -> None:
    changes = {
        "timezone": "Europe/Berlin",
        "from_time": "2026-10-01T00:00:00+02:00",
        "to_time": "2026-11-01T00:00:00+01:00",
    }
    identity = View(msgspec.structs.replace(sample_record(), **changes), "en").whole()["front"]["identity"]
    assert identity[2][1] == "2026-10 · 2026-10-01 00:00 +02:00 – 2026-11-01 00:00 +01:00 (Europe/Berlin)"


def test_a_half_hour_zone_is_told_with_its_minutes() -> None:
    record = msgspec.structs.replace(
        sample_record(),
        timezone="Asia/Kolkata",
        from_time="2026-10-01T00:00:00+05:30",
        to_time="2026-11-01T00:00:00+05:30",
    )
    identity = {name[0][1]: value for name, value in View(record, "en").whole()["front"]["identity"]}
    assert identity["Period"] == "2026-10 · 2026-10-01 00:00 – 2026-11-01 00:00 (+05:30, Asia/Kolkata)"
    assert identity["Data as of"].startswith("2026-11-14 07:30 +05:30")


def test_every_word_is_there_in_both_languages() -> None:
    assert all(text.zh.strip() and text.en.strip() for text in WORDS.values())


def test_what_is_not_known_is_never_nought() -> None:
    bases = View(sample_empty(), "en").whole()["front"]["bases"]
    assert [(basis["shown"], basis["known"]) for basis in bases] == [(shown(None, 1), False)] * 2
