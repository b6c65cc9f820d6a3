"""Any figure of a period, explained: a tree from the figure down to registers, entries and factor records.

Each area gives figures under names or prefixes of its own; `FIGURES` is the list of them. What is not known is None
with the reason, never zero.
"""

import datetime as dt
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from parkcarbon.books.facts import QUERIES
from parkcarbon.books.inventory import inventory_of, load_inputs
from parkcarbon.books.periods.closing import frozen
from parkcarbon.books.workbook.workbook import About
from parkcarbon.books.working import areas
from parkcarbon.books.working.energy import Asked, intervals_figure
from parkcarbon.books.working.lines import Scene, backings, flow_figure, period_document, point_figure
from parkcarbon.books.working.quality import completeness_figure
from parkcarbon.domain.inventory_figures import NOTHING, scope_figure, total_figure
from parkcarbon.domain.methods.lines import Line, Scope
from parkcarbon.domain.working import Figure, check, computed
from parkcarbon.kit.db import Session

Build: TypeAlias = Callable[[Scene, str], Awaitable[Figure]]


@dataclass(frozen=True, slots=True)
class Explained:
    """A figure, or a family of figures `prefix:name`.

    Attributes:
        name: of the figure, or the prefix.
        zh: what it is.
        en: the same.
        of: what stands behind the prefix, for example `point`; empty: there is one.
        build: makes it; its second argument is what stands behind the colon.
    """

    name: str
    zh: str
    en: str
    build: Build
    of: str = ""

    def document(self) -> dict[str, object]:
        """As the list of figures gives it."""
        pattern = f"{self.name}:<{self.of}>" if self.of else self.name
        return {"figure": pattern, "label": {"zh": self.zh, "en": self.en}}


async def explain(
    session: Session, park: str, figure: str, period: str, *, now: dt.datetime, as_of: dt.datetime | None = None
) -> Figure:
    """Explain a figure.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        park: id.
        figure: a name of `FIGURES`, or `prefix:name`.
        period: `2026-03` or `2026`.
        now: time of now.
        as_of: moment of knowledge; None: now.

    Raises:
        LookupError: there is no such park or figure, or nothing of that name in it.
        RefusedError: no such period, one that had not begun, or an `as_of` that is too new.
    """
    kind, name = find(figure)
    scene = await open_scene(session, park, period, now=now, as_of=as_of)
    found = await kind.build(scene, name)
    wrong = check(found)
    kept, told = await _as_frozen(scene)
    notes = (*found.notes, *(f"working does not hold: {line}" for line in wrong), *_unknown(found), *told)
    return replace(found, source={**found.source, "rests_on": period_document(scene) | kept}, notes=notes)


async def _as_frozen(scene: Scene) -> tuple[dict[str, object], list[str]]:
    """Of a closed period: what was frozen, and whether its figures are still what is computed now."""
    inventory, facts = scene.inventory, scene.facts
    kept = None
    if inventory.final:
        kept = await frozen(scene.asked.session, facts.park, inventory.period, as_of=facts.as_of)
    if kept is None:
        return {}, []
    same = _sums(json.loads(kept.body)) == _sums(json.loads(inventory.to_bytes()))
    document: dict[str, object] = {
        "frozen_version": kept.version,
        "frozen_sha256": kept.digest.hex(),
        "frozen_as_of": kept.as_of.isoformat(),
        "as_frozen": same,
    }
    if same:
        return document, []
    note = (
        f"{inventory.period} is closed as version {kept.version} with other figures: explain it as of"
        f" {kept.as_of.isoformat()} to see those; what came later is the difference of the period"
    )
    return document, [note]


def _sums(document: Mapping[str, Any]) -> list[object]:
    """The figures of an inventory, without how well they are known."""
    return [(line["source"], line["co2e_kg"]) for scope in document["scopes"] for line in scope["lines"]]


def _unknown(figure: Figure) -> list[str]:
    """Which leaves make a figure unknown that says nothing of it itself."""
    if figure.value is not None or figure.notes:
        return []
    leaves = [node.label_en or node.name for node in figure.walk() if node.value is None and not node.terms]
    return [f"not known: {', '.join(dict.fromkeys(leaves))}"]


def find(figure: str) -> tuple[Explained, str]:
    """The kind of a figure and what stands behind its colon.

    Raises:
        LookupError: there is no such figure.
    """
    prefix, _, name = figure.partition(":")
    kind = _BY_NAME.get(prefix)
    if kind is None or bool(kind.of) != bool(name):
        known = ", ".join(str(item.document()["figure"]) for item in FIGURES)
        raise LookupError(f"there is no figure {figure!r}; there are {known}")
    return kind, name


