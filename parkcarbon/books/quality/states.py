"""Data quality of a park in its books: states and completeness of a period, runs that look wrong, calibrations."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from parkcarbon.books.amounts import HOUR_MS, Period
from parkcarbon.books.facts import QUERIES, Facts, PointFact
from parkcarbon.books.quality.balance import register_step
from parkcarbon.books.sources import COLUMNS, WHOLE, StateSum, sources_of
from parkcarbon.catalog.entries.metering import MeterCertificate
from parkcarbon.domain.balance.quality import PointStates, Quality, quality
from parkcarbon.domain.balance.runs import Run, RunSettings, Watched, find_runs
from parkcarbon.domain.reading import Method
from parkcarbon.kit.db import Session, from_ms
from parkcarbon.kit.db import to_ms as ms_of

Json = dict[str, Any]

_REGISTER_KNOWS: Final = "the register before and after the run says how much it was: nothing is missing"
_AT_A_TIME: Final = 100  # points of one query: a year of hours by 100 points is 7 MB


async def quality_of(session: Session, facts: Facts, period: Period, *, complete_pct: float) -> Quality:
    """Shares by data state and completeness of every metered flow in a period, up to the moment of knowledge.

    Args:
        session: a connection.
        facts: the park as known.
        period: month or year.
        complete_pct: completeness from which data count as complete [%].
    """
    points = [point for point in facts.metered() if point.flow is not None]
    ids = [point.point_id for point in points]
    by_point: dict[int, list[StateSum]] = {}
    for part in await sources_of(facts).states(session, facts, ids, period.from_ms, period.to_ms):
        by_point.setdefault(part.point_id, []).append(part)
    expected_ms = max(0, min(period.to_ms, ms_of(facts.until)) - period.from_ms)
    states = [
        _states(point, by_point.get(point.point_id, []), expected_ms)
        for point in points
        if point.active or point.point_id in by_point
    ]
    return quality(states, complete_pct=complete_pct)


def _states(point: PointFact, parts: list[StateSum], expected_ms: int) -> PointStates:
    known = {part.method: part.known_ms for part in parts}
    return PointStates(
        point=point.point,
        carrier=point.carrier,
        unit=point.unit,
        flow=point.flow,
        amount_micro={part.method: part.amount_micro for part in parts},
        known_ms=known,
        measured_ms=sum(part.measured_ms for part in parts),
        expected_ms=expected_ms if point.active else sum(known.values()),
        suspect_ms=sum(part.suspect_ms for part in parts),
    )


async def suspect_runs(
    session: Session, facts: Facts, start_ms: int, end_ms: int, *, settings: RunSettings | None = None
) -> list[Run]:
    """Runs of zeros and of one value among the measured hours of `[start_ms, end_ms)`; proposals, nothing is changed.

    They are found in what is known now: a proposal is for a person who decides now.

    Args:
        session: a connection.
        facts: the park as known.
        start_ms: start, an hour [ms UTC].
        end_ms: end, exclusive [ms UTC].
        settings: what counts as a run.
    """
    rules = settings or RunSettings()
    if facts.metered("generation", "discharge"):  # where the sun can carry the load, nothing may come in for hours
        rules = replace(rules, quiet_flows=rules.quiet_flows | {"import"})
    points = [p for p in facts.metered() if p.carrier in rules.carriers and p.flow not in rules.quiet_flows]
    found: list[Run] = []
    for at in range(0, len(points), _AT_A_TIME):
        found += await _runs(session, facts, points[at : at + _AT_A_TIME], (start_ms, end_ms), rules)
    return found


async def _runs(
    session: Session, facts: Facts, points: list[PointFact], span: tuple[int, int], rules: RunSettings
) -> list[Run]:
    start = np.arange(span[0], span[1], HOUR_MS, dtype=np.int64)
    ids = [point.point_id for point in points]
    arguments = (ids, from_ms(span[0]), from_ms(span[1]))
    rows = await session.fetch_columns(QUERIES["hourly_amounts"], *arguments, types=COLUMNS)
    amount = np.zeros((len(points), len(start)), dtype=np.int64)
    measured = np.zeros((len(points), len(start)), dtype=np.bool_)
    order = {point_id: at for at, point_id in enumerate(ids)}
    line = np.array([order[int(point_id)] for point_id in rows["point_id"]], dtype=np.int64)
    hour = (rows["start"] - span[0]) // HOUR_MS
    amount[line, hour] = rows["amount_micro"]
    measured[line, hour] = (rows["coverage"] >= WHOLE) & (rows["method"] == Method.MEASURED)
    steps = _steps(facts)
    watched = [Watched(p.point, p.carrier, p.flow, steps.get(p.point, 0)) for p in points]
    return find_runs(watched, start, amount, measured, settings=rules)


def _steps(facts: Facts) -> dict[str, int]:
    """One register step of each point after its ratio [1e-6 unit]."""
    return {
        f"{device.device}/{point.quantity}": register_step(device, point)
        for device in facts.document.devices
        for point in device.points
    }


async def proposals(session: Session, facts: Facts, runs: Sequence[Run]) -> list[Json]:
    """Runs as API and command line show them, with what a person may propose for each.

    Every hour of a run is measured, so a substitution must leave its readings out first. Of a register that is no use
    but where it never spoke before: the readings around the run say how much it was, and nothing would be missing.
    """
    points = {point.point: point for point in facts.points}
    ids = sorted({points[run.point].point_id for run in runs})
    first = {row["point_id"]: ms_of(row["first"]) for row in await session.fetch(QUERIES["first_intervals"], ids)}
    found = []
    for run in runs:
        point = points[run.point]
        register = point.kind == "counter" and first.get(point.point_id, run.from_ms) < run.from_ms
        found.append(_run_document(run, _REGISTER_KNOWS if register else None))
    return found


def _run_document(run: Run, why_not: str | None) -> Json:
    return {
        "substitute": "exclude" if why_not is None else None,
        "why_not": why_not,
        "point": run.point,
        "kind": run.kind,
        "from": from_ms(run.from_ms).isoformat().replace("+00:00", "Z"),
        "to": from_ms(run.to_ms).isoformat().replace("+00:00", "Z"),
        "hours": run.hours,
        "value": run.value_micro / 1e6,
    }


def last_day(facts: Facts, period: Period) -> dt.date:
    """The last day of a period, or today where it is still running."""
    return min(period.to_day - dt.timedelta(days=1), facts.until.astimezone(facts.zone).date())


def calibrations(facts: Facts, day: dt.date) -> list[Json]:
    """Every meter with a flow whose calibration is known, and whether it covers a day: rule 6.5 lists expired ones.

    An entered certificate of a device goes before what its newest episode says.
    """
    entered: dict[str, tuple[dt.date, str, bool]] = {}
    for entry in facts.entries:
        if isinstance(entry.content, MeterCertificate):
            found = (entry.to_day, entry.content.certificate, entry.content.passed)
            if found > entered.get(entry.content.device, (dt.date.min, "", False)):
                entered[entry.content.device] = found
    rows: list[Json] = []
    for device in facts.document.devices:
        flows = [point for point in device.points if point.flow is not None]
        dated = [e.calibrated_until for point in flows for e in point.episodes[-1:] if e.calibrated_until is not None]
        if device.device in entered:
            until, certificate, passed = entered[device.device]
        elif dated:
            until, certificate, passed = min(dated), "", True
        else:
            continue
        rows.append(
            {
                "device": device.device,
                "until": until.isoformat(),
                "certificate": certificate,
                "passed": passed,
                "expired": until <= day,
            }
        )
    return rows
