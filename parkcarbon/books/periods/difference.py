"""What has changed since a period was closed: line by line, before and after, and the facts that came since."""

import datetime as dt
from typing import Any, Final

import msgspec

from parkcarbon.books.amounts import Period
from parkcarbon.books.facts import LATEST, QUERIES
from parkcarbon.books.inventory import inventory_of, load_inputs
from parkcarbon.books.periods.closing import Frozen, frozen
from parkcarbon.domain.difference import LineChange, line_changes, other_changes, total_changes
from parkcarbon.kit.db import Row, Session, from_ms

Json = dict[str, Any]

_POINTS_LOOKED_AT: Final = 50
_RENAMED: Final = {"by_gas_kg": "by_gas_kg_co2e"}


async def difference(session: Session, park: str, period: str, *, now: dt.datetime, version: int | None = None) -> Json:
    """Compare what was frozen with what is known now, or a version with the one before it.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        park: id.
        period: that was closed at least once.
        now: time of now.
        version: None: the newest version and now; else this version and the one before it.

    Raises:
        LookupError: there is no such version.
    """
    if version is not None:
        return await _between(session, park, period, version)
    before = await _version(session, park, period, None)
    inputs = await load_inputs(session, park, period, now=now)
    after = msgspec.json.decode(inventory_of(inputs, final=True).to_bytes())
    facts = await _facts_since(session, park, inputs.period, before.as_of)
    changes = line_changes(_document(before), after)
    points = inputs.facts.point_ids
    changed = {change.source: points[change.source] for change in changes if change.source in points}
    facts["readings"] = await _late_readings(session, inputs.period, before.as_of, changed, facts["batches"])
    found = _compared(before, after, changes, facts)
    return found | {"to": {"version": None, "known_on": after["known_on"], "digest": None}}


async def _between(session: Session, park: str, period: str, version: int) -> Json:
    after, before = [await _version(session, park, period, number) for number in (version, version - 1)]
    document = _document(after)
    changes = line_changes(_document(before), document)
    found = _compared(before, document, changes, {})
    return found | {"to": {"version": version, "known_on": document["known_on"], "digest": after.digest.hex()}}


async def _version(session: Session, park: str, period: str, version: int | None) -> Frozen:
    found = await frozen(session, park, period, version=version)
    if found is None:
        raise LookupError(
            f"{period} of {park} was never closed" if version is None else f"no version {version} of {period}"
        )
    return found


def _document(version: Frozen) -> Json:
    document: Json = renamed(msgspec.json.decode(version.body))
    return document


def renamed(value: Any) -> Any:
    """What was frozen under a member's former name, under its name of now: another name is no difference.

    >>> renamed({"totals": {"location": {"by_gas_kg": {"CO2": 1.0}}}})
    {'totals': {'location': {'by_gas_kg_co2e': {'CO2': 1.0}}}}
    """
    if isinstance(value, dict):
        return {_RENAMED.get(name, name): renamed(member) for name, member in value.items()}
    return [renamed(member) for member in value] if isinstance(value, list) else value


def _compared(before: Frozen, after: Json, changes: list[LineChange], facts: Json) -> Json:
    was = _document(before)
    others = other_changes(was, after)
    return {
        "period": before.period,
        "from": {"version": before.version, "known_on": was["known_on"], "digest": before.digest.hex()},
        "identical": not changes and not others,
        "lines": [change.document() | {"causes": causes(change, was, after, facts)} for change in changes],
        "totals": total_changes(was, after),
        "also_changed": others,
        "credits_retired_kg": before.basis["ledger"]["retired_kg"],
        "facts": facts,
    }


def causes(change: LineChange, before: Json, after: Json, facts: Json) -> list[str]:
    """What explains a change, in sentences; the facts recorded since are what it can have been.

    Args:
        change: of one line.
        before: the inventory that was frozen.
        after: the one of now.
        facts: recorded since.
    """
    found = []
    if before["method_version"] != after["method_version"]:
        found.append(f"method {before['method_version']} became {after['method_version']}")
    if "factors" in change.what and change.before and change.after:
        found.append(f"factor {_factors(change.before)} became {_factors(change.after)}")
    if change.entry:
        found.append(_entry_cause(change))
    if "instruments" in change.what and not change.entry:
        found.append("certificates cover another amount")
    found += [
        f"{row['readings']} readings came later" for row in facts.get("readings", ()) if row["point"] == change.source
    ]
    found += [
        f"{row['what']} number {row['number']} by {row['author']}: {row['reason']}"
        for row in facts.get("decisions", ())
        if row["point"] == change.source
    ]
    if not found:
        found = [f"park document revision {row['revision']}: {row['reason']}" for row in facts.get("revisions", ())]
    return found


def _entry_cause(change: LineChange) -> str:
    if change.before is None:
        return f"{change.entry} was entered or approved later"
    return (
        f"{change.entry} was superseded or withdrawn" if change.after is None else f"{change.entry} counts differently"
    )


def _factors(line: Any) -> str:
    return ", ".join(f"{factor['factor']} = {factor['value']}" for factor in line["factors"]) or "none"


async def _facts_since(session: Session, park: str, period: Period, since: dt.datetime) -> Json:
    """What was recorded since then that the period may rest on."""
    times = from_ms(period.from_ms), from_ms(period.to_ms)
    batches = await session.fetch(QUERIES["late_batches"], park, *times, since)
    decisions = await session.fetch(QUERIES["late_decisions"], park, *times, since)
    revisions = await session.fetch(QUERIES["late_revisions"], park, since)
    entries = await session.fetch(QUERIES["entries_at"], park, LATEST)
    return {
        "batches": [_plain(row) for row in batches],
        "decisions": [_plain(row) for row in decisions],
        "revisions": [_plain(row) for row in revisions],
        "entries": [
            {"entry": row["entry_id"], "kind": row["kind"], "author": row["author"], "withdrawal": row["withdrawn"]}
            for row in entries
            if row["from_day"] < period.to_day and row["to_day"] > period.from_day and _newest(row) > since
        ],
    }


def _newest(row: Row) -> dt.datetime:
    newest: dt.datetime = max(row["recorded_at"], row["reviewed_at"] or row["recorded_at"])
    return newest


async def _late_readings(
    session: Session, period: Period, since: dt.datetime, points: dict[str, int], batches: list[Json]
) -> list[Json]:
    """Readings of changed points that came since, looked for where late batches can have any."""
    if not batches or not points:
        return []
    ids = [points[name] for name in sorted(points)[:_POINTS_LOOKED_AT]]
    first = max(from_ms(period.from_ms), min(dt.datetime.fromisoformat(batch["t_min"]) for batch in batches))
    last = min(
        from_ms(period.to_ms),
        max(dt.datetime.fromisoformat(batch["t_max"]) for batch in batches) + dt.timedelta(milliseconds=1),
    )
    return [_plain(row) for row in await session.fetch(QUERIES["late_readings"], ids, first, last, since)]


def _plain(row: Row) -> Json:
    return {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, dt.datetime) else value
        for name, value in row.items()
    }
