"""What stands against closing a period: some of it can be overridden with a reason, some cannot.

References:
    accounting rules 3.11 (no unresolved data gap, period closed), 6.7 (what is missing is shown), 6.9 (a new version,
    never an edit).
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from parkcarbon.books.amounts import Period, month_before
from parkcarbon.books.facts import LATEST, QUERIES, Entry, Facts, entry_states
from parkcarbon.books.inventory import Inputs, inventory_of
from parkcarbon.books.quality.questions import open_questions
from parkcarbon.catalog.entries.activity import Electricity, Feedstock, FuelBurnt, Heat
from parkcarbon.domain.inventory import Inventory
from parkcarbon.domain.reading import Method
from parkcarbon.kit.db import Session, from_ms

Json = dict[str, Any]
What = Literal[
    "running",
    "open_months",
    "recompute",
    "unsettled",
    "question",
    "gap",
    "not_in_total",
    "missing_entry",
    "unapproved_entry",
    "unapproved_substitution",
]

_GAP_TOLD: Final = 1e-4  # share of the metered time
_WHOLE_MONTH: Final = dt.timedelta(days=27)
_FLOW_OF: Final = {"received": "import", "generated": "generation", "delivered": "export"}
_NAMED_BY: Final = ("source", "product", "fuel", "substance", "subject", "category", "meter", "point", "name")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason not to close.

    Attributes:
        what: kind of obstacle.
        message: what it is, in a sentence.
        hard: True when no reason overrides it.
        items: what is behind it, the first of them.
    """

    what: What
    message: str
    hard: bool = False
    items: tuple[Json, ...] = ()

    def document(self) -> Json:
        """Plain JSON."""
        return {"what": self.what, "message": self.message, "hard": self.hard, "items": list(self.items)}


async def obstacles_of(session: Session, inputs: Inputs, live: Inputs) -> list[Obstacle]:
    """What stands against freezing an inventory.

    Args:
        session: a connection that sees what was committed until now.
        inputs: what would be frozen, as known a minute ago; its amounts were read before this is called.
        live: the same as known now.
    """
    park, period = inputs.facts.park, inputs.period
    times = from_ms(period.from_ms), from_ms(period.to_ms)
    result, newest = inventory_of(inputs, final=True), inventory_of(live, final=True)
    found = [*await _unsettled(session, inputs, result, newest)]
    if waiting := await session.fetch(QUERIES["recompute_waits"], park, *times):
        points = sorted({row["point"] for row in waiting})
        told = f"{len(points)} points are about to be computed again"
        found.append(Obstacle("recompute", told, hard=True, items=tuple({"point": point} for point in points[:20])))
    if questions := await open_questions(session, park, period.from_ms, period.to_ms):
        first = "{point} at {at}: {kind}".format_map(questions[0])
        found.append(
            Obstacle(
                "question", f"{len(questions)} questions are open, the first: {first}", items=tuple(questions[:20])
            )
        )
    found += _gaps(result, inputs)
    found += missing_entries(live.facts, period)
    return [*found, *await _unapproved(session, park, period)]


async def _unapproved(session: Session, park: str, period: Period) -> list[Obstacle]:
    """What waits for a second person: entries and substitutions."""
    found = []
    rows = await session.fetch(QUERIES["entries_at"], park, LATEST)
    states = entry_states(rows)
    pending = [
        {"entry": row["entry_id"], "kind": row["kind"], "author": row["author"]}
        for row in rows
        if states[row["entry_id"]] == "pending" and row["from_day"] < period.to_day and row["to_day"] > period.from_day
    ]
    if pending:
        numbers = ", ".join(str(item["entry"]) for item in pending[:20])
        told = f"{len(pending)} entries wait for a second person: {numbers}"
        found.append(Obstacle("unapproved_entry", told, items=tuple(pending[:20])))
    times = from_ms(period.from_ms), from_ms(period.to_ms)
    if waiting := await session.fetch(QUERIES["unreviewed_substitutions"], park, *times):
        numbers = ", ".join(f"{row['substitution_id']} ({row['point']})" for row in waiting[:20])
        told = f"{len(waiting)} substitutions wait for a second person: {numbers}"
        found.append(Obstacle("unapproved_substitution", told, items=tuple(dict(row) for row in waiting[:20])))
    return found


