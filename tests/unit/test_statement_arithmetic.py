"""A record is checked against itself: each kind of thing that can be wrong is found and named."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from parkcarbon.statement.arithmetic import SECTIONS, check, order
from parkcarbon.statement.places import homes, places
from parkcarbon.statement.record import Bridge, Cell, Formula, Record, Step, Table, Text
from tests.fakes.statement_record import sample_empty, sample_flash, sample_record, sample_reissue

TOTAL = "s12.market.total"


@pytest.mark.parametrize("made", [sample_record, sample_reissue, sample_empty, sample_flash])
def test_nothing_is_wrong_with_a_record_that_holds_together(made: Callable[[], Record]) -> None:
    assert check(made()) == []


def changed(name: str, **members: Any) -> Record:
    record = sample_record()
    return replace(record, figures={**record.figures, name: replace(record.figures[name], **members)})


def with_first_table(section: str, change: Callable[[Table], Table]) -> Record:
    record = sample_record()
    sections = []
    for page in record.sections:
        blocks = list(page.blocks)
        if page.id == section:
            at = next(number for number, block in enumerate(blocks) if isinstance(block, Table))
            table = blocks[at]
            assert isinstance(table, Table)
            blocks[at] = change(table)
        sections.append(replace(page, blocks=tuple(blocks)))
    return replace(record, sections=tuple(sections))


def with_line(change: Callable[[tuple[Cell, ...]], tuple[Cell, ...]]) -> Record:
    def first(table: Table) -> Table:
        return replace(table, lines=(replace(table.lines[0], cells=change(table.lines[0].cells)), *table.lines[1:]))

    return with_first_table("energy", first)


def bridged(*steps: Step) -> Record:
    record = sample_record()
    return replace(record, front=replace(record.front, bridge=Bridge("front.bridge", Text("", ""), steps)))


T = Text("", "")
SHORT = "verdict.short"
CASES: dict[str, tuple[Callable[[], Record], str]] = {
    "digit shown": (lambda: changed(TOTAL, shown="3,327.4"), f"{TOTAL}: printed '3,327.4', its value"),
    "value and print": (
        lambda: changed("energy.g1.kwh", value="1873304.68", shown="1,873,305"),
        "energy.import.kwh: is 4812345.305 kWh, its formula gives 4812445.305",
    ),
    "total": (lambda: changed(TOTAL, value="3300", shown="3,300.0"), f"{TOTAL}: is 3300 t CO2e, its formula gives"),
    "known of unknown": (
        lambda: changed("bill.g3.difference", value="1", shown="1"),
        "bill.g3.difference: is 1 kWh, its formula gives nothing",
    ),
    "exponent": (lambda: changed("heat.gj", value="3.12045E+3"), "heat.gj: value '3.12045E+3' is no plain decimal"),
    "not a number": (lambda: changed("heat.gj", value="NaN"), "heat.gj: value 'NaN' is no plain decimal"),
    "infinite": (lambda: changed("heat.gj", within="Infinity"), "heat.gj: within 'Infinity' is no plain decimal"),
    "word": (lambda: changed("heat.gj", value="many"), "s2.heat: follows from heat.gj, which is no number"),
    "zeros": (lambda: changed("heat.gj", value="3120.450"), "heat.gj: value '3120.450' is no plain decimal"),
    "places": (lambda: changed("heat.gj", places=-1), "heat.gj: -1 places"),
    "wide": (
        lambda: changed(TOTAL, value="3300", shown="3,300.0", within="100"),
        f"{TOTAL}: its formula may be 100 t CO2e off",
    ),
    "below zero": (lambda: changed(TOTAL, within="-1"), f"{TOTAL}: its formula may be -1 t CO2e off: below zero"),
    "part gone": (
        lambda: changed(TOTAL, formula=Formula("sum", ("s1.total", "s2.nothing"))),
        f"{TOTAL}: follows from s2.nothing, which is not there",
    ),
    "quotient of one": (
        lambda: changed(TOTAL, formula=Formula("quotient", ("s1.total",))),
        f"{TOTAL}: a quotient of 1",
    ),
    "sum of nothing": (lambda: changed(TOTAL, formula=Formula("sum", ())), f"{TOTAL}: a sum of 0"),
    "scale": (
        lambda: changed(TOTAL, formula=Formula("sum", ("s1.total",), "1e3")),
        f"{TOTAL}: scale '1e3' is no plain decimal",
    ),
    "circle": (
        lambda: changed("s1.total", formula=Formula("sum", (TOTAL,)), value="3327.3073725208", shown="3,327.3"),
        "figures follow from one another in a circle",
    ),
    "not on a page": (
        lambda: replace(
            sample_record(), figures={**sample_record().figures, "more": sample_record().figures["heat.gj"]}
        ),
        "more: no page shows it",
    ),
    "not in the record": (
        lambda: with_line(lambda cells: (*cells[:-1], Cell(figure="gone"))),
        "gone: a page shows it, and it is not in the record",
    ),
    "id": (
        lambda: replace(
            sample_record(), figures={**sample_record().figures, "a b": sample_record().figures["heat.gj"]}
        ),
        "'a b': no id of a figure",
    ),
    "page gone": (lambda: replace(sample_record(), sections=sample_record().sections[1:]), "pages are energy, sources"),
    "pages swapped": (
        lambda: replace(sample_record(), sections=sample_record().sections[::-1]),
        "pages are check, trace, quality",
    ),
    "table twice": (
        lambda: with_first_table("energy", lambda table: replace(table, id="sources.scope1")),
        "sources.scope1: the id of 2 blocks or pages",
    ),
    "ragged": (
        lambda: with_line(lambda cells: cells[:-1]),
        "energy.balance: line 1 has 4 cells for 5 columns",
    ),
    "figure and words": (
        lambda: with_line(lambda cells: (*cells[:-1], replace(cells[-1], text=Text("一", "one")))),
        "energy.balance: line 1 has a figure and words in one place",
    ),
    "bridge": (
        lambda: bridged(
            Step(T, "s12.location.total", "total"),
            Step(T, "bridge.credits", "change"),
            Step(T, TOTAL, "total"),
            Step(T, "bridge.contracts", "change"),
            Step(T, "bridge.credits", "change"),
            Step(T, SHORT, "total"),
        ),
        f"{TOTAL}: bridge front.bridge comes to",
    ),
    "another basis": (
        lambda: replace(sample_record(), verdict=replace(sample_record().verdict, basis="s12.location.total")),
        f"s12.location.total: the verdict is judged on it, page 1 shows {TOTAL}",
    ),
    "verdict in other words": (
        lambda: replace(
            sample_record(), verdict=replace(sample_record().verdict, sentence=Text("3,327.3 ± 31", "3,327.31 ± 31"))
        ),
        f"{TOTAL}: printed 3,327.3, and not so in the verdict: 3,327.31 ± 31",
    ),
    "judged though unknown": (
        lambda: replace(sample_empty(), verdict=replace(sample_empty().verdict, word="not_covered")),
        f"{TOTAL}: not known, and yet judged not_covered",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_named(case: str) -> None:
    made, text = CASES[case]
    found = check(made())
    assert any(sentence.startswith(text) for sentence in found), found


def test_every_figure_of_every_page_has_a_place() -> None:
    record = sample_record()
    home = homes(record)
    assert set(home) == set(record.figures) == {place.figure for place in places(record)}
    assert home[TOTAL].section == "scope2"
    assert (home[TOTAL].row.en, home[TOTAL].column.en) == ("market-based", "total")
    assert home["outside.avoided.t"].table == "outside.avoided"
    assert {place.section for place in home.values()} <= {*SECTIONS, "front"}


def test_parts_come_before_what_follows_from_them() -> None:
    record = sample_record()
    found = order(record.figures)
    at = {name: number for number, name in enumerate(found)}
    assert len(found) == len(record.figures)
    assert all(
        at[part] < at[name]
        for name, figure in record.figures.items()
        for part in (figure.formula.of if figure.formula else ())
    )
