"""The electricity balance of one connection point, hour by hour.

    import + generation + discharge = sum of metered loads + charge + export + unmetered             [1e-6 kWh]

*Unmetered* is a flow of its own: cables, transformers, and whatever has no meter. It belongs into a band (default 0–3 %
of import); outside it the hour is flagged. Whether it is outside beyond what the meters may err is told apart: the
error of an hour is the root of the sum of squares of (half-width x amount) and of two register steps for every meter.
An hour with an unknown input is unknown, one with a negative input is rejected.

References:
    accounting rules 5.6 (identity; reject hours that fail by more than the meter error, and negative components),
    6.6 (independent errors in quadrature), 6.7 (unknown is not zero).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final, Literal

import numpy as np

from parkcarbon.domain.readings import BoolArray, FloatArray, Int64Array

Role = Literal["import", "generation", "discharge", "load", "charge", "export"]
_SIGNS: Final[Mapping[Role, int]] = {
    "import": 1,
    "generation": 1,
    "discharge": 1,
    "load": -1,
    "charge": -1,
    "export": -1,
}


class HourState(IntEnum):
    """What the balance of an hour says."""

    IN_BAND = 0
    WITHIN_ERROR = 1  # outside the band, by no more than the meters may err
    ABOVE = 2  # more is unmetered than the band and the meters' error allow
    BELOW = 3  # less than that; a negative one suggests a reversed or wrong transformer
    REJECTED = 4  # an input is negative
    UNKNOWN = 5  # an input is missing


@dataclass(frozen=True, slots=True)
class Channel:
    """One point, or formula of points, of the balance.

    Attributes:
        point: name.
        role: what it is in the balance.
        device: whose; the registers of one device err and are reversed together.
        error: half-width of the 95 % interval, as a fraction of the amount [1].
        step_micro: one register step [1e-6 kWh].
        gives_back: True for the export register of a metered load: it lowers the load.
        tenant: whose load it is.
    """

    point: str
    role: Role
    device: str = ""
    error: float = 0.0
    step_micro: int = 0
    gives_back: bool = False
    tenant: str | None = None

    @property
    def sign(self) -> int:
        """Of its contribution to what is left over."""
        return -_SIGNS[self.role] if self.gives_back else _SIGNS[self.role]


@dataclass(frozen=True, slots=True)
class Band:
    """Where the unmetered part belongs, in percent of the import or of the whole supply."""

    low_pct: float = 0.0
    high_pct: float = 3.0
    of: Literal["import", "supply"] = "import"

    @property
    def roles(self) -> tuple[Role, ...]:
        """What it is in percent of."""
        return ("import",) if self.of == "import" else ("import", "generation", "discharge")

    def limits(self, whole: Int64Array) -> tuple[FloatArray, FloatArray]:
        """Its ends for so much import or supply [1e-6 kWh]."""
        kwh = whole.astype(np.float64)
        return kwh * (self.low_pct / 100), kwh * (self.high_pct / 100)


@dataclass(frozen=True)
class Balance:
    """The balance of some hours; arrays have a column for each hour.

    Attributes:
        connection: name of the connection point.
        channels: rows of `amount_micro`.
        start_ms: start of each hour [ms UTC].
        amount_micro: amount by channel [1e-6 kWh].
        input_known: by channel.
        band: of the unmetered part.
        more_variance: square of errors that no channel has by itself, those of formulas [1e-12 kWh²].
    """

    connection: str
    channels: tuple[Channel, ...]
    start_ms: Int64Array
    amount_micro: Int64Array
    input_known: BoolArray
    band: Band = Band()
    more_variance: FloatArray | None = None

    @cached_property
    def known(self) -> BoolArray:
        """Hours of which every input is known and none is negative; none where no supply or no use is metered."""
        if not self.has("load") or not (self.has("import") or self.has("generation")):
            return np.zeros(len(self.start_ms), dtype=np.bool_)
        known: BoolArray = np.logical_and.reduce(self.input_known) & np.logical_and.reduce(self.amount_micro >= 0)
        return known

    @cached_property
    def signed(self) -> Int64Array:
        """Contribution of each channel to what is left over [1e-6 kWh]."""
        signs = np.array([channel.sign for channel in self.channels], dtype=np.int64)
        return signs[:, None] * self.amount_micro

    @cached_property
    def unmetered(self) -> Int64Array:
        """What is left over [1e-6 kWh]; means something where `known`."""
        rest: Int64Array = self.signed.sum(axis=0)
        return rest

    def of(self, role: Role) -> Int64Array:
        """Sum of a role by hour [1e-6 kWh]."""
        rows = [at for at, channel in enumerate(self.channels) if channel.role == role]
        found: Int64Array = _SIGNS[role] * self.signed[rows].sum(axis=0)
        return found

    def has(self, role: Role) -> bool:
        """True when a meter shows it."""
        return any(channel.role == role for channel in self.channels)

    @cached_property
    def error(self) -> FloatArray:
        """How far the meters may be off together, 95 % [1e-6 kWh]."""
        half_width = np.array([channel.error for channel in self.channels])
        step = np.array([channel.step_micro for channel in self.channels], dtype=np.float64)
        squares = (half_width[:, None] * self.amount_micro) ** 2 + 2 * (step**2)[:, None]
        whole = squares.sum(axis=0)
        found: FloatArray = np.sqrt(whole if self.more_variance is None else whole + self.more_variance)
        return found

    @cached_property
    def limits(self) -> tuple[FloatArray, FloatArray]:
        """The band of each hour [1e-6 kWh]."""
        return self.band.limits(sum((self.of(role) for role in self.band.roles), start=np.zeros_like(self.start_ms)))

    @cached_property
    def state(self) -> Int64Array:
        """`HourState` of each hour."""
        low, high = self.limits
        rest, error = self.unmetered, self.error
        found = np.select(
            [(low <= rest) & (rest <= high), (low - error <= rest) & (rest <= high + error), rest > high],
            [HourState.IN_BAND, HourState.WITHIN_ERROR, HourState.ABOVE],
            HourState.BELOW,
        ).astype(np.int64)
        found[~self.known] = HourState.UNKNOWN
        negative = self.input_known.all(axis=0) & (self.amount_micro < 0).any(axis=0)
        found[negative] = HourState.REJECTED
        return found

    @property
    def flagged(self) -> BoolArray:
        """Hours outside the band, rejected ones among them; unknown hours are not flagged, they are unknown."""
        flagged: BoolArray = (self.state != HourState.IN_BAND) & (self.state != HourState.UNKNOWN)
        return flagged

    @property
    def negative(self) -> BoolArray:
        """Hours in which the meters of use show more than was supplied, beyond their error."""
        negative: BoolArray = self.known & (self.unmetered < -self.error)
        return negative

    def missing_of(self, hour: int) -> list[str]:
        """Points that are unknown in an hour."""
        return [
            c.point for c, known in zip(self.channels, self.input_known[:, hour].tolist(), strict=True) if not known
        ]

    def total(self, role: Role) -> int:
        """Sum of a role over the known hours [1e-6 kWh]."""
        return int(self.of(role)[self.known].sum())

    @property
    def total_unmetered(self) -> int:
        """Over the known hours [1e-6 kWh]; negative hours count against the others."""
        return int(self.unmetered[self.known].sum())

    def states(self) -> dict[str, int]:
        """Number of hours by state."""
        return {state.name.lower(): int((self.state == state).sum()) for state in HourState}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A device whose correction would close the balance of the hours that fail.

    Attributes:
        device: name.
        kind: `reversed`: its registers are exchanged; `ratio`: its amounts are off by a factor.
        factor: what its amounts would have to be multiplied by; -1 for a reversed one.
        hours: hours beyond the meters' error in which it counted.
        closed: of them, hours that would be in the band or within the error.
        left_micro: distance of the unmetered part from its usual share that would be left, root mean square [1e-6 kWh].
    """

    device: str
    kind: Literal["reversed", "ratio"]
    factor: float
    hours: int
    closed: int
    left_micro: int

    @property
    def share(self) -> float:
        """Part of the failing hours that it would explain."""
        return self.closed / self.hours


