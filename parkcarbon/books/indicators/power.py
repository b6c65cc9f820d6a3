"""Hourly matching and the green-power duty, from the books."""

import datetime as dt
from typing import Any

import numpy as np

from parkcarbon.books.amounts import Period, hourly_amounts
from parkcarbon.books.facts import Entry, Facts
from parkcarbon.books.instruments.load import load_clean_hourly, load_cover
from parkcarbon.books.inventory import Inputs
from parkcarbon.books.quality.balance import HourlySource, balance_of, behind_connections
from parkcarbon.catalog.entries import management
from parkcarbon.catalog.indicators import duty_shares
from parkcarbon.domain.indicators.datasets import DutyShare, duty_share
from parkcarbon.domain.indicators.duty import Duty
from parkcarbon.domain.indicators.matching import HOUR_MS, Matching, match_hours
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.readings import BoolArray, Int64Array
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.submeters import weights
from parkcarbon.kit.db import Session
from parkcarbon.kit.db import to_ms as ms_of

Json = dict[str, Any]


def hourly_source(facts: Facts) -> HourlySource:
    """Where hourly amounts come from: stored ones are those of now, never those of a past date.

    Raises:
        RefusedError: the park is asked for as known on a past date.
    """
    if facts.now is None:
        raise RefusedError("6.9", f"hourly amounts as known on {facts.as_of.isoformat()} cannot be computed yet")
    return hourly_amounts


async def matching_of(session: Session, inputs: Inputs, *, hourly: HourlySource | None = None) -> Matching:
    """Match the load of a period with own generation used inside and hour-stamped certificates.

    Hours whose meters contradict each other (a negative load) are not known. Self-used generation whose certificates
    were sold is another's: its part of every hour is taken out.

    Args:
        session: a connection.
        inputs: of the period.
        hourly: where hourly amounts come from; None: the stored ones.
    """
    facts, period = inputs.facts, inputs.period
    source = hourly or hourly_source(facts)
    last_ms = max(period.from_ms, min(period.to_ms, _whole_hour(period.from_ms, facts.until)))
    start_ms = np.arange(period.from_ms, last_ms, HOUR_MS, dtype=np.int64)
    load, own = np.zeros(len(start_ms), np.int64), np.zeros(len(start_ms), np.int64)
    known = np.ones(len(start_ms), np.bool_)
    for behind in behind_connections(facts):
        balance = balance_of(behind, await source(session, facts, behind.points, period.from_ms, last_ms))
        supplied = balance.of("import") + balance.of("generation") + balance.of("discharge")
        load += supplied - balance.of("charge") - balance.of("export")
        own += np.maximum(balance.of("generation") - balance.of("export"), 0)
        rows = [at for at, channel in enumerate(balance.channels) if channel.role != "load"]
        known &= np.logical_and.reduce(balance.input_known[rows]) if rows else np.zeros(len(start_ms), np.bool_)
    known &= load >= 0
    stamped = await load_clean_hourly(session, facts, start_ms)
    without_hour = max(inputs.cover.covered_micro_kwh - int(stamped.sum()), 0)
    own = _without_sold(own, known, inputs.cover.void_micro_kwh)
    return match_hours(start_ms, load, [own, stamped], known, certified_unstamped_micro=without_hour)


def _without_sold(own: Int64Array, known: BoolArray, void_micro: int) -> Int64Array:
    """Own generation less the part whose certificates were sold, the same part of every hour."""
    total = int(own[known].sum())
    if not void_micro or not total:
        return own
    kept = max(1 - void_micro / total, 0.0)
    rest: Int64Array = np.floor(own * kept).astype(np.int64)
    return rest


def _whole_hour(from_ms: int, moment: dt.datetime) -> int:
    return from_ms + max(0, ms_of(moment) - from_ms) // HOUR_MS * HOUR_MS


async def duties_of(session: Session, inputs: Inputs) -> list[Duty]:
    """The green-power duty of every tenant whose industry was entered.

    Args:
        session: a connection.
        inputs: of the period; consumption is what the tenant's own meters counted.
    """
    facts, period = inputs.facts, inputs.period
    found = []
    for entry in _industries(facts, period):
        content = entry.content
        assert isinstance(content, management.GreenPowerDuty)  # noqa: S101 - chosen by kind
        tenant = entry.tenant or ""
        consumed = consumption_micro(inputs.points, tenant)
        cover = await load_cover(session, facts, period, purchased_micro_kwh=consumed, tenant=tenant)
        share, reason = _share(facts, entry, content, period.year)
        found.append(
            Duty(
                tenant=tenant,
                industry=content.industry,
                consumption_micro=consumed,
                cancelled_micro=cover.covered_micro_kwh,
                own_used_micro=cover.proved_micro_kwh,
                share=share,
                reason=reason,
            )
        )
    return found


def _industries(facts: Facts, period: Period) -> list[Entry]:
    """The latest entry of each tenant's industry for days of the period."""
    latest: dict[str, Entry] = {}
    for entry in facts.entries:
        overlaps = entry.from_day < period.to_day and entry.to_day > period.from_day
        if isinstance(entry.content, management.GreenPowerDuty) and entry.tenant is not None and overlaps:
            latest[entry.tenant] = entry
    return [latest[tenant] for tenant in sorted(latest)]


def _share(facts: Facts, entry: Entry, content: management.GreenPowerDuty, year: int) -> tuple[DutyShare | None, str]:
    region = facts.document.method.electricity_region
    if content.share_pct is not None:
        source = f"entry {entry.entry_id}: {entry.evidence}"
        share = DutyShare(
            region,
            content.industry,
            year,
            content.share_pct,
            content.status,
            content.document,
            source,
            entry_id=entry.entry_id,
        )
        return share, ""
    found = duty_share(duty_shares(), region=region, industry=content.industry, year=year)
    reason = f"no share of {content.industry} is known for {region} in {year}; enter it with its document"
    return found, "" if found is not None else reason


def consumption_micro(points: tuple[PointAmount, ...], tenant: str) -> int | None:
    """Electricity that a tenant's own meters counted [1e-6 kWh]; None: none is known, or one of them is not."""
    metered = [point for point in points if point.carrier == "electricity" and point.flow == "sub_meter"]
    signs = weights(metered, lambda point: point.tenant == tenant)
    mine = [point for point in metered if point.point in signs]
    if not mine or not all(point.known for point in mine):
        return None
    return sum(
        signs[point.point] * (-point.amount_micro if point.point.endswith("_export") else point.amount_micro)
        for point in mine
    )
