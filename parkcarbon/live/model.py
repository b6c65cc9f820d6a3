"""A park as the API knows it, in one immutable value: tenants, devices, points with flow, settings, factors."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from parkcarbon.catalog.park import MethodSettings
from parkcarbon.catalog.profiles import load_profile, profile_names
from parkcarbon.domain.calorific import at_value, varies
from parkcarbon.domain.emissions import Basis, CarrierFactor, Settings, resolve
from parkcarbon.domain.factors import Factor, FactorSeries, NoFactorError
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.domain.submeters import nearest_upstream

HOUR_MS = 3_600_000
METERED = ("counter", "delta")


@dataclass(frozen=True, slots=True)
class Name:
    """A name in both languages of the page."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # where it stands in an answer of the API
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class TenantRef:
    """A tenant by id and name."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    tenant: str
    name: Name


@dataclass(frozen=True, slots=True)
class PointInfo:
    """One quantity of one device.

    Attributes:
        point_id: key in the database.
        device_id: device it belongs to.
        point: `device/quantity`.
        quantity: name from the closed list.
        kind: `counter`, `gauge` or `delta`.
        unit: unit of the reading.
        carrier: `electricity`, `gas`, `heat` or `none`.
        flow: meaning in the balance, or None.
        tenant: tenant it is counted for, or None.
        period_ms: expected time between readings [ms].
        ratio: CT x PT x sign of the meter that is in place now.
        below: of a sub-meter, the nearest sub-meter upstream that is there now; None: none.
    """

    point_id: int
    device_id: int
    point: str
    quantity: str
    kind: str
    unit: str
    carrier: str
    flow: str | None
    tenant: str | None
    period_ms: int
    ratio: float
    below: str | None = None

    @property
    def metered(self) -> bool:
        """True when intervals come from it."""
        return self.kind in METERED


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A meter, inverter or battery; `from_files` where an import brings its readings."""

    device_id: int
    device: str
    name: Name
    profile: str
    tenant: str | None
    source: str | None
    bus: str
    position: int
    from_files: bool = False


@dataclass(frozen=True, slots=True)
class FactorRecord:
    """A factor of the domain with its key in the database."""

    factor_id: int
    factor: Factor


@dataclass(frozen=True)
class ParkModel:
    """Everything about a park that changes only by a dated fact."""

    park: str
    name: Name
    timezone: str
    zone: ZoneInfo
    revision: int
    document: dict[str, Any]
    changed_at: dt.datetime
    settings: Settings
    tenants: tuple[TenantRef, ...]
    devices: tuple[DeviceInfo, ...]
    points: tuple[PointInfo, ...]
    factors: tuple[FactorRecord, ...]
    by_id: dict[int, PointInfo] = field(repr=False)
    gas_values: FactorSeries | None = field(default=None, repr=False)
    resolved: dict[tuple[str, str, int, Basis], CarrierFactor | None] = field(default_factory=dict, repr=False)

    @cached_property
    def by_name(self) -> Mapping[str, PointInfo]:
        """Points by `device/quantity`."""
        return {point.point: point for point in self.points}

    @property
    def currency(self) -> str:
        """ISO 4217 code of every cost."""
        return str(self.document.get("currency") or "CNY")

    @property
    def price_per_kwh(self) -> float | None:
        """Price of electricity from the grid [currency/kWh]."""
        return _number(self.document.get("electricity_price_per_kwh"))

    @property
    def contract_demand_kw(self) -> float | None:
        """Contracted demand [kW]."""
        return _number(self.document.get("contract_demand_kw"))

    def factor(self, carrier: str, unit: str, year: int, basis: Basis = "location") -> CarrierFactor | None:
        """Factors of a carrier as ingest chose them for the intervals of a local year; None where there is none."""
        key = (carrier, unit, year, basis)
        if key not in self.resolved:
            try:
                self.resolved[key] = resolve(
                    [record.factor for record in self.factors],
                    self.settings,
                    carrier=carrier,
                    unit=unit,
                    data_year=year,
                    known_on=self.changed_at.date(),
                    basis=basis,
                )
            except NoFactorError:
                self.resolved[key] = None
        return self.resolved[key]

    def factor_at(self, carrier: str, unit: str, time_ms: int) -> CarrierFactor | None:
        """Factors of a carrier at a moment: gas by the calorific value in force then; None where that is not known."""
        factor = self.factor(carrier, unit, self.local(time_ms).year)
        if factor is None or not varies(factor):
            return factor
        value = math.nan if self.gas_values is None else float(self.gas_values.at(np.array([time_ms]))[0])
        return None if math.isnan(value) else at_value(factor, value)

    def factor_id(self, wanted: Factor) -> int:
        """Key of a record in the database."""
        return next(record.factor_id for record in self.factors if record.factor is wanted)

    def metered(self, carrier: str | None = None, flow: str | None = None) -> list[PointInfo]:
        """Points that intervals come from, narrowed to a carrier and a flow."""
        return [
            point
            for point in self.points
            if point.metered and (carrier is None or point.carrier == carrier) and (flow is None or point.flow == flow)
        ]

    def gauge(self, device_id: int, quantity: str) -> PointInfo | None:
        """The gauge of a device that shows this quantity."""
        for point in self.points:
            if point.device_id == device_id and point.quantity == quantity and point.kind == "gauge":
                return point
        return None

    def from_files(self, device_id: int) -> bool:
        """Whether an import brings the readings of a device."""
        return any(device.device_id == device_id and device.from_files for device in self.devices)

    def local(self, time_ms: int) -> dt.datetime:
        """A moment in the park's own time."""
        return dt.datetime.fromtimestamp(time_ms / 1000, self.zone)

    def midnight_ms(self, day: dt.date) -> int:
        """Start of a local day [ms UTC]."""
        return round(dt.datetime.combine(day, dt.time(), self.zone).timestamp() * 1000)


