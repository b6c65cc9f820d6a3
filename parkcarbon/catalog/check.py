"""Everything that can be wrong with a park document, found in one pass.

A problem is one line: the place, the offending value, and what is expected there. Places name the device or point
rather than its position, so that a line can be found with a search.
"""

import base64
import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parkcarbon.domain.factors import GRID_PURPOSES, PURPOSES
from parkcarbon.domain.profile import DeviceProfile, PointDef
from parkcarbon.domain.quantities import QUANTITIES

from .check_method import check_method
from .check_ratios import ratio_problems
from .check_submeters import submeter_problems
from .check_tenancy import tenancy_problems
from .factors import UNITS_OF_PURPOSE, fits, load_factors
from .indicators import error_limits
from .park import Device, Episode, FactorSeries, Park, Point, Source
from .profiles import load_profile, profile_names

_FLOW_CARRIERS: dict[str, frozenset[str]] = {
    "import": frozenset({"electricity"}),
    "export": frozenset({"electricity"}),
    "generation": frozenset({"electricity"}),
    "charge": frozenset({"electricity"}),
    "discharge": frozenset({"electricity"}),
    "fuel": frozenset({"gas"}),
    "heat": frozenset({"heat"}),
    "sub_meter": frozenset({"electricity", "gas", "heat"}),
    "process": frozenset({"electricity", "gas", "heat"}),
}

_REGION_PURPOSES: dict[str, tuple[str, ...]] = {
    "electricity_region": tuple(GRID_PURPOSES),
    "fuel_region": ("fuel_combustion", "fuel_by_amount", "calorific_value"),
    "heat_region": ("heat_purchased",),
}
"""What a region of the method settings is looked up for."""

Problems = Iterator[str]


def check_park(park: Park, folder: Path | None = None) -> list[str]:
    """Return all problems of a decoded park document.

    Args:
        park: the document.
        folder: where it lies; the files of factor series are looked up there. None: files are not opened.
    """
    checks: Sequence[Callable[[Park], Problems]] = (
        _settings,
        check_method,
        _duplicates,
        _sources,
        _devices,
        ratio_problems,
        submeter_problems,
        tenancy_problems,
    )
    problems = [problem for check in checks for problem in check(park)]
    for series in park.factor_series:
        problems += _series(series, folder)
    return problems


