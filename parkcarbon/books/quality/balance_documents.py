"""The balance, reconciliations and storage as plain JSON: what API and command line print."""

from typing import Any

from parkcarbon.books.quality.reconcile import BillCheck, Reconciliation, StorageOf
from parkcarbon.domain.balance.hourly import Balance, HourState, Role, Suspect, suspects
from parkcarbon.domain.balance.reconcile import Difference, Side
from parkcarbon.kit.db import from_ms

Json = dict[str, Any]

ROLES: tuple[Role, ...] = ("import", "generation", "discharge", "load", "charge", "export")


def balance_document(balance: Balance, storage: list[StorageOf], *, hours: bool) -> Json:
    """One connection point over a period.

    Args:
        balance: by the hour.
        storage: stores behind it, over the same period.
        hours: True to list every hour.
    """
    known = int(balance.known.sum())
    whole = balance.total("import")
    if balance.band.of == "supply":
        whole += balance.total("generation") + balance.total("discharge")
    found: Json = {
        "connection": balance.connection,
        "hours_known": known,
        "states": balance.states(),
        "flagged": int(balance.flagged.sum()),
        "negative": int(balance.negative.sum()),
        "energy_kwh": {role: balance.total(role) / 1e6 if known and balance.has(role) else None for role in ROLES},
        "unmetered_kwh": balance.total_unmetered / 1e6 if known else None,
        "unmetered_pct": 100 * balance.total_unmetered / whole if known and whole else None,
        "band": {"low_pct": balance.band.low_pct, "high_pct": balance.band.high_pct, "of": balance.band.of},
        "suspects": [_suspect(suspect) for suspect in suspects(balance)[:5]],
        "storage": [storage_document(item) for item in storage],
        "notes": _notes(balance),
    }
    if hours:
        found["hours"] = hour_documents(balance)
    return found


def hour_documents(balance: Balance) -> list[Json]:
    """Every hour with its state; what is not known is null."""
    sums = {role: balance.of(role).tolist() for role in ROLES if balance.has(role)}
    known, states = balance.known.tolist(), balance.state.tolist()
    low, high = balance.limits
    rows = []
    for at, start in enumerate(balance.start_ms.tolist()):
        rest = int(balance.unmetered[at])
        rows.append(
            {
                "start": _time(start),
                "state": HourState(states[at]).name.lower(),
                "energy_kwh": {role: sums[role][at] / 1e6 if known[at] and role in sums else None for role in ROLES},
                "unmetered_kwh": rest / 1e6 if known[at] else None,
                "band_kwh": [float(low[at]) / 1e6, float(high[at]) / 1e6] if known[at] else None,
                "error_kwh": float(balance.error[at]) / 1e6 if known[at] else None,
                "missing": balance.missing_of(at),
            }
        )
    return rows


def _notes(balance: Balance) -> list[str]:
    notes = []
    if not balance.has("load"):
        notes.append("no use is metered here: nothing can be told from what is unmetered")
    if not balance.has("export") and balance.has("generation"):
        notes.append("export is not metered: what generation leaves over counts as unmetered")
    rejected = balance.states()["rejected"]
    if rejected:
        notes.append(f"{rejected} h have a negative amount and are rejected (rule 5.6)")
    return notes


def _suspect(suspect: Suspect) -> Json:
    return {
        "device": suspect.device,
        "kind": suspect.kind,
        "factor": suspect.factor,
        "hours": suspect.hours,
        "closed": suspect.closed,
        "share": suspect.share,
        "left_kwh": suspect.left_micro / 1e6,
    }


def storage_document(found: StorageOf) -> Json:
    """A store and its loss."""
    loss = found.loss
    return {
        "storage": found.storage.storage,
        "capacity_kwh": found.storage.capacity_kwh,
        "charge_kwh": None if loss is None else loss.charge_micro / 1e6,
        "discharge_kwh": None if loss is None else loss.discharge_micro / 1e6,
        "soc_from_pct": found.soc_from_pct,
        "soc_to_pct": found.soc_to_pct,
        "stored_kwh": None if loss is None or loss.stored_micro is None else loss.stored_micro / 1e6,
        "loss_kwh": None if loss is None or loss.loss_micro is None else loss.loss_micro / 1e6,
        "efficiency": None if loss is None else loss.efficiency,
        "missing_h": found.missing_h,
    }


def reconciliation_document(found: Reconciliation) -> Json:
    """Gate, sub-meters and bills of a period."""
    return {
        "period": found.period.label,
        "connections": [
            {"connection": name, **difference_document(difference)} for name, difference in found.connections.items()
        ],
        "bills": [_bill(check) for check in found.bills],
    }


def difference_document(difference: Difference) -> Json:
    """Two sides and what lies between them."""
    amount = difference.amount_micro
    return {
        "left": _side(difference.left),
        "right": _side(difference.right),
        "difference": None if amount is None else amount / 1e6,
        "percent": difference.percent,
        "error": difference.error_micro / 1e6,
        "allowed": [end / 1e6 for end in difference.allowed_micro],
        "beyond_error": difference.beyond_error,
    }


def _side(side: Side) -> Json:
    return {
        "name": side.name,
        "amount": None if side.amount_micro is None else side.amount_micro / 1e6,
        "error": side.error_micro / 1e6,
        "missing_h": side.missing_h,
    }


def _bill(check: BillCheck) -> Json:
    return {
        "entry": check.entry.entry_id,
        "from_day": check.entry.from_day.isoformat(),
        "to_day": check.entry.to_day.isoformat(),
        "evidence": check.entry.evidence,
        "simulated": check.entry.simulated,
        "carrier": check.bill.carrier,
        "direction": check.bill.direction,
        "unit": check.unit,
        "cost_per_unit": check.cost_per_unit,
        "currency": check.bill.currency,
        "difference": None if check.difference is None else difference_document(check.difference),
        "notes": list(check.notes),
    }


def _time(time_ms: int) -> str:
    return from_ms(time_ms).isoformat().replace("+00:00", "Z")
