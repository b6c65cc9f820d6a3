"""Figures that other parts of the books explain: instruments, other methods, balance, tenants, indicators."""

from collections.abc import Mapping
from typing import Final, TypeVar

from parkcarbon.books.indicators.figures import INDICATORS, indicator_figure
from parkcarbon.books.instruments.claims import gap_for
from parkcarbon.books.inventory import result_of
from parkcarbon.books.quality import substitutions
from parkcarbon.books.quality.balance import balances, behind_connections
from parkcarbon.books.quality.balance_figures import balance_figure, storage_figure, unmetered_figure
from parkcarbon.books.quality.reconcile import storage_of
from parkcarbon.books.tenants.figures import allocation_figure, entity_figure
from parkcarbon.books.tenants.views import allocation_of, entities_of
from parkcarbon.books.working.lines import Scene, flow_figure
from parkcarbon.domain.balance.hourly import Balance
from parkcarbon.domain.factors import NoFactorError
from parkcarbon.domain.instruments.figures import cover_figure, credits_figure, gap_figure, void_figure
from parkcarbon.domain.inventory import electricity_micro_kwh
from parkcarbon.domain.methods.figures import method_figure
from parkcarbon.domain.methods.result import MethodResult
from parkcarbon.domain.tenancy.entity import BASES
from parkcarbon.domain.tenancy.views import TOTALS, Total
from parkcarbon.domain.working import Figure, computed

T = TypeVar("T")

_WITH_PARTS: Final = frozenset({"duty", "budget", "intensity", "compare"})
"""Indicators whose names go on: of which tenant, budget, product, year."""

_KWH_PER: Final = {"kWh": 1.0, "MWh": 1000.0}


def known(scene: Scene) -> dict[str, list[str]]:
    """What stands behind the colons of these figures in a period."""
    document = scene.facts.document
    return {
        "connection": [behind.connection.connection for behind in behind_connections(scene.facts)],
        "storage": [store.storage for store in document.storage],
        "tenant": [tenant.tenant for tenant in document.tenants],
        "total": list(TOTALS) if document.entities else [],
        "indicator": [name for name in INDICATORS if name not in _WITH_PARTS],
    }


async def purchased(scene: Scene) -> Figure:
    """Purchased electricity: metered import and what was entered."""
    total = electricity_micro_kwh(scene.inputs.points, scene.inputs.activities, scene.asked.period.label)["import"]
    entered = [
        Figure(
            activity.name,
            activity.amount * _KWH_PER[activity.unit],
            "kWh",
            source={"kind": "entry", "entry": activity.activity, "evidence": activity.evidence},
        )
        for activity in scene.inputs.activities
        if (activity.kind, activity.direction) == ("electricity", "received")
    ]
    metered = await flow_figure(scene, "import")
    terms = [metered, *entered] if metered.value is not None or not entered else entered
    if total is None:
        return Figure("purchased", None, "kWh", label_zh="外购电量", notes=metered.notes)
    return computed(
        "purchased", "sum", "kWh", *terms, label_zh="外购电量", label_en="purchased electricity", rule="5.2"
    )


async def cover(scene: Scene, _: str) -> Figure:
    """Purchased electricity that no certificate covers."""
    return cover_figure(scene.inputs.cover, await purchased(scene))


async def void(scene: Scene, _: str) -> Figure:
    """Self-used generation whose certificates were sold."""
    flows = {point.flow for point in scene.facts.metered() if point.carrier == "electricity"}
    generated = await flow_figure(scene, "generation")
    exported = [await flow_figure(scene, "export")] if "export" in flows else []
    return void_figure(scene.inputs.cover, computed("self_used", "difference", "kWh", generated, *exported))


def shortfall(scene: Scene, total_market: Figure) -> Figure:
    """What is left of the market-based total after retired credits."""
    return credits_figure(scene.inputs.cover, total_market)


async def gap(scene: Scene, _: str) -> Figure:
    """What closing the gap would cost."""
    found, _inventory = await gap_for(
        scene.asked.session, scene.facts.park, scene.asked.period.label, now=scene.now, as_of=scene.as_of
    )
    return gap_figure(found)


async def gbt32150(scene: Scene, _: str) -> Figure:
    """Emissions by GB/T 32150, delivered power and heat subtracted on lines of their own."""
    return _other_method(scene, "gbt32150")


async def zcp910(scene: Scene, _: str) -> Figure:
    """Emissions of the national park indicator."""
    return _other_method(scene, "zcp910")


def _other_method(scene: Scene, name: str) -> Figure:
    """The sum of a profile beside `ghgp`; its own number, never added to another."""
    try:
        result = result_of(scene.inputs, name, final=scene.inventory.final)
    except NoFactorError as reason:
        return Figure(name, None, "kgCO2", notes=(str(reason),))
    if not isinstance(result, MethodResult):
        raise TypeError(f"{name} has no sum of its own")
    return method_figure(name, result)


async def balance(scene: Scene, name: str) -> Figure:
    """Supply less metered uses of the known hours of a connection point."""
    return balance_figure(await _balance(scene, name))


async def unmetered_pct(scene: Scene, name: str) -> Figure:
    """What is unmetered at a connection point in percent."""
    return unmetered_figure(await _balance(scene, name))


async def _balance(scene: Scene, name: str) -> Balance:
    period = scene.asked.period
    found = await balances(scene.asked.session, scene.facts, period.from_ms, period.to_ms)
    return _one({item.connection: item for item in found}, name, "connection point")


async def storage(scene: Scene, name: str) -> Figure:
    """The loss of a store."""
    found = await storage_of(scene.asked.session, scene.facts, scene.asked.period.from_ms, scene.asked.to_ms)
    return storage_figure(_one({item.storage.storage: item for item in found}, name, "storage"))


async def tenant(scene: Scene, name: str) -> Figure:
    """A tenant's share of a total of the park: `tenant` or `tenant:total`."""
    who, _, total = name.partition(":")
    allocation = await allocation_of(scene.asked.session, scene.facts, scene.asked.period, scene.inventory)
    return allocation_figure(allocation, who, _total(total or "scope2_location"))


async def entity(scene: Scene, name: str) -> Figure:
    """The entities' own totals less what stands twice: `total` or `total:basis`."""
    total, _, basis = name.partition(":")
    view = await entities_of(scene.asked.session, scene.facts, scene.asked.period, scene.inventory)
    return entity_figure(view, _total(total), basis or BASES[0])


def _total(name: str) -> Total:
    return _one({total: total for total in TOTALS}, name, "total")


async def substitution(scene: Scene, name: str) -> Figure:
    """A substitution with its amounts by interval and what they rest on."""
    if not name.isdigit():
        raise LookupError(f"{name!r} is no number of a substitution")
    return await substitutions.figure_of(scene.asked.session, scene.facts.park, int(name))


async def indicator(scene: Scene, name: str) -> Figure:
    """An indicator; names with parts of their own go on behind another colon."""
    return await indicator_figure(
        scene.asked.session, scene.facts.park, name, scene.asked.period.label, now=scene.now, as_of=scene.as_of
    )


def _one(found: Mapping[str, T], name: str, what: str) -> T:
    if name not in found:
        raise LookupError(f"there is no {what} {name!r}; there are {', '.join(found) or 'none'}")
    return found[name]
