"""`parkcarbon balance`: hours, reconciliation, suspect runs and data quality of a period."""

import argparse
import datetime as dt

from parkcarbon.books.amounts import Period
from parkcarbon.books.facts import Facts
from parkcarbon.books.inventory import facts_at
from parkcarbon.books.quality import balance, reconcile
from parkcarbon.books.quality import states as quality
from parkcarbon.books.quality.balance_documents import balance_document, reconciliation_document
from parkcarbon.domain.balance.quality import COMPLETE_PCT
from parkcarbon.kit.db import Session

from .common import add_park, moment, open_database, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True)
    hours = actions.add_parser("hours", help="import + generation + discharge against all uses, by the hour")
    hours.add_argument("--list", action="store_true", help="every hour, not only the sums")
    runs = actions.add_parser("runs", help="runs of zeros and of one value: proposals, nothing is replaced")
    compared = actions.add_parser("reconcile", help="gate against sub-meters and against the bills, on their days")
    found = actions.add_parser("quality", help="completeness and shares by data state")
    found.add_argument("--complete-pct", type=float, default=COMPLETE_PCT, help="from when data count as complete")
    for action in (hours, runs, compared, found):
        add_park(action)
        action.add_argument("--period", required=True, help="2026-03 or 2026")
        action.add_argument("--as-of", type=moment, help="as known then (default: now)")


async def run(options: argparse.Namespace) -> int:
    """Do it; 1 where an hour, a run, a difference or a state asks for a person."""
    async with open_database() as database, database.transaction() as session:
        facts = await facts_at(session, options.park, now=dt.datetime.now(dt.UTC), as_of=options.as_of)
        period = balance.period_at(facts, options.period)
        actions = {"hours": _hours, "runs": _runs, "reconcile": _reconcile, "quality": _quality}
        return await actions[options.action](session, facts, period, options)


async def _hours(session: Session, facts: Facts, period: Period, options: argparse.Namespace) -> int:
    end_ms = balance.end_of(facts, period.from_ms, period.to_ms)
    stores = await reconcile.storage_of(session, facts, period.from_ms, end_ms)
    found = [
        balance_document(part, reconcile.stores_behind(part, stores), hours=options.list)
        for part in await balance.balances(session, facts, period.from_ms, period.to_ms)
    ]
    if options.json:
        say_json({"park": facts.park, "period": period.label, "connections": found})
    else:
        for part in found:
            _say_balance(part)
    return 1 if any(part["suspects"] or part["negative"] for part in found) else 0


def _say_balance(part: balance.Json) -> None:
    energy = {role: kwh for role, kwh in part["energy_kwh"].items() if kwh is not None}
    say(f"{part['connection']}: {part['hours_known']} h known, {part['flagged']} flagged, {part['negative']} negative")
    for role, kwh in energy.items():
        say(f"  {role:<12}{kwh:>18,.3f} kWh")
    if part["unmetered_kwh"] is not None:
        share = "" if part["unmetered_pct"] is None else f"  {part['unmetered_pct']:.2f} % of {part['band']['of']}"
        say(f"  {'unmetered':<12}{part['unmetered_kwh']:>18,.3f} kWh{share}")
    say("  " + ", ".join(f"{state} {count}" for state, count in part["states"].items() if count))
    for suspect in part["suspects"]:
        what = "reversed" if suspect["kind"] == "reversed" else f"ratio off: x {suspect['factor']:.3g} would fit"
        say(f"  suspect {suspect['device']}: {what}; closes {suspect['closed']} of {suspect['hours']} failing hours")
    for store in part["storage"]:
        loss = "not known" if store["loss_kwh"] is None else f"{store['loss_kwh']:,.3f} kWh, counted as load"
        say(f"  storage {store['storage']}: loss {loss}")
    for hour in part.get("hours", []):
        rest = "unknown" if hour["unmetered_kwh"] is None else f"{hour['unmetered_kwh']:.3f} kWh"
        say(f"  {hour['start']}  {hour['state']:<12} unmetered {rest} {' '.join(hour['missing'])}")


async def _runs(session: Session, facts: Facts, period: Period, options: argparse.Namespace) -> int:
    end_ms = balance.end_of(facts, period.from_ms, period.to_ms)
    runs = await quality.suspect_runs(session, facts, period.from_ms, end_ms)
    found = await quality.proposals(session, facts, runs)
    if options.json:
        say_json({"park": facts.park, "period": period.label, "runs": found})
    else:
        for run in found:
            may = "parkcarbon substitute propose --exclude, or leave it" if run["substitute"] else run["why_not"]
            say(f"{run['point']}: {run['hours']} h of {run['value']:g} from {run['from']} ({run['kind']}); {may}")
        say(f"{len(found)} runs, {sum(run['hours'] for run in found)} meter-hours")
    return 1 if found else 0


async def _reconcile(session: Session, facts: Facts, period: Period, options: argparse.Namespace) -> int:
    found = reconciliation_document(await reconcile.reconcile(session, facts, period))
    rows = [(f"{part['connection']}: gate less sub-meters", part, "kWh") for part in found["connections"]]
    rows += [
        (f"bill {bill['from_day']} to {bill['to_day']}", bill["difference"], bill["unit"])
        for bill in found["bills"]
        if bill["difference"] is not None
    ]
    if options.json:
        say_json({"park": facts.park, **found})
    else:
        for title, difference, unit in rows:
            say(f"{title}: {_difference(difference, unit)}")
    return 1 if any(difference["beyond_error"] for _, difference, _ in rows) else 0


def _difference(difference: balance.Json, unit: str) -> str:
    if difference["difference"] is None:
        return "not known"
    verdict = "beyond" if difference["beyond_error"] else "within"
    left, right, (low, high) = difference["left"], difference["right"], difference["allowed"]
    allowed = f"{low:,.3f} to {high:,.3f}" if (low, high) != (0, 0) else "0"
    return (
        f"{left['name']} {left['amount']:,.3f}, {right['name']} {right['amount']:,.3f},"
        f" difference {difference['difference']:,.3f} {unit}, {verdict} {allowed} ± {difference['error']:,.3f}"
    )


async def _quality(session: Session, facts: Facts, period: Period, options: argparse.Namespace) -> int:
    found = await quality.quality_of(session, facts, period, complete_pct=options.complete_pct)
    covered = quality.calibrations(facts, quality.last_day(facts, period))
    if options.json:
        say_json({"park": facts.park, "period": period.label, **found.document(), "calibrations": covered})
    else:
        share = found.completeness_pct
        say("nothing is expected" if share is None else f"complete {share:.3f} % (setting: {found.complete_pct:g} %)")
        for carrier in found.carriers:
            states = ", ".join(f"{name} {100 * part:.2f} %" for name, part in carrier.by_time().items() if part)
            say(f"  {carrier.carrier} [{carrier.unit}]: {states}")
        for point in found.incomplete:
            say(f"  incomplete: {point}")
        for row in covered:
            if row["expired"] or not row["passed"]:
                say(f"  {row['device']}: calibration {'expired' if row['expired'] else 'failed'}, until {row['until']}")
    return 0 if found.complete else 1