def _settings(park: Park) -> Problems:
    try:
        ZoneInfo(park.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield f"timezone: {park.timezone!r} is not an IANA time zone"
    if (park.latitude is None) != (park.longitude is None):
        yield f"latitude, longitude: {park.latitude}, {park.longitude}: both or neither"
    method = park.method
    countries: dict[str, set[str]] = {}
    for factor in load_factors():
        countries.setdefault(factor.purpose, set()).add(factor.region.partition("/")[0])
    series = {item.region for item in park.factor_series}
    for name in ("electricity_region", "fuel_region", "heat_region"):
        region: str = getattr(method, name)
        served = set().union(*(countries.get(purpose, ()) for purpose in _REGION_PURPOSES[name]))
        if region and region not in series and region.partition("/")[0] not in served:
            yield f"method.{name}: {region!r}: no factor of the catalog or of this park is for it"
    if not method.electricity_region:
        yield "method.electricity_region: '' is empty"
    known = {factor.factor: factor.purpose for factor in load_factors()}
    known |= {item.factor: item.purpose for item in park.factor_series}
    if method.electricity_factor is not None and method.electricity_factor not in known:
        yield f"method.electricity_factor: {method.electricity_factor!r} is no factor of the catalog or of this park"
    elif method.electricity_factor is not None and known[method.electricity_factor] not in GRID_PURPOSES:
        purpose = known[method.electricity_factor]
        rule = "1.4" if purpose == "life_cycle" else "1.6"
        yield f"method.electricity_factor: {method.electricity_factor!r} is a {purpose} factor (rule {rule})"


def _duplicates(park: Park) -> Problems:
    yield from _twice("tenants", (tenant.tenant for tenant in park.tenants))
    yield from _twice("sources", (source.source for source in park.sources))
    yield from _twice("devices", (device.device for device in park.devices))
    yield from _twice("factor_series", (series.factor for series in park.factor_series))
    for device in park.devices:
        yield from _twice(f"devices[{device.device}].points", (point.quantity for point in device.points))
        flows = (point.flow for point in device.points if point.flow is not None)
        yield from _twice(f"devices[{device.device}].points: flow", flows)


def _twice(place: str, names: Iterable[str]) -> Problems:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{place}: {name!r} appears {count} times"


def _sources(park: Park) -> Problems:
    kinds = {source.source: source.kind for source in park.sources}
    for source in park.sources:
        place = f"sources[{source.source}]"
        if source.via is not None and kinds.get(source.via) != "gateway":
            said = f"is of kind {kinds[source.via]}" if source.via in kinds else "is not a source"
            yield f"{place}.via: {source.via!r} {said}; a gateway is expected"
        if source.via is not None and source.kind == "gateway":
            yield f"{place}.via: {source.via!r}: a gateway has an uplink of its own"
        if source.public_key is not None and not _is_key(source.public_key):
            yield f"{place}.public_key: {source.public_key!r} is not 32 bytes in base64 (Ed25519)"
        yield from _window(place, source)


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except ValueError:
        return False


def _window(place: str, source: Source) -> Problems:
    ends = {"window_from": source.window_from, "window_to": source.window_to}
    given = {name: end for name, end in ends.items() if end is not None}
    if given and source.kind != "import":
        yield f"{place}.window_from: only a source of kind import declares a time range, not {source.kind}"
    naive = [name for name, end in given.items() if end.tzinfo is None]
    for name in naive:
        yield f"{place}.{name}: {given[name]} has no time zone"
    if len(given) == 2 and not naive and given["window_from"] >= given["window_to"]:
        yield f"{place}.window_to: {given['window_to']} is not after window_from {given['window_from']}"


def _devices(park: Park) -> Problems:
    tenants = {tenant.tenant for tenant in park.tenants}
    sources = {source.source for source in park.sources}
    for device in park.devices:
        place = f"devices[{device.device}]"
        if device.tenant is not None and device.tenant not in tenants:
            yield f"{place}.tenant: {device.tenant!r} is not a tenant of this park"
        if device.source is not None and device.source not in sources:
            yield f"{place}.source: {device.source!r} is not a source of this park"
        if not device.points:
            yield f"{place}.points: [] is empty"
        if device.profile not in profile_names():
            yield f"{place}.profile: {device.profile!r} is not in the catalog: {', '.join(profile_names())}"
            profile = None
        else:
            profile = load_profile(device.profile)
        for point in device.points:
            yield from _point(f"{place}.points[{point.quantity}]", device, point, profile)


def _point(place: str, device: Device, point: Point, profile: DeviceProfile | None) -> Problems:
    quantity = QUANTITIES.get(point.quantity)
    if quantity is None:
        yield f"{place}.quantity: {point.quantity!r} is not in the list of quantities"
        return
    definition = _definition(point, profile)
    if profile is not None and profile.transport == "modbus":
        if definition is None:
            yield f"{place}.quantity: {point.quantity!r}: profile {device.profile} has no such register"
        if point.kind == "delta":
            yield f"{place}.kind: 'delta': profile {device.profile} has registers, not amounts of a period"
    if (point.kind == "gauge") == quantity.cumulative:
        wants = "counts up" if quantity.cumulative else "is an instant value"
        yield f"{place}.kind: {point.kind!r}: {point.quantity} {wants}"
    if point.flow is not None:
        if point.kind == "gauge":
            yield f"{place}.flow: {point.flow!r} on a gauge; a balance is made of counters and amounts"
        if quantity.carrier not in _FLOW_CARRIERS[point.flow]:
            yield f"{place}.flow: {point.flow!r} does not fit carrier {quantity.carrier} ({quantity.unit})"
    if point.may_be_negative and point.kind != "delta":
        yield f"{place}.may_be_negative: on a {point.kind}; only an amount (delta) can be below zero and stand"
    yield from _register(place, point, definition)
    yield from _episodes(place, point, definition)


def _definition(point: Point, profile: DeviceProfile | None) -> PointDef | None:
    names = [] if profile is None else [definition.quantity for definition in profile.points]
    return profile.point(point.quantity) if profile is not None and point.quantity in names else None


def _register(place: str, point: Point, definition: PointDef | None) -> Problems:
    if point.modulus is not None and point.kind != "counter":
        yield f"{place}.modulus: {point.modulus} on a {point.kind}; only a counter starts again at zero"
    if definition is None:
        return
    width = definition.modulus
    for name, modulus in [
        ("modulus", point.modulus),
        *((f"episodes[{e.at}].modulus", e.modulus) for e in point.episodes),
    ]:
        if modulus is not None and width is not None and modulus > width * (1 + 1e-12):
            yield f"{place}.{name}: {modulus} is more than the register holds ({width} {definition.unit})"


def _episodes(place: str, point: Point, definition: PointDef | None) -> Problems:
    previous: Episode | None = None
    for number, episode in enumerate(point.episodes):
        here = f"{place}.episodes[{number}]"
        if episode.at.tzinfo is None:
            yield f"{here}.at: {episode.at} has no time zone"
            continue
        if previous is not None and episode.at <= previous.at:
            yield f"{here}.at: {episode.at.isoformat()} is not after the episode before ({previous.at.isoformat()})"
        if previous is None and number == 0 and episode.end_reading is not None:
            yield f"{here}.end_reading: {episode.end_reading}: there is no meter before the first episode"
        yield from _readings(here, point, episode)
        yield from _ratio(here, episode, definition)
        yield from _classes(here, point, episode)
        previous = episode


def _readings(here: str, point: Point, episode: Episode) -> Problems:
    for name in ("end_reading", "start_reading", "modulus"):
        value = getattr(episode, name)
        if value is not None and point.kind != "counter":
            yield f"{here}.{name}: {value} on a {point.kind}; only a counter has it"
        elif value is not None and value < 0:
            yield f"{here}.{name}: {value} is negative"


def _ratio(here: str, episode: Episode, definition: PointDef | None) -> Problems:
    if definition is None:
        return
    allowed = {"none": (), "ct": ("ct",), "pt": ("pt",), "ct_pt": ("ct", "pt")}[definition.ratio]
    for name, value in (("ct", episode.ct), ("pt", episode.pt)):
        if value != 1 and name not in allowed:
            yield f"{here}.{name}: {value}: the {definition.quantity} register already includes this ratio"


def _classes(here: str, point: Point, episode: Episode) -> Problems:
    """Accuracy classes that the limits of error know, and a calibration that had not ended before the episode began."""
    carrier = QUANTITIES[point.quantity].carrier
    limits = error_limits()
    for name, device, value in (
        ("accuracy_class", "meter", episode.accuracy_class),
        ("ct_class", "ct", episode.ct_class),
    ):
        known = limits.names(device, carrier)
        if value is not None and value not in known:
            yield f"{here}.{name}: {value!r} is not known for {carrier}: {', '.join(known) or 'no class is'}"
    ended = episode.calibrated_until
    if ended is not None and ended <= episode.at.date():
        yield f"{here}.calibrated_until: {ended} is not after the episode begins ({episode.at.date()})"


def _series(series: FactorSeries, folder: Path | None) -> Problems:
    place = f"factor_series[{series.factor}]"
    if series.purpose not in PURPOSES:
        yield f"{place}.purpose: {series.purpose!r} is not one of {', '.join(sorted(PURPOSES))}"
    elif not fits(series.purpose, series.unit):
        units = ", ".join(sorted(UNITS_OF_PURPOSE.get(series.purpose, ())))
        yield f"{place}.unit: {series.unit!r} does not fit {series.purpose}: {units}"
    elif series.purpose.startswith("grid_") and not series.unit.startswith(f"kg{series.gas}/"):
        yield f"{place}.gas: {series.gas!r} does not fit unit {series.unit}"
    if series.factor in {factor.factor for factor in load_factors()}:
        yield f"{place}.factor: {series.factor!r} is the id of a factor of the catalog"
    if folder is not None:
        yield from _columns(place, series, folder / series.file)


def _columns(place: str, series: FactorSeries, path: Path) -> Problems:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        yield f"{place}.file: {series.file!r} cannot be read: {error}"
        return
    for name, column in (("time_column", series.time_column), ("value_column", series.value_column)):
        if column not in columns:
            yield f"{place}.{name}: {column!r} is not a column of {series.file} ({', '.join(columns)})"
