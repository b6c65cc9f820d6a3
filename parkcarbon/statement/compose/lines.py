"""The lines of the inventory as figures: amount, factor, emissions by gas; entered once, used by several pages.

Emissions of a line are the sum of rounded intervals, or an amount times a product rounded once. Where amount × factor
gives them, within that rounding, the line says so; where a factor by the hour, or more than one, was used, the mean
factor follows from amount and emissions instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod
from typing import Final, Literal

from parkcarbon.domain.methods.lines import GASES, Line
from parkcarbon.domain.uncertainty.propagation import Combined
from parkcarbon.statement.record import Basis, Cell, Formula, Text
from parkcarbon.statement.sheet import Sheet, plain, tonnes, units

from .context import Context
from .wording.words import TOTAL_UNIT, of_name, slug, unused

Group = Literal["s1", "s2.location", "s2.market", "s3"]

GROUPS: Final[tuple[Group, ...]] = ("s1", "s2.location", "s2.market", "s3")
OTHER: Final = "other"
"""Gases beside CO2, CH4 and N2O, and what a source does not split."""

_PLACES: Final = {"kWh": 1, "Nm3": 1, "GJ": 2}
_HALF_MICRO: Final = Decimal("0.0000005")
_NANO_T: Final = Decimal("1e-12")
_RELATIVE: Final = Decimal("1e-12")  # what floating point loses in an amount times a factor


@dataclass(frozen=True, slots=True)
class Booked:
    """A line of the inventory with the ids of its figures.

    Attributes:
        line: of the inventory.
        name: id of its emissions [t CO2e]; `{name}.amount`, `{name}.factor` and `{name}.{gas}` stand beside it.
        label: device, or the name of an entry.
        gases: ids by `CO2`, `CH4`, `N2O`, `other`.
        half_width: id of its ± at 95 % [t CO2e].
        by_product: True where amount × factor gives the emissions; False: the factor is a mean.
    """

    line: Line
    name: str
    label: Text
    gases: dict[str, str]
    half_width: str
    by_product: bool


@dataclass(frozen=True, slots=True)
class Book:
    """All lines by group, and the id of each group's sum."""

    groups: dict[Group, tuple[Booked, ...]]

    def all(self) -> Iterable[Booked]:
        """Every line."""
        return (booked for group in GROUPS for booked in self.groups[group])


def total_of(group: Group) -> str:
    """Id of the sum of a group: `s1.total`."""
    return f"{group}.total"


async def book_of(context: Context) -> Book:
    """The lines of the inventory as figures, entered the first time they are asked for."""
    if context.book is None:
        context.book = await _book_lines(context)
    return context.book


async def _book_lines(context: Context) -> Book:
    """Enter every line, the sums by scope and gas, and the totals on both bases with their ±."""
    inventory = context.inventory
    lines: dict[Group, Sequence[Line]] = {
        "s1": inventory.scope(1).lines,
        "s2.location": inventory.scope(2, "location").lines,
        "s2.market": inventory.scope(2, "market").lines,
        "s3": inventory.scope3.lines,
    }
    names = {"s1": "scope1", "s2.location": "scope2_location", "s2.market": "scope2_market", "s3": "scope3"}
    spread = await context.uncertainty()
    groups: dict[Group, tuple[Booked, ...]] = {}
    for group in GROUPS:
        known = spread[names[group]]
        groups[group] = tuple(
            _book(context, group, line, each.combined) for line, each in zip(lines[group], known.lines, strict=True)
        )
        absent = group != "s3" and inventory.scope(1 if group == "s1" else 2, _basis(group)).absent
        _sum(context.sheet, group, groups[group], absent=absent, explain=names[group])
        put_half_width(context.sheet, f"{group}.u", known.total, known=bool(groups[group]))
    for basis in ("location", "market"):
        parts = ("s1.total", f"s2.{basis}.total")
        context.sheet.total(f"total.{basis}", parts, TOTAL_UNIT, 1, explain=f"total_{basis}")
        whole = context.sheet.figures[f"total.{basis}"].value is not None
        put_half_width(context.sheet, f"total.{basis}.u", spread[f"total_{basis}"].total, known=whole)
    return Book(groups)


