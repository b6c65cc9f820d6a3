"""The figures of the invented park: entered amounts, and what follows from them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from parkcarbon.statement.record import Basis, Formula
from parkcarbon.statement.sheet import Sheet

GATES: Final = (
    ("g1", "一号关口表", "gate meter 1", "1873204.68"),
    ("g2", "二号关口表", "gate meter 2", "2214870.125"),
    ("g3", "三号关口表", "gate meter 3", "724270.5"),
)
FLOWS: Final = (
    ("export", "上网电量", "grid export", "86412.75"),
    ("generation", "发电量", "generation", "412908.375"),
    ("charge", "充电量", "charge", "61240.5"),
    ("discharge", "放电量", "discharge", "55116.45"),
)
TENANTS: Final = tuple(
    (f"t{number:02d}", f"租户 {number:02d}", f"tenant {number:02d}", kwh)
    for number, kwh in enumerate(
        (
            "512384.25", "438217.5", "1021450.75", "87420.125", "305118.5", "264009.25",
            "198730.65", "642187.35", "77215.045", "391846.5", "154327.75", "483902.15",
        ),
        start=1,
    )
)  # fmt: skip
FUELS: Final = (
    ("boiler1", "一号锅炉", "boiler 1", "18.2476"),
    ("boiler2", "二号锅炉", "boiler 2", "9.7315"),
    ("canteen", "食堂", "canteen", "0.84125"),
    ("dryer", "烘干线", "drying line", "2.42785"),
)
GASES: Final = (("co2", "21.6219"), ("ch4", "0.0105"), ("n2o", "0.010241"))
LOTS: Final = (
    ("gec1", "GEC-2026-06-0001…0480", "480"),
    ("gec2", "GEC-2026-07-1201…1560", "360"),
    ("gec3", "GEC-2026-08-0088…0327", "240"),
    ("gec4", "GEC-2026-09-0500…0619", "120"),
)
CREDITS: Final = (("ccer1", "CCER-0412-000001…001500", "1500"), ("ccer2", "CCER-0977-020001…021400", "1400"))
MONTHS: Final = tuple(f"{2025 + (10 + step) // 12}-{(10 + step) % 12 + 1:02d}" for step in range(12))
CARRIERS: Final = (
    ("electricity", "电力", "electricity", "44640", "44513"),
    ("gas", "天然气", "natural gas", "2976", "2976"),
    ("heat", "热力", "heat", "744", "731"),
)
SUBSTITUTIONS: Final = (("m-t07", "41.5", "-0.118"), ("m-t09", "12", "0.0655"), ("h-01", "13", "1.43"))


@dataclass(slots=True)
class Scene:
    """A sheet in the making.

    Attributes:
        sheet: figures.
        empty: nothing is known but factors.
        correction: what a re-issue adds to the third tenant [kWh].
    """

    sheet: Sheet
    empty: bool
    correction: Decimal = Decimal(0)

    def known(
        self, name: str, value: str | Decimal | None, unit: str, places: int, *, basis: Basis = "registers"
    ) -> None:
        """Enter an amount that is measured or entered."""
        amount = None if self.empty or value is None else Decimal(value)
        explain = name if basis == "registers" else ""
        self.sheet.put(name, amount, unit, places, basis=basis, explain=explain)

    def factor(self, name: str, value: str, unit: str, places: int) -> None:
        """Enter a factor: known in an empty month too."""
        self.sheet.put(name, value, unit, places, basis="factor", rule="1.5")

    def total(self, name: str, parts: list[str], unit: str, places: int) -> None:
        self.sheet.total(name, parts, unit, places)

    def less(self, name: str, parts: list[str], unit: str, places: int) -> None:
        self.sheet.follow(name, Formula("difference", tuple(parts)), unit, places)

    def times(self, name: str, parts: list[str], unit: str, places: int, scale: str = "1") -> None:
        self.sheet.follow(name, Formula("product", tuple(parts), scale), unit, places)

    def ratio(self, name: str, part: str, whole: str, *, unit: str = "%", places: int = 1, scale: str = "100") -> None:
        self.sheet.follow(name, Formula("quotient", (part, whole), scale), unit, places)


def figures_of(scene: Scene) -> None:
    """Enter every figure of the month."""
    _factors(scene)
    _energy(scene)
    _sources(scene)
    _scope2(scene)
    _totals(scene)
    _tenants(scene)
    _history(scene)
    _outside(scene)
    _quality(scene)
    _trace(scene)


def _factors(scene: Scene) -> None:
    scene.factor("factor.location", "0.5978", "kgCO2/kWh", 4)
    scene.factor("factor.remainder", "0.6096", "kgCO2/kWh", 4)
    scene.factor("factor.heat", "0.11", "tCO2/GJ", 2)
    scene.factor("factor.gj", "0.0036", "GJ/kWh", 4)
    scene.factor("factor.calorific", "0.1229", "kgce/kWh", 4)
    scene.factor("factor.equal", "0.3025", "kgce/kWh", 4)
    scene.factor("factor.park", "0.8325", "kgCO2/kWh", 4)
    scene.factor("factor.margin", "0.61445", "tCO2/MWh", 5)
    scene.factor("gwp.co2", "1", "kg CO2e/kg", 0)
    scene.factor("gwp.ch4", "27.9", "kg CO2e/kg", 1)
    scene.factor("gwp.n2o", "273", "kg CO2e/kg", 0)
    scene.factor("gwp.r410a", "2255.5", "kg CO2e/kg", 1)
    for gas, value in GASES:
        scene.factor(f"factor.gas.{gas}", value, f"t {gas.upper()}/10⁴ Nm³", 4 if gas == "co2" else 6)


def _energy(scene: Scene) -> None:
    for gate, _, _, kwh in GATES:
        scene.known(f"energy.{gate}.kwh", kwh, "kWh", 0)
    scene.total("energy.import.kwh", [f"energy.{gate}.kwh" for gate, *_ in GATES], "kWh", 0)
    for flow, _, _, kwh in FLOWS:
        scene.known(f"energy.{flow}.kwh", kwh, "kWh", 0)
    scene.less("energy.storage_loss.kwh", ["energy.charge.kwh", "energy.discharge.kwh"], "kWh", 0)
    scene.less("energy.self_used.kwh", ["energy.generation.kwh", "energy.export.kwh"], "kWh", 0)
    scene.total("energy.load.kwh", ["energy.import.kwh", "energy.self_used.kwh"], "kWh", 0)
    lines = [gate for gate, *_ in GATES] + [flow for flow, *_ in FLOWS]
    for line in [*lines, "import", "storage_loss", "self_used", "load"]:
        scene.times(f"energy.{line}.gj", [f"energy.{line}.kwh", "factor.gj"], "GJ", 1)
        for word in ("calorific", "equal"):
            name = f"energy.{line}.tce_{word}"
            scene.times(name, [f"energy.{line}.kwh", f"factor.{word}"], "tce", 2, scale="0.001")
    scene.ratio("energy.self_consumption", "energy.self_used.kwh", "energy.generation.kwh")
    scene.ratio("energy.self_sufficiency", "energy.self_used.kwh", "energy.load.kwh")
    for number, (gate, _, _, kwh) in enumerate(GATES):
        billed = None if gate == "g3" else Decimal(kwh) + Decimal("1204.5") * (1 - 2 * number)
        scene.known(f"bill.{gate}.kwh", billed, "kWh", 0, basis="entered")
        scene.less(f"bill.{gate}.difference", [f"energy.{gate}.kwh", f"bill.{gate}.kwh"], "kWh", 0)
        scene.ratio(f"bill.{gate}.share", f"bill.{gate}.difference", f"bill.{gate}.kwh", places=2)


def _sources(scene: Scene) -> None:
    for fuel, _, _, amount in FUELS:
        scene.known(f"source.{fuel}.amount", amount, "10⁴ Nm³", 4)
        for gas, _ in GASES:
            mass = f"source.{fuel}.{gas}_kg"
            scene.times(mass, [f"source.{fuel}.amount", f"factor.gas.{gas}"], f"kg {gas.upper()}", 1, scale="1000")
            scene.times(f"source.{fuel}.{gas}", [mass, f"gwp.{gas}"], "t CO2e", 2, scale="0.001")
        scene.total(f"source.{fuel}.total", [f"source.{fuel}.{gas}" for gas, _ in GASES], "t CO2e", 1)
    scene.known("source.cooling.amount", "4.35", "kg", 2, basis="entered")
    scene.times("source.cooling.total", ["source.cooling.amount", "gwp.r410a"], "t CO2e", 1, scale="0.001")
    scene.known("source.diesel.amount", None, "t", 3, basis="entered")
    scene.known("source.diesel.total", None, "t CO2e", 1, basis="entered")
    for gas, _ in GASES:
        scene.total(f"gas.{gas}.total", [f"source.{fuel}.{gas}" for fuel, *_ in FUELS], "t CO2e", 1)
    names = [f"source.{fuel}.total" for fuel, *_ in FUELS] + ["source.cooling.total"]
    scene.total("s1.total", names, "t CO2e", 1)
    for name in names:
        scene.ratio(name.replace(".total", ".share"), name, "s1.total")


def _scope2(scene: Scene) -> None:
    for lot, _, mwh in LOTS:
        scene.known(f"instrument.{lot}.mwh", mwh, "MWh", 0, basis="ledger")
        scene.times(f"instrument.{lot}.kwh", [f"instrument.{lot}.mwh"], "kWh", 0, scale="1000")
    scene.total("instrument.covered.kwh", [f"instrument.{lot}.kwh" for lot, *_ in LOTS], "kWh", 0)
    scene.less("s2.remainder.kwh", ["energy.import.kwh", "instrument.covered.kwh"], "kWh", 0)
    for gate, *_ in GATES:
        parts = [f"energy.{gate}.kwh", "factor.location"]
        scene.times(f"s2.location.{gate}", parts, "t CO2", 1, scale="0.001")
    scene.times("s2.market.remainder", ["s2.remainder.kwh", "factor.remainder"], "t CO2", 1, scale="0.001")
    scene.known("heat.gj", "3120.45", "GJ", 1)
    scene.times("s2.heat", ["heat.gj", "factor.heat"], "t CO2", 1)
    scene.total("s2.location.total", [*(f"s2.location.{gate}" for gate, *_ in GATES), "s2.heat"], "t CO2", 1)
    scene.total("s2.market.total", ["s2.market.remainder", "s2.heat"], "t CO2", 1)


def _totals(scene: Scene) -> None:
    for basis, half in (("location", "38.7"), ("market", "31.25")):
        scene.total(f"s12.{basis}.total", ["s1.total", f"s2.{basis}.total"], "t CO2e", 1)
        scene.known(f"s12.{basis}.halfwidth", half, "t CO2e", 0, basis="computed")
        scene.ratio(f"s12.{basis}.halfwidth_pct", f"s12.{basis}.halfwidth", f"s12.{basis}.total")
    scene.less("bridge.contracts", ["s2.market.total", "s2.location.total"], "t CO2e", 1)
    for lot, _, tonnes in CREDITS:
        scene.known(f"credits.{lot}.t", tonnes, "t CO2e", 1, basis="ledger")
    scene.total("credits.retired", [f"credits.{lot}.t" for lot, *_ in CREDITS], "t CO2e", 1)
    scene.times("bridge.credits", ["credits.retired"], "t CO2e", 1, scale="-1")
    scene.less("verdict.short", ["s12.market.total", "credits.retired"], "t CO2e", 1)


def _tenants(scene: Scene) -> None:
    for tenant, _, _, kwh in TENANTS:
        more = scene.correction if tenant == "t03" else Decimal(0)
        scene.known(f"tenant.{tenant}.kwh", Decimal(kwh) + more, "kWh", 0)
    scene.total("tenant.all.kwh", [f"tenant.{tenant}.kwh" for tenant, *_ in TENANTS], "kWh", 0)
    scene.less("tenant.rest.kwh", ["energy.load.kwh", "tenant.all.kwh"], "kWh", 0)
    scene.ratio("s2.market.rate", "s2.market.remainder", "energy.load.kwh", unit="kgCO2/kWh", places=4, scale="1000")
    names = [tenant for tenant, *_ in TENANTS] + ["rest"]
    for tenant in names:
        scene.ratio(f"tenant.{tenant}.share", f"tenant.{tenant}.kwh", "energy.load.kwh", places=2)
        scene.times(f"tenant.{tenant}.t", [f"tenant.{tenant}.kwh", "s2.market.rate"], "t CO2", 2, scale="0.001")
    scene.total("tenant.sum.t", [f"tenant.{tenant}.t" for tenant in names], "t CO2", 1)
    scene.less("tenant.elimination", ["s2.market.remainder", "tenant.sum.t"], "t CO2", 1)


def _history(scene: Scene) -> None:
    for number, month in enumerate(MONTHS):
        total = Decimal("3418.65") - Decimal("21.35") * number + Decimal(number * number % 7) * Decimal("9.05")
        empty = number == 3
        scene.known(f"trend.{month}.t", None if empty else total, "t CO2e", 1, basis="context")
        scene.known(f"trend.{month}.plan", Decimal(3300) - 10 * number, "t CO2e", 1, basis="context")
        scene.less(f"trend.{month}.over", [f"trend.{month}.t", f"trend.{month}.plan"], "t CO2e", 1)
        scene.ratio(f"trend.{month}.over_pct", f"trend.{month}.over", f"trend.{month}.plan")
    scene.known("budget.year.t", "38900", "t CO2e", 0, basis="setting")
    scene.known("budget.used.t", "32471.85", "t CO2e", 1, basis="context")
    scene.less("budget.left.t", ["budget.year.t", "budget.used.t"], "t CO2e", 1)
    scene.ratio("budget.used.share", "budget.used.t", "budget.year.t")


def _outside(scene: Scene) -> None:
    scene.times("outside.export.mwh", ["energy.export.kwh"], "MWh", 3, scale="0.001")
    scene.times("outside.avoided.t", ["outside.export.mwh", "factor.margin"], "t CO2", 1)
    scene.times("park910.electricity.t", ["s2.remainder.kwh", "factor.park"], "t CO2", 1, scale="0.001")
    scene.total("park910.total.t", ["park910.electricity.t", "gas.co2.total", "s2.heat"], "t CO2", 1)
    scene.ratio("park910.indicator", "park910.total.t", "energy.load.tce_equal", unit="t CO2/tce", places=3, scale="1")
    scene.known("s3.total", None, "t CO2e", 1, basis="entered")


def _quality(scene: Scene) -> None:
    for carrier, _, _, expected, measured in CARRIERS:
        scene.known(f"quality.{carrier}.expected", expected, "h", 0, basis="computed")
        scene.known(f"quality.{carrier}.measured", measured, "h", 0, basis="computed")
        scene.ratio(
            f"quality.{carrier}.completeness", f"quality.{carrier}.measured", f"quality.{carrier}.expected", places=2
        )
    for meter, hours, effect in SUBSTITUTIONS:
        scene.known(f"substitution.{meter}.hours", hours, "h", 1, basis="entered")
        scene.known(f"substitution.{meter}.t", effect, "t CO2", 3, basis="computed")
    scene.total("substitution.all.t", [f"substitution.{meter}.t" for meter, *_ in SUBSTITUTIONS], "t CO2", 2)


def _trace(scene: Scene) -> None:
    scene.known("trace.end", "90412.725", "kWh", 3)
    scene.known("trace.begin", "89565.3", "kWh", 3)
    scene.less("trace.registers", ["trace.end", "trace.begin"], "kWh", 3)
    scene.known("trace.ratio", "400", "1", 0, basis="setting")
    scene.times("trace.kwh", ["trace.registers", "trace.ratio"], "kWh", 1)
    scene.times("trace.kg", ["trace.kwh", "factor.location"], "kg CO2", 3)
    scene.times("trace.t", ["trace.kg"], "t CO2", 1, scale="0.001")
