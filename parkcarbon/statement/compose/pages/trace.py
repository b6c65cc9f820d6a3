"""Page 12: one worked trace of the largest electricity import meter, from its registers to a line of this statement.

Every number between the registers and the line of the inventory stands here with how it follows from those above it.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from parkcarbon.books.facts import PointFact
from parkcarbon.books.working.energy import Asked, energy_figure
from parkcarbon.domain.factors import FactorMatch
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.working import TOLERANCE, Figure
from parkcarbon.statement.compose.context import Context
from parkcarbon.statement.compose.lines import Booked, book_of, mass_of
from parkcarbon.statement.compose.wording.blocks import (
    EMPTY,
    left,
    line,
    local,
    plain_cell,
    right,
    say,
    table,
    text_cell,
)
from parkcarbon.statement.compose.wording.words import MATCHES, NO_DATA, slug
from parkcarbon.statement.record import Basis, Block, Cell, Formula, Line, Op, Section, Text
from parkcarbon.statement.sheet import plain, tonnes, words

_HEAD: Final = Text("逐步追溯：从表底到本声明", "One worked trace: from registers to this statement")
_OPS: Final[Mapping[str, Op]] = {
    "sum": "sum",
    "difference": "difference",
    "product": "product",
    "quotient": "quotient",
}
_SPANS: Final = 3
"""Stretches of registers that are shown down to the registers."""

_MOST: Final = 30
"""Stretches that have a row; what lies beyond is one row."""

_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_NANO: Final = Decimal("1e-9")


async def trace(context: Context) -> Section:
    """The trace, or why there is none."""
    chosen = largest(context)
    if chosen is None:
        return Section("trace", _HEAD, (say(NO_DATA.zh, NO_DATA.en), _why_none()))
    fact, amount = chosen
    asked = Asked(context.session, context.facts, context.period, current=False)
    figure = await energy_figure(asked, fact, amount)
    rows = _Rows(context)
    energy = rows.add(_cut(figure.terms[0] if len(figure.terms) == 1 else figure), "trace")
    book = await book_of(context)
    booked = next((one for one in book.groups["s2.location"] if one.line.source == fact.point), None)
    blocks: list[Block] = [
        say(
            f"所选电表：{fact.point}，本期下网电量最大者（同量时取名称在前者）。",
            f"The meter: {fact.point}, with the largest grid import of the period (of equal ones the first by name).",
        ),
        table(
            "trace.working",
            ("表底 → 电量 → 因子 → 排放", "Registers → energy → factor → emissions"),
            (
                left("步骤", "step", 2.6),
                left("算法", "operation", 0.9),
                right("数值", "value", "", 1.3),
                left("单位", "unit", 0.9),
                left("来源", "where it comes from", 2.6),
            ),
            [*rows.lines, *_emissions(context, energy, booked, amount)],
        ),
        say(
            "批次以来源、启动标识、序号命名；其帧的摘要在证据包中可查。",
            "A batch is named by its source, boot and number; the digest of its frame can be looked up in the evidence"
            " pack.",
            "note",
        ),
    ]
    return Section("trace", _HEAD, tuple(blocks))


def _why_none() -> Block:
    return say(
        "本期没有任何下网电表有读数，无法追溯。",
        "No meter of grid import has any reading in this period: there is nothing to trace.",
        "note",
    )


def largest(context: Context) -> tuple[PointFact, PointAmount] | None:
    """The electricity import meter that counted most; None: none is known."""
    facts = {fact.point: fact for fact in context.facts.metered("import") if fact.carrier == "electricity"}
    known = [amount for amount in context.inputs.points if amount.point in facts and amount.known]
    if not known:
        return None
    chosen = min(known, key=lambda amount: (-amount.amount_micro, amount.point))
    return facts[chosen.point], chosen


def _cut(figure: Figure) -> Figure:
    """The tree with few stretches shown down to registers, and very many of them as one row."""
    if figure.name != "registers":
        return replace(figure, terms=tuple(_cut(term) for term in figure.terms))
    terms = [term if at < _SPANS else _leaf(term) for at, term in enumerate(figure.terms)]
    if len(terms) > _MOST:
        rest = sum((Decimal(repr(term.value or 0.0)) for term in figure.terms[_MOST:]), Decimal(0))
        count = len(terms) - _MOST
        more = Figure(
            "other_stretches",
            float(rest),
            figure.unit,
            label_zh=f"其余 {count} 段之和",
            label_en=f"sum of {count} more stretches",
            source={"kind": "interval"},
        )
        terms = [*terms[:_MOST], more]
    return replace(figure, terms=tuple(terms))


def _leaf(figure: Figure) -> Figure:
    return replace(figure, operation="given", terms=(), source={"kind": "interval"})


class _Rows:
    """Rows of the working, from the registers up; each number is a figure."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.lines: list[Line] = []

    def add(self, figure: Figure, path: str) -> str:
        """Enter a figure after what it follows from, and return its id."""
        name = f"{path}.{slug(figure.name)}"
        terms = list(enumerate(figure.terms, 1))
        if figure.operation == "difference":
            terms.reverse()  # the earlier register is read first
        ids = {at: self.add(term, f"{name}.{at}") for at, term in terms}
        parts = [ids[at] for at in sorted(ids)]
        sheet = self._context.sheet
        value = None if figure.value is None else Decimal(repr(figure.value))
        op = _OPS.get(figure.operation)
        places = _places(value, figure)
        unit = "" if figure.unit == "1" else figure.unit
        if op is None or value is None or not parts:
            cell = sheet.put(name, value, unit, places, basis=_basis(figure), rule=figure.rule)
        else:
            within = max(Decimal(repr(figure.within)), Decimal(repr(TOLERANCE)) * max(abs(value), Decimal(1)))
            within = min(within, len(parts) * Decimal(5).scaleb(-places - 1))  # what a reader can see counts
            formula = Formula(op, tuple(parts))
            cell = sheet.put(name, value, unit, places, formula=formula, within=plain(within), rule=figure.rule)
        zh, en = (self._at_local_time(text) for text in figure.labels)
        label = words(zh or figure.name, en or figure.name)
        self.lines.append(
            line(self._register(figure) or label, _operation(op, parts), cell, plain_cell(unit), self._whence(figure))
        )
        return name

    def _at_local_time(self, text: str) -> str:
        return _UTC.sub(lambda found: _local(self._context, found[0]), text)

    def _register(self, figure: Figure) -> Cell | None:
        """A register as it was shown, at local time."""
        source = figure.source
        if source.get("kind") != "register":
            return None
        at = _local(self._context, str(source["time"]))
        return words(f"表底 {at}", f"register at {at}")

    def _whence(self, figure: Figure) -> Cell:
        """Batch of a register, meter of a ratio, number of readings of an interval file."""
        source = figure.source
        batch = source.get("batch")
        if source.get("kind") == "register" and isinstance(batch, Mapping):
            found: Mapping[str, Any] = batch
            return plain_cell(f"{found['source']}/{found['boot']}/{found['seq']} {str(found['digest'])[:16]}")
        if source.get("kind") == "register":
            return words("园区文件或更正中声明", "declared in the park document or by a correction")
        if source.get("kind") == "setting" and "serial" in source:
            return words(f"电表 {source['serial'] or '–'}", f"meter {source['serial'] or '–'}")
        if figure.operation == "sum_product":
            count = len(next(iter(figure.columns.values()), ()))
            return words(f"{count} 条读数", f"{count} readings of its interval file")
        if source.get("kind") == "substitution":
            return words(
                f"替代 {source['substitution']}（规则 {source['rule']}）",
                f"substitution {source['substitution']} (rule {source['rule']})",
            )
        return EMPTY