RATIO_RANGE: Final = (0.05, 20.0)
"""Factors outside are no mistaken transformer ratio."""
_RATIO_FROM: Final = 0.05  # smaller deviations are accuracy, not a wrong ratio
_LEAST_PART: Final = 0.2  # of the hours in which a device counts, so many have to fail: its transformer is always wrong


def suspects(balance: Balance, *, least_share: float = 0.9, least_hours: int = 3) -> list[Suspect]:
    """Devices whose sign or ratio would close the balance of the failing hours, the best explanation first.

    A wrong transformer is wrong in every hour: at least a fifth of the hours in which the device counts have to fail,
    and a correction has to close them and, from the first to the last of them, may not open the others.

    Args:
        balance: of one connection point.
        least_share: part of the failing hours, and of all hours between them, that has to be closed.
        least_hours: failing hours below which nothing is said.
    """
    failing = balance.known & np.isin(balance.state, (HourState.ABOVE, HourState.BELOW))
    if int(failing.sum()) < least_hours:
        return []
    first, *_, last = np.flatnonzero(failing).tolist()
    window = np.flatnonzero(balance.known[first : last + 1]) + first
    trial = _Trial(balance, window, failing[window], least_share)
    found = []
    for device in trial.rows:
        tried = [trial.of(device, -1.0)]
        if (ratio := trial.ratio(device)) is not None:
            tried.append(trial.of(device, ratio))
        found += [s for s in tried if s is not None and s.hours >= least_hours]
    return sorted(found, key=lambda s: (s.left_micro, s.kind != "reversed", s.device))