def _basis(group: Group) -> Literal["location", "market"] | None:
    return None if group == "s1" else "location" if group == "s2.location" else "market"


def put_half_width(sheet: Sheet, name: str, combined: Combined, *, known: bool) -> Cell:
    """Enter a half-width at 95 % with two significant digits, but no fewer than whole tonnes [t CO2e]."""
    if not known or combined.half_width is None:
        return sheet.put(name, None, TOTAL_UNIT, 1, rule="6.6")
    value = Decimal(f"{combined.half_width / 1000:.9f}")
    return sheet.put(name, value, TOTAL_UNIT, 0 if value >= 10 else 1 if value >= Decimal("0.95") else 2, rule="6.6")


def _book(context: Context, group: Group, line: Line, spread: Combined) -> Booked:
    sheet = context.sheet
    ending = ".void" if _is_void(line) else ".covered" if line.instruments else ""
    name = unused(f"line.{group}.{slug(line.source)}{ending}", sheet.figures)
    basis: Basis = "entered" if line.entry else "registers"
    sheet.put(
        f"{name}.amount", units(line.amount_micro), line.activity_unit, _PLACES.get(line.activity_unit, 3), basis=basis
    )
    by_product = _emissions(context, name, line, explain=_explained(group, line))
    gases = _gases(sheet, name, line)
    put_half_width(sheet, f"{name}.u", spread, known=True)
    return Booked(line, name, _label(context, line), gases, f"{name}.u", by_product)


def _is_void(line: Line) -> bool:
    return any(used.get("effect") == "void" for used in line.instruments) or line.source.startswith("self-used ")


def _explained(group: Group, line: Line) -> str:
    if line.entry or line.instruments or _is_void(line):
        return ""
    return f"{'line_market' if group == 's2.market' else 'line'}:{line.source}"


def _emissions(context: Context, name: str, line: Line, *, explain: str) -> bool:
    """Emissions as the product of amount and factor where that holds, else the factor as their quotient."""
    sheet = context.sheet
    exact = tonnes(line.co2e_nano_kg)
    unit = f"{mass_of(line)}/{line.activity_unit}"
    factor = factor_of(line)
    amount = units(line.amount_micro)
    assert exact is not None and amount is not None  # noqa: S101, PT018 - a line has both
    if factor is not None:
        rounded = _NANO_T * (1 + (0 if line.entry else context.intervals.get(line.source, 0)))
        within = rounded + _HALF_MICRO * abs(factor) / 1000 + abs(exact) * _RELATIVE
        if abs(amount * factor / 1000 - exact) <= within:
            sheet.put(f"{name}.factor", factor, unit, decimals_of(factor), basis="factor", rule=_rule(line))
            product = Formula("product", (f"{name}.amount", f"{name}.factor"), "0.001")
            sheet.put(name, exact, TOTAL_UNIT, 1, formula=product, within=plain(within), explain=explain)
            return True
    sheet.put(name, exact, TOTAL_UNIT, 1, basis="registers", explain=explain)
    sheet.follow(f"{name}.factor", Formula("quotient", (name, f"{name}.amount"), "1000"), unit, 6, rule=_rule(line))
    return False


def mass_of(line: Line) -> str:
    """Unit of a line's kilograms: published factors of power and heat are CO2 alone, and are not said to be more."""
    return "kgCO2" if set(line.gas_nano_kg) == {"CO2"} else "kgCO2e"


def factor_of(line: Line) -> Decimal | None:
    """Emissions by unit of the amount [kgCO2e/unit]: the sum over gases of their chains; None: by the hour, or given.

    A purchase that certificates cover has the factor 0.
    """
    if line.instruments and not line.co2e_nano_kg:
        return Decimal(0)
    if not line.chains:
        return None
    per_gas = (prod((Decimal(repr(step.value)) for step in steps), start=Decimal(1)) for steps in line.chains.values())
    return sum(per_gas, Decimal(0))


def decimals_of(factor: Decimal) -> int:
    """Decimals that a factor is printed with: its own, at least 4 and at most 8."""
    exponent = factor.normalize().as_tuple().exponent
    return min(max(-exponent if isinstance(exponent, int) else 0, 4), 8)


def _rule(line: Line) -> str:
    if line.basis == "market":
        return "3.15"
    return {"electricity": "1.3", "gas": "1.12", "heat": "1.13"}.get(line.carrier, "")