async def open_scene(
    session: Session, park: str, period: str, *, now: dt.datetime, as_of: dt.datetime | None = None
) -> Scene:
    """Load a period and its inventory.

    Raises:
        LookupError: there is no such park, or it was not known by then.
        RefusedError: no such period, or an `as_of` that is too new.
    """
    inputs = await load_inputs(session, park, period, now=now, as_of=as_of)
    closed = await session.fetchval(QUERIES["period_closed"], park, period, inputs.facts.as_of)
    inventory = inventory_of(inputs, final=bool(closed))
    asked = Asked(session, inputs.facts, inputs.period, current=as_of is None)
    return Scene(asked, inputs, inventory, now, as_of)


async def names(scene: Scene) -> list[dict[str, object]]:
    """Every figure of a period by its whole name: families with what stands behind their colon.

    Args:
        scene: of the period.
    """
    lines = [line for scope in (*scene.inventory.scopes, scene.inventory.scope3) for line in scope.lines]
    behind: dict[str, list[str]] = {
        "source": sorted({line.source for line in lines if line.basis != "market"}),
        "purchase": sorted({line.source for line in scene.inventory.scope(2, "market").lines}),
        "point": sorted(point.point for point in scene.facts.metered()),
        "flow": sorted({p.flow for p in scene.facts.metered() if p.carrier == "electricity" and p.flow}),
    }
    found: list[dict[str, object]] = []
    behind |= areas.known(scene)
    for item in FIGURES:
        labels = item.document()
        if not item.of:
            found.append(labels)
        found += [labels | {"figure": f"{item.name}:{name}"} for name in behind.get(item.of, [])]
    return found


def about_of(figure: Figure) -> About:
    """What the first sheet of a workbook says of an explained figure."""
    rests = figure.source.get("rests_on")
    facts: list[tuple[str, object]] = []
    if isinstance(rests, Mapping):
        facts = [(f"{_ABOUT.get(name, '')} {name}".strip(), _shown(value)) for name, value in rests.items()]
    return About("计算过程", "The working of a figure", facts=facts, notes=figure.notes)


_ABOUT: Final = {
    "park": "园区",
    "period": "期间",
    "known_on": "知悉时间",
    "as_of": "截至",
    "method_version": "方法版本",
    "gwp_set": "全球变暖潜势",
    "fuel_set": "燃料缺省值",
    "document_revision": "园区文件版本",
    "final": "已关账",
    "completeness_pct": "数据完整率",
    "states": "数据状态",
}


def _shown(value: object) -> object:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {100 * share:.6g} %" for name, share in value.items())
    return value


async def _scope(scene: Scene, name: str, scope: Scope) -> Figure:
    backing = await backings(scene, scope.lines)
    return scope_figure(name, scope, lambda line: backing.get(id(line), NOTHING))


async def _scope1(scene: Scene, _: str) -> Figure:
    return await _scope(scene, "scope1", scene.inventory.scope(1))


async def _location(scene: Scene, _: str) -> Figure:
    return await _scope(scene, "scope2_location", scene.inventory.scope(2, "location"))


async def _market(scene: Scene, _: str) -> Figure:
    return await _scope(scene, "scope2_market", scene.inventory.scope(2, "market"))


async def _scope3(scene: Scene, _: str) -> Figure:
    return await _scope(scene, "scope3", scene.inventory.scope(3))


async def _total_location(scene: Scene, _: str) -> Figure:
    return total_figure("total_location", await _scope1(scene, ""), await _location(scene, ""))


async def _total_market(scene: Scene, _: str) -> Figure:
    return total_figure("total_market", await _scope1(scene, ""), await _market(scene, ""))


async def _shortfall(scene: Scene, _: str) -> Figure:
    return areas.shortfall(scene, await _total_market(scene, ""))


async def _line(scene: Scene, name: str) -> Figure:
    inventory = scene.inventory
    scopes = (inventory.scope(1), inventory.scope(2, "location"), inventory.scope(3))
    return await _lines(scene, name, [line for scope in scopes for line in scope.lines if line.source == name])


async def _line_market(scene: Scene, name: str) -> Figure:
    scope = scene.inventory.scope(2, "market")
    return await _lines(scene, name, [line for line in scope.lines if line.source == name])


async def _lines(scene: Scene, name: str, lines: list[Line]) -> Figure:
    """The lines of one source; several where certificates cover a part of it."""
    if not lines:
        known = sorted({line.source for scope in scene.inventory.scopes for line in scope.lines})
        raise LookupError(f"there is no line {name!r}; there are {', '.join(known) or 'none'}")
    scope = Scope(lines[0].scope, lines[0].basis, tuple(lines))
    whole = await _scope(scene, f"line:{name}", scope)
    return whole.terms[0] if len(lines) == 1 else whole