def local_ms(zone: ZoneInfo, moment: dt.datetime) -> int:
    """A naive local time as ms UTC; a time that a clock change skips is read with the offset before it."""
    return round(moment.replace(tzinfo=zone).timestamp() * 1000)


def same_time_last_week_ms(model: ParkModel, now_ms: int) -> int:
    """The same local clock time seven local days ago [ms UTC]."""
    local = model.local(now_ms)
    return local_ms(model.zone, (local - dt.timedelta(days=7)).replace(tzinfo=None))


def interval_floor_ms(time_ms: int) -> int:
    """Start of the accounting interval that holds a moment [ms UTC]."""
    return time_ms - time_ms % INTERVAL_MS


def build_model(
    park: Any, tenants: Sequence[Any], devices: Sequence[Any], points: Sequence[Any], factors: Sequence[FactorRecord]
) -> ParkModel:
    """Assemble the model from rows of the database."""
    below = nearest_upstream(_declared_below(park["document"]), {row["point"] for row in points})
    infos = tuple(
        PointInfo(**{name: row[name] for name in PointInfo.__slots__ if name != "below"}, below=below.get(row["point"]))
        for row in points
    )
    return ParkModel(
        park=park["park_id"],
        name=Name(zh=park["name_zh"], en=park["name_en"]),
        timezone=park["timezone"],
        zone=ZoneInfo(park["timezone"]),
        revision=park["revision"],
        document=park["document"],
        changed_at=park["changed_at"],
        settings=_settings(park["document"]),
        tenants=tuple(
            TenantRef(tenant=row["tenant"], name=Name(zh=row["name_zh"], en=row["name_en"])) for row in tenants
        ),
        devices=tuple(
            DeviceInfo(
                device_id=row["device_id"],
                device=row["device"],
                name=Name(zh=row["name_zh"], en=row["name_en"]),
                profile=row["profile"],
                tenant=row["tenant"],
                source=row["source"],
                bus=row["bus"],
                position=row["position"],
                from_files=row["from_files"] or (row["source"] is None and row["profile"] in file_profiles()),
            )
            for row in devices
        ),
        points=infos,
        factors=tuple(factors),
        by_id={info.point_id: info for info in infos},
    )


def _declared_below(document: dict[str, Any]) -> dict[str, str | None]:
    """What each point of a park document says it stands below."""
    return {
        f"{device['device']}/{point['quantity']}": point.get("below")
        for device in document.get("devices") or ()
        for point in device.get("points") or ()
    }


@cache
def file_profiles() -> frozenset[str]:
    """Profiles of the catalog for what has no registers."""
    return frozenset(name for name in profile_names() if load_profile(name).transport == "file")


def _settings(document: dict[str, Any]) -> Settings:
    return msgspec.convert(document.get("method"), MethodSettings).settings()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
