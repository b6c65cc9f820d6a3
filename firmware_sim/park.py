"""From a scenario to the devices of its park, and to the state of one simulated park on disk."""

from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from msgspec import Struct

from parkcarbon.catalog.park import Name

from .balance import Park
from .faults import FOREVER_MS, Fault
from .ledger import Ledger
from .localtime import DAY_MS, history_start_ms
from .meters import Fitting, Meter, Plan, first_reading, plate
from .noise import Floats
from .scenario import (
    Battery,
    DeviceSpec,
    FaultSpec,
    Gate,
    Inverter,
    Scenario,
    TenantSpec,
    load_scenario,
)
from .scenario import (
    Meter as MeterSpec,
)

_HEADROOM = 1.6
STATE_FILE, SCENARIO_FILE, TOTALS_FILE, FAULTS_FILE = "sim.json", "scenario.yaml", "sim-totals.npz", "faults.yaml"


class State(Struct, frozen=True, forbid_unknown_fields=True):
    """What `prepare` decided and `run` keeps to: `sim.json`.

    Attributes:
        scenario: its name; the text is beside it.
        seed: of noise, clouds and first readings.
        epoch_ms: UTC midnight from which energy is counted [ms UTC].
        history_start_ms: first moment of the history [ms UTC].
        prepared_ms: when `prepare` was first run; faults count from there [ms UTC].
        ports: TCP port of each bus.
    """

    scenario: str
    seed: int
    epoch_ms: int
    history_start_ms: int
    prepared_ms: int
    ports: dict[str, int]


def new_state(scenario: Scenario, seed: int, now_ms: int) -> State:
    """The state of a park that is prepared now, without ports."""
    start = history_start_ms(ZoneInfo(scenario.timezone), now_ms)
    return State(scenario.scenario, seed, start // DAY_MS * DAY_MS, start, now_ms, {})


class SimulatedPark:
    """A park that can be asked what each of its registers shows at any time."""

    def __init__(self, scenario: Scenario, state: State, totals: Floats | None = None) -> None:
        self.scenario = scenario
        self.state = state
        self.ledger = Ledger(Park.of(scenario, state.seed), state.epoch_ms, totals)
        self.meters = tuple(Meter(plan, self.ledger) for plan in plans(scenario, state))
        self.set_faults(())

    @classmethod
    def load(cls, folder: Path) -> "SimulatedPark":
        """The park that `prepare` wrote to a folder."""
        state = msgspec.json.decode((folder / STATE_FILE).read_bytes(), type=State)
        scenario = load_scenario((folder / SCENARIO_FILE).read_text(encoding="utf-8"))
        return cls(scenario, state, _totals(folder))

    def save_totals(self, folder: Path) -> None:
        """Keep the energy at each midnight, so that a later start need not count again."""
        temporary = folder / f".{TOTALS_FILE}"
        np.savez(temporary, totals=self.ledger.totals)
        temporary.replace(folder / TOTALS_FILE)

    def set_faults(self, more: tuple[Fault, ...]) -> None:
        """Take the scenario's faults and others."""
        faults = (*faults_of(self.scenario.faults, self.state.prepared_ms), *more)
        for meter in self.meters:
            meter.set_faults(faults)

    def on_bus(self, bus: str) -> tuple[Meter, ...]:
        """The devices of a line, in its order."""
        return tuple(meter for meter in self.meters if meter.plan.bus == bus)


def faults_of(specs: tuple[FaultSpec, ...], base_ms: int) -> tuple[Fault, ...]:
    """Faults whose times count from `base_ms` [ms UTC]."""
    found = []
    for spec in specs:
        start = base_ms + round(spec.after_s * 1000)
        end = FOREVER_MS if spec.for_s is None else start + round(spec.for_s * 1000)
        found.append(Fault(spec.device, spec.kind, start, end, spec.quantity, spec.amount, spec.code))
    return tuple(found)


def plans(scenario: Scenario, state: State) -> list[Plan]:
    """The devices in bus order."""
    found = [_other(device, scenario, state) for device in scenario.others()]
    found += [_meter(tenant, meter, scenario, state) for tenant in scenario.tenants for meter in tenant.meters]
    order = [bus.bus for bus in scenario.buses]
    return sorted(found, key=lambda plan: order.index(plan.bus))


def _meter(tenant: TenantSpec, meter: MeterSpec, scenario: Scenario, state: State) -> Plan:
    start = meter.start_kwh
    first = first_reading(state.seed, meter.device, 1.0) if start is None else start
    return Plan(
        device=meter.device,
        name=Name(f"{tenant.name.zh}·{meter.name.zh}", f"{tenant.name.en} · {meter.name.en}"),
        profile=meter.profile,
        bus=tenant.bus,
        unit=meter.unit,
        quantities=("active_energy_import", "active_power"),
        flows={"active_energy_import": "sub_meter"},
        tenant=tenant.tenant,
        rating=_HEADROOM * tenant.peak_kw * meter.share,
        fittings=_fittings(meter, first, scenario, state),
    )


def _other(device: DeviceSpec, scenario: Scenario, state: State) -> Plan:
    unit = 1.0
    tenant: str | None = None
    if isinstance(device, Gate):
        flows = {"active_energy_import": "import", "active_energy_export": "export"}
        quantities: tuple[str, ...] = (*flows, "active_power")
        rating = sum(t.peak_kw for t in scenario.tenants) + sum(i.ac_kw for i in scenario.inverters)
    elif isinstance(device, Inverter):
        flows, tenant, rating = {"active_energy_yield": "generation"}, device.tenant, device.ac_kw
        quantities = (*flows, "active_power")
    elif isinstance(device, Battery):
        flows = {"active_energy_import": "charge", "active_energy_export": "discharge"}
        quantities, rating = (*flows, "active_power"), 2 * device.charge_kw
    elif device is scenario.gas:
        flows, rating = {"gas_volume_base": "fuel"}, scenario.gas.peak
        quantities = (*flows, "gas_flow_base")
    else:
        assert scenario.heat is not None  # noqa: S101 - the last kind there is
        flows, rating, unit = {"heat_energy": "heat"}, scenario.heat.peak, 0.1
        quantities = (*flows, "heat_power")
    return Plan(
        device=device.device,
        name=device.name,
        profile=device.profile,
        bus=device.bus,
        unit=device.unit,
        quantities=quantities,
        flows=flows,
        tenant=tenant,
        rating=_HEADROOM * rating,
        fittings=_fittings(device, first_reading(state.seed, device.device, unit), scenario, state),
    )


def _fittings(device: DeviceSpec | MeterSpec, first: float, scenario: Scenario, state: State) -> tuple[Fitting, ...]:
    fittings = [Fitting(state.epoch_ms, device.ct, device.pt, plate(state.seed, device.device), first)]
    for exchange in scenario.exchanges:
        if exchange.device == device.device:
            at = state.history_start_ms + 1000 * round(exchange.after_days * DAY_MS / 1000)
            ct, pt = exchange.ct or fittings[-1].ct, exchange.pt or fittings[-1].pt
            fittings.append(Fitting(at, ct, pt, exchange.serial, exchange.start_kwh))
    return tuple(sorted(fittings, key=lambda fitting: fitting.from_ms))


def _totals(folder: Path) -> Floats | None:
    path = folder / TOTALS_FILE
    if not path.exists():
        return None
    with np.load(path) as file:
        totals: Floats = file["totals"]
    return totals