async def _point(scene: Scene, name: str) -> Figure:
    return await point_figure(scene, name)


async def _intervals(scene: Scene, name: str) -> Figure:
    return replace(await intervals_figure(scene.asked, scene.point(name)), name=f"intervals:{name}")


async def _energy(scene: Scene, name: str) -> Figure:
    flows = {point.flow for point in scene.facts.metered() if point.carrier == "electricity" and point.flow}
    if name not in flows:
        raise LookupError(f"no electricity has the flow {name!r}; there are {', '.join(sorted(flows)) or 'none'}")
    return await flow_figure(scene, name)


async def _load(scene: Scene, _: str) -> Figure:
    """Load = import + generation + discharge - charge - export, of the flows that the park has."""
    flows = {point.flow for point in scene.facts.metered() if point.carrier == "electricity"}
    supply = [await flow_figure(scene, flow) for flow in ("import", "generation", "discharge") if flow in flows]
    drawn = [await flow_figure(scene, flow) for flow in ("charge", "export") if flow in flows]
    if not supply:
        return Figure("load", None, "kWh", notes=("neither import nor generation is metered",))
    total = computed("supply", "sum", "kWh", *supply, label_zh="供给", label_en="supply")
    return computed("load", "difference", "kWh", total, *drawn, rule="5.6")


async def _unmetered(scene: Scene, _: str) -> Figure:
    metered = await flow_figure(scene, "sub_meter")
    return computed("unmetered", "difference", "kWh", await _load(scene, ""), metered, rule="5.6")


async def _completeness(scene: Scene, _: str) -> Figure:
    return completeness_figure(scene.inputs.points)


FIGURES: Final = (
    Explained("scope1", "范围一（直接排放）", "scope 1 (direct)", _scope1),
    Explained("scope2_location", "范围二（基于位置）", "scope 2, location-based", _location),
    Explained("scope2_market", "范围二（基于市场）", "scope 2, market-based", _market),
    Explained("scope3", "范围三（其他间接排放）", "scope 3 (other indirect)", _scope3),
    Explained("total_location", "范围一加范围二（基于位置）", "scopes 1 and 2, location-based", _total_location),
    Explained("total_market", "范围一加范围二（基于市场）", "scopes 1 and 2, market-based", _total_market),
    Explained(
        "line",
        "清单行（其中范围二基于位置）",
        "a line of the inventory; one of scope 2 is location-based",
        _line,
        "source",
    ),
    Explained("line_market", "清单行（范围二基于市场）", "a line of scope 2, market-based", _line_market, "purchase"),
    Explained("point", "测点：逐时与表底", "a point by the hour and its registers", _point, "point"),
    Explained("intervals", "测点：15 分钟时段", "a point by intervals of 15 minutes", _intervals, "point"),
    Explained("energy", "电量（按流向）", "electricity of one flow", _energy, "flow"),
    Explained("load", "负荷", "load", _load),
    Explained("unmetered", "未计量及损耗", "unmetered and losses", _unmetered),
    Explained("completeness", "数据完整率", "data completeness", _completeness),
    Explained("cover", "未被证书覆盖的外购电量", "purchased electricity that no certificate covers", areas.cover),
    Explained("void", "绿证已售出的自用电量", "self-used generation whose certificates were sold", areas.void),
    Explained("shortfall", "缺口", "shortfall after retired credits, market-based", _shortfall),
    Explained("gap", "补足缺口费用", "cost of closing the gap", areas.gap),
    Explained("gbt32150", "GB/T 32150 口径排放", "emissions by GB/T 32150", areas.gbt32150),
    Explained("zcp910", "国家零碳园区口径排放", "emissions of the park indicator", areas.zcp910),
    Explained("balance", "能量平衡（接入点）", "balance of a connection point", areas.balance, "connection"),
    Explained(
        "unmetered_pct", "未计量及损耗占比", "unmetered share at a connection", areas.unmetered_pct, "connection"
    ),
    Explained("storage", "储能损耗", "loss of a store", areas.storage, "storage"),
    Explained("tenant", "租户分摊", "a tenant's share of a total (tenant, or tenant:total)", areas.tenant, "tenant"),
    Explained("entity", "法人实体与抵消", "entities less eliminations (total, or total:basis)", areas.entity, "total"),
    Explained("substitution", "替代", "a substitution by its number", areas.substitution, "number"),
    Explained("indicator", "指标", "an indicator by its name", areas.indicator, "indicator"),
)
"""Every figure that can be explained."""

PREFIXES: Final = tuple(item.document() for item in FIGURES)
"""The list of figures as it is given out."""

_BY_NAME: Final = {item.name: item for item in FIGURES}
