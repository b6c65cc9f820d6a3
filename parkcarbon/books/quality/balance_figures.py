"""The balance, what is unmetered, reconciliations and storage as figures that show their working."""

from collections.abc import Sequence

from parkcarbon.books.quality.reconcile import StorageOf
from parkcarbon.domain.balance.hourly import Balance, Role
from parkcarbon.domain.balance.reconcile import Difference
from parkcarbon.domain.working import Figure, computed
from parkcarbon.kit.db import from_ms

_LABELS: dict[Role, tuple[str, str]] = {
    "import": ("下网电量", "grid import"),
    "generation": ("发电量", "generation"),
    "discharge": ("放电量", "discharge"),
    "load": ("已计量用电", "metered loads"),
    "charge": ("充电量", "charge"),
    "export": ("上网电量", "grid export"),
}


def balance_figure(balance: Balance, hour_ms: int | None = None) -> Figure:
    """Unmetered = supply less all metered uses, of one hour or of all known hours.

    Args:
        balance: of one connection point.
        hour_ms: start of the hour [ms UTC]; None: all known hours.

    Raises:
        LookupError: the hour is not among those of the balance.
    """
    hours = _hours(balance, hour_ms)
    known = bool(hours)
    supply = _sum(balance, hours, ("import", "generation", "discharge"), "supply", ("供入", "supply"))
    uses = _sum(balance, hours, ("load", "charge", "export"), "metered_uses", ("已计量去向", "metered uses"))
    value = sum(int(balance.unmetered[hour]) for hour in hours) / 1e6 if known else None
    notes = () if known else ("an input is not known: the hour is unknown, not zero",)
    if not known:
        return Figure("unmetered", None, "kWh", "difference", (supply, uses), notes=notes, rule="5.6")
    return computed(
        "unmetered",
        "difference",
        "kWh",
        supply,
        uses,
        value=value,
        label_zh="未计量及损耗",
        label_en="unmetered and losses",
        rule="5.6",
    )


def unmetered_figure(balance: Balance) -> Figure:
    """The unmetered part of the known hours in percent of the import or of the supply, as the band has it."""
    rest = balance_figure(balance)
    role = balance.band.of
    terms = [term for term in rest.terms[0].terms if role == "supply" or term.name == "import"]
    whole = rest.terms[0] if role == "supply" else (terms[0] if terms else Figure("import", None, "kWh"))
    share = computed("share", "quotient", "1", rest, whole)
    hundred = Figure("percent", 100.0, "%", source={"kind": "setting", "what": "percent of one"})
    return computed(
        "unmetered_pct",
        "product",
        "%",
        hundred,
        share,
        label_zh="未计量及损耗占比",
        label_en=f"unmetered and losses, share of {role}",
        notes=(f"band {balance.band.low_pct:g} to {balance.band.high_pct:g} % of {role}",),
    )


def reconcile_figure(difference: Difference, unit: str = "kWh") -> Figure:
    """A difference of two sides with the error that the meters may have; shown whatever its size."""
    sides = [
        Figure(
            side.name,
            None if side.amount_micro is None else side.amount_micro / 1e6,
            unit,
            source={"kind": "interval" if side.name != "bill" else "entry", "missing_h": side.missing_h},
        )
        for side in (difference.left, difference.right)
    ]
    beyond = difference.beyond_error
    low, high = (end / 1e6 for end in difference.allowed_micro)
    notes = [f"combined error ± {difference.error_micro / 1e6:.6g} {unit}"]
    if (low, high) != (0, 0):
        notes.append(f"{low:.6g} to {high:.6g} {unit} may be unmetered")
    notes.append({True: "beyond the meters' error", False: "within the meters' error", None: "not known"}[beyond])
    return computed("difference", "difference", unit, *sides, rule="6.11", notes=tuple(notes))


def storage_figure(found: StorageOf) -> Figure:
    """Loss = charge - discharge - change of the state of charge x capacity; counted as load."""
    storage, loss = found.storage, found.loss
    charge = _given("charge", None if loss is None else loss.charge_micro, storage.charge)
    discharge = _given("discharge", None if loss is None else loss.discharge_micro, storage.discharge)
    ends = [
        Figure(name, soc, "%", source={"kind": "register", "point": storage.soc or storage.storage})
        for name, soc in (("soc_end", found.soc_to_pct), ("soc_begin", found.soc_from_pct))
    ]
    per_pct = Figure("kwh_per_pct", storage.capacity_kwh / 100, "kWh/%", source={"kind": "setting", "what": "capacity"})
    change = computed("soc_change", "difference", "%", *ends)
    stored = computed("stored", "product", "kWh", change, per_pct)
    return computed(
        "storage_loss",
        "difference",
        "kWh",
        charge,
        discharge,
        stored,
        label_zh="储能损耗",
        label_en="storage loss",
        rule="5.6",
        notes=("counted as load; discharge carries no emission factor",),
    )


def _hours(balance: Balance, hour_ms: int | None) -> list[int]:
    if hour_ms is None:
        return [hour for hour, known in enumerate(balance.known.tolist()) if known]
    starts: list[int] = balance.start_ms.tolist()
    if hour_ms not in starts:
        raise LookupError(f"{from_ms(hour_ms).isoformat()} is no hour of this balance")
    hour = starts.index(hour_ms)
    return [hour] if bool(balance.known[hour]) else []


def _sum(balance: Balance, hours: Sequence[int], roles: tuple[Role, ...], name: str, label: tuple[str, str]) -> Figure:
    terms = [_role(balance, hours, role) for role in roles if balance.has(role)]
    return computed(name, "sum", "kWh", *terms, label_zh=label[0], label_en=label[1])


def _role(balance: Balance, hours: Sequence[int], role: Role) -> Figure:
    zh, en = _LABELS[role]
    terms = []
    for channel, amount in zip(balance.channels, balance.signed, strict=True):
        if channel.role == role:
            sign = -1 if role in {"load", "charge", "export"} else 1
            micro = sign * sum(int(amount[hour]) for hour in hours)
            terms.append(_given(channel.point, micro if hours else None, channel.point, len(hours)))
    return computed(role, "sum", "kWh", *terms, label_zh=zh, label_en=en)


def _given(name: str, micro: int | None, point: str, hours: int | None = None) -> Figure:
    source: dict[str, object] = {"kind": "interval", "point": point}
    if hours is not None:
        source["hours"] = hours
    return Figure(name, None if micro is None else micro / 1e6, "kWh", source=source)
