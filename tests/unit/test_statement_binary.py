"""Binary numbers of a spreadsheet show the digits that the decimals of a record show."""

import math
from contextlib import suppress
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkcarbon.statement.record import Figure, Formula
from parkcarbon.statement.render.binary import Care, cares, number_format
from parkcarbon.statement.sheet import Sheet, shown

EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


def seen(number: float, places: int, written: str) -> str:
    """What a spreadsheet shows: 15 digits of the double, then half away from zero; fixed and signless formats."""
    if written.startswith('"'):
        return written.strip('"')
    told = Decimal(f"{number:.15g}")
    text = shown(told, places)
    if written.startswith("[<=") and number < 0 and told > -Decimal(5).scaleb(-places - 1):
        return written.split('"')[1]
    if number < 0 and not text.startswith("-"):
        return "-" + text
    return text


def rounded(number: float, places: int) -> float:
    """ROUND as spreadsheets do it: on 15 digits, halves away from zero."""
    return float(Decimal(f"{number:.15g}").quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT))


def computed(figure: Figure, care: Care, values: dict[str, float]) -> float:
    """What the formula of a cell comes to, one rounding after the other."""
    assert figure.formula is not None
    parts = [values[name] for name in figure.formula.of]
    scale = float(figure.formula.scale)
    if figure.formula.op == "sum":
        result = sum(parts) * scale
    elif figure.formula.op == "difference":
        result = (parts[0] - sum(parts[1:])) * scale
    elif figure.formula.op == "product":
        result = math.prod(parts) * scale
    else:
        result = parts[0] / parts[1] * scale
    if care.difference:
        result += care.difference
    if care.round_to is not None:
        result = rounded(result, care.round_to)
    return result + care.display


def wrong(sheet: Sheet) -> list[str]:
    """Figures that a spreadsheet shows with other digits."""
    found = []
    values: dict[str, float] = {}
    todo = cares(sheet.figures)
    for name, figure in sheet.figures.items():
        care = todo[name]
        if care.number is None:
            continue
        values[name] = computed(figure, care, values) if care.live else float(f"{care.number:.16g}")
        text = seen(values[name], figure.places, care.number_format)
        if text != figure.shown:
            found.append(f"{name}: {text}, not {figure.shown} ({figure.value}, {values[name]!r}, {care})")
    return found


amounts = st.builds(
    lambda digits, places, sign: Decimal(digits).scaleb(-places) * sign,
    st.integers(0, 10**11),
    st.integers(0, 9),
    st.sampled_from([1, 1, 1, -1]),
)
halves = st.builds(
    lambda whole, places, sign: (Decimal(whole) + Decimal("0.5")).scaleb(-places) * sign,
    st.integers(0, 10**9),
    st.integers(0, 3),
    st.sampled_from([1, -1]),
)
any_amount = st.one_of(amounts, halves)
ops = st.sampled_from(["sum", "difference", "product", "quotient"])
steps = st.tuples(
    ops, st.lists(st.integers(0, 30), min_size=2, max_size=5), st.integers(0, 4), st.sampled_from(["1", "0.001", "100"])
)


@pytest.mark.rule("6.8")
@settings(max_examples=400, deadline=None)
@given(st.lists(any_amount, min_size=2, max_size=8), st.lists(steps, max_size=12))
def test_every_figure_shows_the_digits_of_the_record(
    leaves: list[Decimal], followers: list[tuple[str, list[int], int, str]]
) -> None:
    sheet = Sheet()
    for number, value in enumerate(leaves):
        sheet.put(f"leaf.{number}", value, "t", number % 4, basis="registers")
    for number, (op, picks, places, scale) in enumerate(followers):
        names = list(sheet.figures)
        parts = tuple(names[pick % len(names)] for pick in picks[: 2 if op == "quotient" else 5])
        formula = Formula(op, parts, scale)  # type: ignore[arg-type]
        with suppress(InvalidOperation):  # beyond 10^42 nothing is printed
            sheet.follow(f"step.{number}", formula, "t", places)
    assert wrong(sheet) == []