class _Trial:
    """The hours from the first to the last that fails, as they would be with one device corrected."""

    def __init__(self, balance: Balance, hours: Int64Array, failing: BoolArray, least_share: float) -> None:
        self._balance = balance
        self._failing = failing
        self._least_share = least_share
        self._rest = balance.unmetered[hours]
        self._error = balance.error[hours]
        self._limits = tuple(limit[hours] for limit in balance.limits)
        self._signed = balance.signed[:, hours]
        supplies = [row for row, channel in enumerate(balance.channels) if channel.role in balance.band.roles]
        self._whole: Int64Array = self._signed[supplies].sum(axis=0)
        self.rows: dict[str, list[int]] = {}
        for row, channel in enumerate(balance.channels):
            self.rows.setdefault(channel.device or channel.point.partition("/")[0], []).append(row)

    def ratio(self, device: str) -> float | None:
        """The factor that would bring most hours to the middle of the band; None: no ratio could."""
        contribution = self._signed[self.rows[device]].sum(axis=0)
        counts = (contribution != 0) & self._failing
        if not counts.any():
            return None
        low, high = self._limits
        wanted = ((low + high) / 2 - self._rest)[counts]
        factor = 1 + float(np.median(wanted / contribution[counts]))
        plausible = RATIO_RANGE[0] <= factor <= RATIO_RANGE[1] and abs(factor - 1) > _RATIO_FROM
        return factor if plausible else None

    def of(self, device: str, factor: float) -> Suspect | None:
        """What a correction would do; None where it explains too little."""
        contribution = self._signed[self.rows[device]].sum(axis=0)
        at = (contribution != 0) & self._failing
        if at.sum() < _LEAST_PART * (contribution != 0).sum() or not at.any():
            return None
        whole = self._corrected(device, factor)
        low, high = self._balance.band.limits(whole)
        rest = self._rest + (factor - 1) * contribution
        outside = np.maximum(np.maximum(low - rest, rest - high), 0.0)
        closes = outside <= self._error
        if closes[at].mean() < self._least_share or closes.mean() < self._least_share:
            return None
        kind: Literal["reversed", "ratio"] = "reversed" if factor < 0 else "ratio"
        square = float(whole.astype(np.float64) @ whole)
        usual = float(rest @ whole) / square if square else 0.0
        left = float(np.sqrt(((rest - usual * whole) ** 2).mean()))
        return Suspect(device, kind, factor, int(at.sum()), int(closes[at].sum()), round(left))

    def _corrected(self, device: str, factor: float) -> Int64Array:
        """What the band is in percent of, once a device is corrected: a reversed gate's export was its import."""
        channels, roles = self._balance.channels, self._balance.band.roles
        counted = [row for row in self.rows[device] if channels[row].role in roles]
        if not counted:
            return self._whole
        outer = [row for row in self.rows[device] if channels[row].role != "load"]
        net = np.maximum(np.rint(factor * self._signed[outer].sum(axis=0)), 0).astype(np.int64)
        whole: Int64Array = self._whole - self._signed[counted].sum(axis=0) + net
        return whole


def of_channels(
    connection: str,
    channels: Sequence[Channel],
    start_ms: Int64Array,
    amounts: Mapping[str, Int64Array],
    known: Mapping[str, BoolArray],
    *,
    band: Band,
    more_variance: FloatArray | None = None,
) -> Balance:
    """Put a balance together from the amounts of its points by name."""
    shape = (0, len(start_ms))
    rows = [amounts[channel.point] for channel in channels]
    marks = [known[channel.point] for channel in channels]
    return Balance(
        connection,
        tuple(channels),
        start_ms,
        np.vstack(rows) if rows else np.zeros(shape, dtype=np.int64),
        np.vstack(marks) if marks else np.zeros(shape, dtype=np.bool_),
        band,
        more_variance,
    )