def _gases(sheet: Sheet, name: str, line: Line) -> dict[str, str]:
    """Emissions by gas; the leading one is what the others leave, so that the parts are the whole."""
    sums: dict[str, int] = {}
    for gas, nano in (line.gas_nano_kg or {OTHER: line.co2e_nano_kg}).items():
        kept = gas if gas in GASES else OTHER
        sums[kept] = sums.get(kept, 0) + nano
    ids = {gas: f"{name}.{gas.lower()}" for gas in sums}
    leading, *others = sums
    for gas in others:
        sheet.put(ids[gas], tonnes(sums[gas]), TOTAL_UNIT, 1)
    rest = Formula("difference", (name, *(ids[gas] for gas in others)))
    sheet.put(ids[leading], tonnes(sums[leading]), TOTAL_UNIT, 1, formula=rest)
    return ids


def _label(context: Context, line: Line) -> Text:
    """The device; its quantity too where it has several; an entry by its name."""
    if line.entry:
        return _of_entry(context, line)
    device, _, quantity = line.source.partition("/")
    if not quantity:
        return _VOID if _is_void(line) else Text(line.source, line.source)
    if device not in context.device_names:
        return Text(line.source, line.source)
    name = of_name(context.device_names[device])
    several = sum(point.point.startswith(f"{device}/") and point.flow in _LINES for point in context.inputs.points) > 1
    return Text(f"{name.zh} {quantity}", f"{name.en} {quantity}") if several else name


def _of_entry(context: Context, line: Line) -> Text:
    """The name that was given to it, or what was entered, and its number."""
    if line.source != line.entry:
        return Text(line.source, line.source)
    what, number = entered_words(context, line), line.source.removeprefix("entry:")
    return Text(f"{what.zh}，录入 {number}", f"{what.en}, entry {number}")


def entered_words(context: Context, line: Line) -> Text:
    """The name of an entry, or kind and substance without its number: the same every month."""
    if line.source != line.entry:
        return Text(line.source, line.source)
    kind = KINDS.get(line.kind, Text(line.kind, line.kind))
    if line.kind == "scope3":
        kind = next((_category(item) for item in context.inventory.screening if _is_of(item, line)), kind)
    carrier = KINDS.get(line.carrier, Text(line.carrier, line.carrier))
    return kind if carrier == kind or not line.carrier else Text(f"{kind.zh}：{carrier.zh}", f"{kind.en}: {carrier.en}")


def _is_of(item: Mapping[str, object], line: Line) -> bool:
    return item["category"] == line.scope3_category


def _category(item: Mapping[str, object]) -> Text:
    names = item["name"]
    assert isinstance(names, dict)  # noqa: S101 - made by `screening_table`
    return Text(names["zh"], names["en"])


KINDS: Final = {
    "electricity": Text("电力", "electricity"),
    "fuel": Text("燃料", "fuel"),
    "gas": Text("燃气", "gas"),
    "refrigerant": Text("制冷剂", "refrigerant"),
    "process": Text("工业过程", "process"),
    "heat": Text("热力", "heat"),
    "steam": Text("蒸汽", "steam"),
    "cooling": Text("冷量", "cooling"),
    "scope3": Text("范围三", "scope 3"),
}
"""What kinds of entries, and metered carriers, are called."""

_LINES: Final = ("import", "fuel", "heat")
_VOID: Final = Text("绿证已售出的自用电量", "self-used generation, certificates sold")


def _sum(sheet: Sheet, group: Group, booked: Sequence[Booked], *, absent: bool, explain: str) -> None:
    """The sum of a group and of each of its gases; nothing known is None, and declared to be absent is zero."""
    name = total_of(group)
    if not booked:
        sheet.put(name, Decimal(0) if absent else None, TOTAL_UNIT, 1, basis="setting", explain=explain)
        return
    sheet.total(name, [line.name for line in booked], TOTAL_UNIT, 1, explain=explain)
    for gas in (*GASES, OTHER):
        parts = [line.gases[gas] for line in booked if gas in line.gases]
        if parts:
            sheet.total(f"{group}.{gas.lower()}", parts, TOTAL_UNIT, 1)