@settings(max_examples=300, deadline=None)
@given(any_amount, any_amount, st.integers(0, 4))
def test_a_share_times_its_whole_shows_the_part_again(part: Decimal, whole: Decimal, places: int) -> None:
    """A quotient is cut to 18 decimals: times the whole again it lies just under the half that the part is."""
    sheet = Sheet()
    sheet.put("part", part, "kWh", places, basis="registers")
    sheet.put("whole", whole, "kWh", places, basis="registers")
    sheet.follow("share", Formula("quotient", ("part", "whole")), "1", 4)
    sheet.follow("again", Formula("product", ("share", "whole")), "kWh", places)
    sheet.follow("gone", Formula("difference", ("part", "again")), "kWh", places)
    assert wrong(sheet) == []


@settings(max_examples=300, deadline=None)
@given(halves, amounts, st.integers(0, 3))
def test_what_cancels_shows_the_half_that_is_left(half: Decimal, big: Decimal, places: int) -> None:
    sheet = Sheet()
    sheet.put("big", big, "t", places, basis="registers")
    sheet.put("both", big + half, "t", places, basis="registers")
    sheet.follow("left", Formula("difference", ("both", "big")), "t", places)
    sheet.follow("twice", Formula("difference", ("left", "big", "big")), "t", places)
    assert wrong(sheet) == []


@settings(max_examples=200, deadline=None)
@given(halves, st.integers(-3, 3), st.integers(0, 3))
def test_a_value_that_was_rounded_when_it_was_booked_stays_the_books(
    half: Decimal, steps_off: int, places: int
) -> None:
    sheet = Sheet()
    sheet.put("part", half, "t", places, basis="registers")
    off = Decimal(steps_off).scaleb(-6)
    formula = Formula("sum", ("part",))
    sheet.put("booked", half + off, "t", places, formula=formula, within="0.000003")
    assert wrong(sheet) == []
    if abs(half) < 1000:  # beyond, a spreadsheet cannot tell the two apart
        assert (cares(sheet.figures)["booked"].difference == 0) == (off == 0)


def test_most_formulas_stay_as_they_are() -> None:
    from tests.fakes.statement_record import sample_record

    record = sample_record()
    found = cares(record.figures)
    live = [care for care in found.values() if care.live]
    assert len(live) > 150
    assert sum(care.round_to is not None for care in live) <= len(live) // 10
    assert not any(care.difference or care.display for care in live)


@pytest.mark.parametrize(
    ("value", "places", "written"),
    [
        ("3214.65", 1, "#,##0.0"),
        ("-3214.65", 0, "#,##0"),
        ("-0.04", 1, '[<=-0.05]-#,##0.0;[<0]"0.0";#,##0.0'),
        ("-0.05", 1, "#,##0.0"),
        ("1234567890123456.7", 1, '"1,234,567,890,123,456.7"'),
        (None, 2, "#,##0.00"),
    ],
)
def test_number_formats(value: str | None, places: int, written: str) -> None:
    assert number_format(None if value is None else Decimal(value), places) == written


def test_more_digits_than_a_spreadsheet_has_are_shown_all_the_same() -> None:
    sheet = Sheet()
    sheet.put("huge", "123456789012345678.905", "kWh", 2, basis="registers")
    sheet.follow("more", Formula("sum", ("huge", "huge")), "kWh", 2)
    assert wrong(sheet) == []
    assert cares(sheet.figures)["more"].number_format == '"246,913,578,024,691,357.81"'


def test_a_circle_is_refused() -> None:
    figures = {
        "a": Figure("1", "t", 0, "1", Formula("sum", ("b",))),
        "b": Figure("1", "t", 0, "1", Formula("sum", ("a",))),
    }
    with pytest.raises(ValueError, match="in a circle"):
        cares(figures)
