"""Collects the figures of a record while its pages are laid out; every formula is checked at once."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Final

from .record import Basis, Cell, Figure, Formula, Text

UNKNOWN: Final = "–"
"""What is printed where nothing is known."""

_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)

Number = Decimal | int | str | None


def tonnes(nano_kg: int | None) -> Decimal | None:
    """Tonnes of an exact amount [1e-9 kg].

    >>> tonnes(1_500_000_000_001)
    Decimal('1.500000000001')
    """
    return None if nano_kg is None else Decimal(nano_kg).scaleb(-12, _EXACT)


def units(micro: int | None) -> Decimal | None:
    """Whole units of an exact amount [1e-6 unit].

    >>> units(-2_500_000)
    Decimal('-2.500000')
    """
    return None if micro is None else Decimal(micro).scaleb(-6, _EXACT)


def shown(value: Decimal | None, places: int) -> str:
    """A number as it is printed, halves away from zero; never an exponent, never minus zero.

    >>> shown(Decimal("3214.65"), 1), shown(Decimal("-0.04"), 1), shown(None, 1), shown(Decimal("1234567"), 0)
    ('3,214.7', '0.0', '–', '1,234,567')
    """
    if value is None:
        return UNKNOWN
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT)
    return f"{rounded + 0 if rounded else abs(rounded):,.{places}f}"


def plain(value: Decimal) -> str:
    """A decimal without exponent and without zeros at its end.

    >>> plain(Decimal("1.500")), plain(Decimal("2E+3")), plain(Decimal("0.000"))
    ('1.5', '2000', '0')
    """
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def evaluate(formula: Formula, figures: Mapping[str, Figure]) -> Decimal | None:
    """What a formula gives; None where a part is not known, or by zero.

    Raises:
        KeyError: it names a figure that is not there.
    """
    parts = [figures[name].value for name in formula.of]
    if any(part is None for part in parts):
        return None
    with localcontext(_EXACT):
        values = [Decimal(part) for part in parts if part is not None]
        scale = Decimal(formula.scale)
        if formula.op == "sum":
            return sum(values, Decimal(0)) * scale
        if formula.op == "difference":
            return (values[0] - sum(values[1:], Decimal(0))) * scale
        if formula.op == "product":
            result = Decimal(1)
            for value in values:
                result *= value
            return result * scale
        return values[0] / values[1] * scale if values[1] else None


def differs(figure: Figure, figures: Mapping[str, Figure]) -> str | None:
    """How a figure is not what it says it follows from, or not printed as its value; None: all is well."""
    value = None if figure.value is None else Decimal(figure.value)
    if figure.shown != (wanted := shown(value, figure.places)):
        return f"printed {figure.shown!r}, its value {figure.value} is printed {wanted!r}"
    if figure.formula is None or value is None:
        return None
    result = evaluate(figure.formula, figures)
    if result is None or abs(result - value) > Decimal(figure.within):
        told = "nothing" if result is None else plain(result)
        return f"is {figure.value} {figure.unit}, its formula gives {told}"
    return None


class Sheet:
    """The figures of a record in the making."""

    def __init__(self) -> None:
        self.figures: dict[str, Figure] = {}

    def put(
        self,
        name: str,
        value: Number,
        unit: str,
        places: int,
        *,
        basis: Basis = "computed",
        explain: str = "",
        rule: str = "",
        formula: Formula | None = None,
        within: str = "0",
    ) -> Cell:
        """Enter a figure and return the cell that shows it.

        Args:
            name: id, unique in the record: `s2.location.total`.
            value: exact [unit]; None: not known.
            unit: as it is printed.
            places: decimals that are printed.
            basis: what it rests on.
            explain: name of its working.
            rule: number of the accounting rule.
            formula: how it follows from figures that are entered already.
            within: how far the formula may be from the value [unit].

        Raises:
            ValueError: the id is taken, or the formula does not give the value.
        """
        number = None if value is None else Decimal(value)
        text = None if number is None else plain(number)
        figure = Figure(
            text, unit, places, shown(number, places), formula, within, basis=basis, explain=explain, rule=rule
        )
        if name in self.figures:
            raise ValueError(f"figure {name} is there already")
        if wrong := differs(figure, self.figures):
            raise ValueError(f"figure {name} {wrong}")
        self.figures[name] = figure
        return Cell(figure=name)

    def follow(
        self,
        name: str,
        op_of: Formula,
        unit: str,
        places: int,
        *,
        explain: str = "",
        rule: str = "",
    ) -> Cell:
        """Enter a figure that is what its formula gives, cut to 18 decimals where it is no finite decimal."""
        result = evaluate(op_of, self.figures)
        if result is None:
            return self.put(name, None, unit, places, explain=explain, rule=rule, formula=op_of)
        cut = result.quantize(Decimal("1e-18"), ROUND_HALF_UP, _EXACT)
        within = "0" if cut == result else "0.000000000000000001"
        return self.put(name, cut, unit, places, explain=explain, rule=rule, formula=op_of, within=within)

    def total(self, name: str, parts: Sequence[str], unit: str, places: int, *, explain: str = "") -> Cell:
        """Enter the sum of figures."""
        return self.follow(name, Formula("sum", tuple(parts)), unit, places, explain=explain)


def words(zh: str, en: str) -> Cell:
    """A cell with words."""
    return Cell(text=Text(zh, en))
