"""The devices of a park: which registers each shows, behind which transformers, with which faults."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from parkcarbon.catalog.park import Name
from parkcarbon.catalog.profiles import load_profile
from parkcarbon.domain.profile import DeviceProfile, PointDef
from parkcarbon.domain.quantities import QUANTITIES

from .derived import derived
from .faults import Fault, Read, tear, verdict, wrap_all
from .image import Image, counted, registers_of_value, shown
from .ledger import Ledger
from .noise import Floats, Ints, key, uniform

GJ_PER_KWH = 0.0036

# Registers that count what flows forward or backward: factor from the ledger's unit [kWh, Nm3].
FORWARD = {"active_energy_import": 1.0, "active_energy_yield": 1.0, "gas_volume_base": 1.0, "heat_energy": GJ_PER_KWH}
BACKWARD = {"active_energy_export": 1.0}
POWER = {"active_power": 1.0, "gas_flow_base": 1.0, "heat_power": 1.0}


@dataclass(frozen=True, slots=True)
class Fitting:
    """One physical meter from a time on.

    Attributes:
        from_ms: since when [ms UTC].
        ct: current transformer ratio.
        pt: voltage transformer ratio.
        serial: number on its plate.
        start: its counters' first reading [unit of the register].
    """

    from_ms: int
    ct: float
    pt: float
    serial: str
    start: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a device before it counts.

    Attributes:
        device: its name.
        name: its name on the page.
        profile: its model.
        bus: the line it is on.
        unit: its address there.
        quantities: what is read from it.
        flows: what its counters mean for the balance.
        tenant: whose it is.
        rating: most that can flow through it [kW, Nm3/h].
        fittings: the physical meters, oldest first.
    """

    device: str
    name: Name
    profile: str
    bus: str
    unit: int
    quantities: tuple[str, ...]
    flows: dict[str, str]
    tenant: str | None
    rating: float
    fittings: tuple[Fitting, ...]


@dataclass(slots=True)
class Meter:
    """A device that can be read at any time."""

    plan: Plan
    ledger: Ledger
    faults: tuple[Fault, ...] = ()
    profile: DeviceProfile = field(init=False)
    _images: dict[str, Image] = field(init=False, default_factory=dict)
    _reads: dict[str, Read] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.profile = load_profile(self.plan.profile)

    def set_faults(self, faults: Iterable[Fault]) -> None:
        """Take those that are its own; they begin and end by their times."""
        self.faults = tuple(fault for fault in faults if fault.device == self.plan.device)
        self._reads.clear()

    def ratio(self, quantity: str, fitting: Fitting) -> float:
        """By how much the register must be multiplied to be primary-side."""
        kind = self.profile.point(quantity).ratio
        return {"none": 1.0, "ct": fitting.ct, "pt": fitting.pt, "ct_pt": fitting.ct * fitting.pt}[kind]

    def limit_per_h(self, quantity: str, fitting: Fitting) -> float:
        """The most that a counter can gain in an hour [unit of the register]."""
        factor = FORWARD.get(quantity, 1.0)
        return round(self.plan.rating * factor / self.ratio(quantity, fitting), 6)

    def values(self, quantity: str, time_ms: Ints) -> Floats:
        """What the register shows at ascending times, faults included, before it is put into registers [unit]."""
        read = self._reads.get(quantity)
        if read is None:
            read = self._reads[quantity] = self._read(quantity)
        return read(time_ms)

    def decoded(self, quantity: str, time_ms: Ints) -> tuple[Floats, npt.NDArray[np.int8]]:
        """What a reader decodes at ascending times, and its quality."""
        return shown(self.profile.point(quantity), self.values(quantity, time_ms))

    def before_fault(self, quantity: str, fitting: Fitting, time_ms: int) -> float:
        """What one physical meter shows at a time, whether or not it is the one that is read [unit]."""
        moment = np.array([time_ms], dtype=np.int64)
        point = self.profile.point(quantity)
        return float(shown(point, counted(point, self._register(quantity, fitting)(moment)))[0][0])

    def answer(
        self, function: int, address: int, count: int, time_ms: int
    ) -> tuple[list[int], dict[str, float | None]] | int:
        """Answer a read at a time: registers and decoded values, or an exception code, 0 for silence."""
        refused = verdict(self.faults, time_ms)
        if refused is not None:
            return refused
        if not 1 <= count <= self.profile.max_registers_per_read:
            return 3
        serial = self._fitting(time_ms).serial
        image = self._images.get(serial)
        if image is None:
            image = self._images[serial] = Image(self.profile, serial)
        found = image.read(function, address, count, lambda point: self._registers(point, time_ms))
        return 2 if found is None else found

    def _registers(self, point: PointDef, time_ms: int) -> dict[int, int]:
        moment = np.array([time_ms], dtype=np.int64)
        value = float(self.values(point.quantity, moment)[0])
        registers = registers_of_value(point, value)
        cumulative = QUANTITIES[point.quantity].cumulative
        for fault in self.faults:
            torn = fault.kind == "torn" and fault.touches(point.quantity, cumulative=cumulative)
            if torn and fault.active(moment)[0]:
                registers = tear(registers_of_value(point, value - fault.amount), registers)
        return registers

    def _fitting(self, time_ms: int) -> Fitting:
        return next((f for f in reversed(self.plan.fittings) if f.from_ms <= time_ms), self.plan.fittings[0])

    def _read(self, quantity: str) -> Read:
        point = self.profile.point(quantity)
        cumulative = QUANTITIES[quantity].cumulative
        registers = [self._register(quantity, fitting) for fitting in self.plan.fittings]
        starts = [fitting.from_ms for fitting in self.plan.fittings[1:]]

        def of_meters(time_ms: Ints) -> Floats:
            value = registers[0](time_ms)
            for start, register in zip(starts, registers[1:], strict=True):
                later = time_ms >= start
                if later.any():
                    value = np.where(later, register(np.maximum(time_ms, start)), value)
            return value

        faulty = wrap_all(of_meters, self.faults, quantity, cumulative=cumulative, modulus=point.modulus)
        if not cumulative:
            return faulty
        return lambda time_ms: counted(point, faulty(time_ms))

    def _register(self, quantity: str, fitting: Fitting) -> Read:
        """The register of one physical meter."""
        device, ledger = self.plan.device, self.ledger
        ratio = self.ratio(quantity, fitting)
        if quantity in POWER:
            return lambda time_ms: ledger.power(device, time_ms) / ratio
        if quantity in FORWARD or quantity in BACKWARD:
            backward = quantity in BACKWARD
            factor = (1.0 if backward else FORWARD[quantity]) / ratio
            before = 0.0
            if fitting.from_ms > ledger.epoch_ms:
                before = float(ledger.energy(device, np.array([fitting.from_ms]), backward=backward)[0])
            start = fitting.start
            return lambda time_ms: start + (ledger.energy(device, time_ms, backward=backward) - before) * factor
        return derived(quantity, device, ledger, fitting.pt, ratio)


def first_reading(seed: int, device: str, unit: float) -> float:
    """Where a counter stands at the epoch: a meter that has been there for a while [unit of the register]."""
    share = float(uniform(key(seed, f"{device}/start"), np.array([0], dtype=np.int64))[0])
    return round((1000 + 30_000 * share) * unit, 2)


def plate(seed: int, device: str) -> str:
    """A serial number of eight digits."""
    return str(10**7 + key(seed, f"{device}/serial") % (9 * 10**7)).zfill(8)