def _local(context: Context, text: str) -> str:
    return local(dt.datetime.fromisoformat(text), context.facts.zone)


def _basis(figure: Figure) -> Basis:
    kinds: Mapping[object, Basis] = {"setting": "setting", "substitution": "entered"}
    return kinds.get(figure.source.get("kind"), "registers")


def _places(value: Decimal | None, figure: Figure) -> int:
    """Registers and ratios as they are, at most six decimals; what follows from them three."""
    if value is None or figure.terms:
        return 3
    exponent = value.normalize().as_tuple().exponent
    return min(max(-exponent if isinstance(exponent, int) else 0, 0), 6)


_SIGNS: Final[Mapping[Op, tuple[str, str]]] = {
    "sum": ("求和", "sum"),
    "difference": ("相减", "difference"),
    "product": ("相乘", "product"),
    "quotient": ("相除", "quotient"),
}


def _operation(op: Op | None, parts: list[str]) -> Cell:
    return words(*_SIGNS[op]) if op is not None and parts else EMPTY


def _emissions(context: Context, energy: str, booked: Booked | None, amount: PointAmount) -> Iterator[Line]:
    """Factor, kilograms, tonnes, and the line of this statement."""
    if booked is None:
        yield line(
            words("该电表没有清单行（无因子）", "no line of the inventory rests on it: it has no factor"), *[EMPTY] * 4
        )
        return
    sheet, found, name = context.sheet, booked.line, booked.name
    record = ", ".join(dict.fromkeys(match.factor.factor for match in found.factors))
    match = next((text_cell(_factor(one)) for one in found.factors), plain_cell(record))
    mass = mass_of(found)
    unit = f"{mass}/{found.activity_unit}"
    word = words("排放因子", "emission factor") if booked.by_product else words("平均因子", "mean factor")
    yield line(word, EMPTY, Cell(figure=f"{name}.factor"), plain_cell(unit), match)
    kilograms = tonnes(found.co2e_nano_kg)
    assert kilograms is not None  # noqa: S101 - a line has emissions
    kilograms = kilograms.scaleb(3)
    within = _NANO * (amount.intervals + 1) + abs(kilograms) * Decimal("1e-12")
    formula = Formula("product", (energy, f"{name}.factor"))
    half = Decimal(sheet.figures[f"{name}.factor"].value or 0) * Decimal("0.0000005")
    cell = sheet.put(
        "trace.kg",
        kilograms,
        mass,
        3,
        formula=formula,
        within=plain(within + half),
        explain=f"line:{found.source}",
    )
    yield line(words("排放", "emissions"), words(*_SIGNS["product"]), cell, plain_cell(mass), EMPTY)
    cell = sheet.follow("trace.t", Formula("product", ("trace.kg",), "0.001"), "t CO2e", 6)
    yield line(words("排放", "emissions"), plain_cell("÷ 1000"), cell, plain_cell("t CO2e"), EMPTY)
    where = words("“范围二”一页：基于位置的该行", "page “Scope 2”: this line, location-based")
    yield line(
        words("本声明中的该行", "the line of this statement"),
        EMPTY,
        Cell(figure=name),
        plain_cell("t CO2e"),
        where,
        style="total",
    )


def _factor(match: FactorMatch) -> Text:
    factor = match.factor
    how = MATCHES[match.match]
    year = "–" if factor.data_year is None else str(factor.data_year)
    return Text(
        f"{factor.factor}，{factor.publisher}，数据年份 {year}，{how.zh}",
        f"{factor.factor}, {factor.publisher}, data year {year}, {how.en}",
    )
