"""What a re-issue changed, and the words and ids that pages share."""

from decimal import Decimal

import msgspec
import pytest

from parkcarbon.domain.instruments.neutrality import Case, judge
from parkcarbon.statement.compose.changes import changes_of, labels_of
from parkcarbon.statement.compose.wording.translate import said
from parkcarbon.statement.compose.wording.words import slug, unused
from parkcarbon.statement.record import Cell, Column, Formula, Line, Record, Section, Table, Text, encode
from parkcarbon.statement.sheet import Sheet
from parkcarbon.statement.verify.content import DifferenceError, check_predecessor
from tests.fakes.statement_record import sample_record, sample_reissue

T = 10**12


def sheet(kwh: str | None, factor: str = "0.5", *, extra: bool = False) -> Sheet:
    made = Sheet()
    made.put("gate.kwh", kwh, "kWh", 1, basis="registers")
    made.put("gate.factor", factor, "kgCO2e/kWh", 4, basis="factor")
    made.follow("gate.t", Formula("product", ("gate.kwh", "gate.factor"), "0.001"), "t CO2e", 1)
    made.put("steady", 3, "t CO2e", 1, basis="entered")
    if extra:
        made.put("diesel.t", 2, "t CO2e", 1, basis="entered")
    return made


def recorded(made: Sheet) -> Record:
    columns = (Column(Text("源", "source"), align="left"), Column(Text("排放", "emissions"), "t CO2e"))
    row = Line((Cell(text=Text("关口", "gate")), Cell(figure="gate.t")))
    section = Section("sources", Text("源", "sources"), (Table("t", Text("表", "table"), columns, (row,)),))
    return msgspec.structs.replace(sample_record(), figures=made.figures, sections=(section,))


def test_every_figure_that_differs_is_named_with_what_it_rests_on() -> None:
    before = recorded(sheet("1000"))
    after = sheet("1100", extra=True)
    found = {change.figure: change for change in changes_of(before, after.figures, {})}
    assert set(found) == {"gate.kwh", "gate.t", "diesel.t"}
    assert (found["gate.t"].before, found["gate.t"].after, found["gate.t"].unit) == ("0.5", "0.55", "t CO2e")
    assert found["gate.t"].label == Text("关口，排放", "gate, emissions")
    assert found["gate.t"].cause.en == "readings or their corrections"
    assert found["diesel.t"].before is None
    assert found["diesel.t"].cause.en == "a new line: entries"


def test_a_figure_that_changed_for_two_reasons_names_both_and_one_that_is_gone_says_so() -> None:
    before = recorded(sheet("1000", extra=True))
    found = {change.figure: change for change in changes_of(before, sheet("1100", "0.6").figures, {})}
    assert found["gate.t"].cause.zh == "读数或其更正、排放因子"
    assert (found["diesel.t"].after, found["diesel.t"].cause.zh) == (None, "不再列示")


def test_a_reissue_that_tells_another_figure_of_the_version_before_is_found() -> None:
    first, second = encode(sample_record()), sample_reissue()
    assert check_predecessor(second, first)[0]
    assert second.supersedes is not None
    wrong, *rest = second.supersedes.changes
    changes = (msgspec.structs.replace(wrong, before="1.0"), *rest)
    lying = msgspec.structs.replace(second, supersedes=msgspec.structs.replace(second.supersedes, changes=changes))
    with pytest.raises(DifferenceError, match=f"{wrong.figure}: changed from 1.0, the version before had"):
        check_predecessor(lying, first)


def test_rows_that_begin_with_the_same_words_are_told_apart() -> None:
    columns = tuple(Column(Text(name, name)) for name in ("whose", "days", "used"))
    words = [(Text("园区", "park"), Text(days, days)) for days in ("2026", "2026-10")]
    rows = tuple(Line((Cell(text=a), Cell(text=b), Cell(figure=f"used.{b.en}"))) for a, b in words)
    found = labels_of((Section("s", Text("节", "section"), (Table("t", Text("表", "table"), columns, rows),)),))
    assert [label.zh for label in found.values()] == ["园区 2026，used", "园区 2026-10，used"]


def test_what_became_unknown_changed() -> None:
    found = {change.figure: change for change in changes_of(recorded(sheet("1000")), sheet(None).figures, {})}
    assert (found["gate.t"].before, found["gate.t"].after) == ("0.5", None)


def test_the_same_record_changed_nothing() -> None:
    record = sample_record()
    assert changes_of(record, record.figures, {}) == ()
    assert set(labels_of(record.sections)) <= set(record.figures)


def test_ids_are_stable_and_told_apart() -> None:
    names = [slug(name) for name in ("柴油", "汽油", "Diesel", "gate/active_energy_import")]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and name == name.lower() for name in names)
    assert unused("a", {"a", "a-2"}) == "a-3"


@pytest.mark.rule("3.11")
def test_every_reason_of_the_neutral_test_has_its_chinese() -> None:
    bare = Case(whole_year=False, closed=False, verified=False, residual_nano_kg=None, retired_nano_kg=0)
    full = Case(
        whole_year=True,
        closed=False,
        verified=False,
        residual_nano_kg=5 * T,
        retired_nano_kg=T,
        reduction_nano_kg=T,
        required_nano_kg=2 * T,
        exclusions=[("visitors", 60_000)],
        unlisted=["scope 3 category 1"],
    )
    grown = Case(
        whole_year=True, closed=True, verified=True, residual_nano_kg=T, retired_nano_kg=T, reduction_nano_kg=-1
    )
    for reason in (*judge(bare).reasons, *judge(full).reasons, *judge(grown).reasons):
        told = said(reason.text)
        assert told.en == reason.text
        assert told.zh != reason.text, reason.text
    assert said("what nobody translated").zh == "what nobody translated"
    assert (
        Decimal(said("5.000000000000 t of the remaining emissions are not covered by retired credits").zh.split()[1])
        == 5
    )