async def _unsettled(session: Session, inputs: Inputs, result: Inventory, newest: Inventory) -> Iterator[Obstacle]:
    """What was recorded within the last minute: what was known a minute ago is then not what is stored now."""
    period, as_of = inputs.period, inputs.facts.as_of
    times = from_ms(period.from_ms), from_ms(period.to_ms)
    late = await session.fetchval(QUERIES["unsettled_batches"], inputs.facts.park, *times, as_of)
    changed = await session.fetchval(QUERIES["config_changed_after"], as_of)
    reasons = [f"{late} batches with readings of the period"] if late else []
    reasons += ["a change of meters, factors or corrections"] if changed else []
    reasons += ["entries or instruments that change it"] if _differ(result, newest) else []
    if not reasons:
        return iter(())
    told = f"within the last minute came {', '.join(reasons)}: try again in a minute"
    return iter([Obstacle("unsettled", told, hard=True)])


def _differ(one: Inventory, other: Inventory) -> bool:
    left, right = one.document(), other.document()
    return any(left[name] != right[name] for name in left if name != "known_on")


def _gaps(result: Inventory, inputs: Inputs) -> Iterator[Obstacle]:
    missing = result.states.get(Method.MISSING.name.lower(), 0.0)
    if missing > _GAP_TOLD:
        silent = tuple({"point": point.point} for point in inputs.points if _misses(point.expected_ms, point.method_ms))
        yield Obstacle("gap", f"{100 * missing:.3g} % of the metered time is missing", items=silent[:20])
    if result.not_in_total:
        names = ", ".join(str(item["point"]) for item in result.not_in_total[:5])
        told = f"{len(result.not_in_total)} amounts are not in the total: {names}"
        yield Obstacle("not_in_total", told, items=tuple(dict(item) for item in result.not_in_total[:20]))


def _misses(expected_ms: int, method_ms: Any) -> bool:
    known = sum(time_ms for method, time_ms in method_ms.items() if method is not Method.MISSING)
    return bool(expected_ms - known > _GAP_TOLD * expected_ms)


def missing_entries(facts: Facts, period: Period) -> list[Obstacle]:
    """What was entered for the whole of the period before and not for this one.

    What a meter that was installed since then counts is not missing: it took over from the entries.

    Args:
        facts: the park as known.
        period: that is to be closed.
    """
    before = month_before(period, facts.zone)
    there = {_subject(entry) for entry in _over(facts.entries, period)}
    usual = {_subject(entry): entry for entry in _over(facts.entries, before) if _is_regular(entry)}
    metered = _installed_since(facts, before)
    missing = [entry for subject, entry in usual.items() if subject not in there and _flow_of(entry) not in metered]
    if not missing:
        return []
    items = tuple(
        {"kind": entry.kind, "tenant": entry.tenant, "name": _subject(entry)[2], "last": entry.entry_id}
        for entry in missing
    )
    told = ", ".join(" ".join(part for part in _subject(entry) if part) for entry in missing[:5])
    return [
        Obstacle("missing_entry", f"entered for {before.label} and not for {period.label}: {told}", items=items[:20])
    ]


def _over(entries: Iterable[Entry], period: Period) -> list[Entry]:
    return [entry for entry in entries if entry.from_day < period.to_day and entry.to_day > period.from_day]


def _installed_since(facts: Facts, period: Period) -> set[tuple[str, str]]:
    """Carrier and flow of the meters whose first episode begins after the first moment of a period."""
    begin = from_ms(period.from_ms)
    return {
        (point.carrier, point.flow or "")
        for point in facts.metered()
        if point.active and point.point in facts.installed and facts.installed[point.point] > begin
    }


def _flow_of(entry: Entry) -> tuple[str, str]:
    """Carrier and flow of a meter that counts the same as an entry; empty where none does."""
    content = entry.content
    if isinstance(content, Electricity):
        return "electricity", _FLOW_OF[content.direction]
    if isinstance(content, FuelBurnt) and not isinstance(content, Feedstock):
        return content.fuel, "fuel"
    return ("heat", "heat") if isinstance(content, Heat) else ("", "")


def _is_regular(entry: Entry) -> bool:
    return entry.to_day - entry.from_day > _WHOLE_MONTH


def _subject(entry: Entry) -> tuple[str, str, str]:
    name = next((found for member in _NAMED_BY if (found := getattr(entry.content, member, None))), "")
    return entry.kind, entry.tenant or "", str(name)
