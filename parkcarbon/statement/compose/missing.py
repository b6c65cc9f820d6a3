"""What a statement waits for: bills, certificates, production, meters, second persons, each with owner and date."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from parkcarbon.books.facts import QUERIES, Entry, counts
from parkcarbon.books.periods.obstacles import missing_entries
from parkcarbon.books.quality.reconcile import missing_ms
from parkcarbon.catalog.entries.management import Production
from parkcarbon.catalog.entries.metering import Bill
from parkcarbon.catalog.park_statement import Expected
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.kit.db import from_ms, load_queries, to_ms
from parkcarbon.statement.record import Missing, Text

from .context import Context
from .wording.translate import said
from .wording.words import of_name

_QUERIES: Final = load_queries("parkcarbon.statement")

TOLD: Final = 1e-4
"""Share of a meter's time from which its gap is told, as `books.periods.obstacles` has it."""

AMOUNTS: Final = frozenset({"electricity", "fuel", "refrigerant", "process", "heat", "steam", "cooling", "scope3"})
"""Kinds of entries that are amounts of the inventory."""

MOST_METERS: Final = 50
"""So many meters are named one by one."""

NO_FUEL: Final = "no fuel is metered: scope 1 is not known"

_MANAGER: Final = "energy manager"
_REVIEWER: Final = "reviewer"
_CARRIERS: Final = {
    "electricity": Text("电力", "electricity"),
    "gas": Text("燃气", "gas"),
    "heat": Text("热力", "heat"),
}


async def missing_of(context: Context) -> tuple[Missing, ...]:
    """Everything that is pending, in a fixed order; nothing is pending twice."""
    found = [
        *_expected(context),
        *_usual(context),
        *_left_out(context),
        *_no_source(context),
        *_meters(context),
        *await _second_persons(context),
    ]
    return tuple({item.item: item for item in reversed(found)}[name] for name in dict.fromkeys(i.item for i in found))


def due_on(context: Context, day: int) -> str:
    """The day after the period's end that has this number, the first being 1."""
    return (context.period.to_day + dt.timedelta(days=day - 1)).isoformat()


def _item(context: Context, item: str, text: Text, owner: str, day: int | None = None) -> Missing:
    due = context.facts.document.statement.due_day if day is None else day
    return Missing(item, text, owner, due_on(context, due))


def _expected(context: Context) -> Iterator[Missing]:
    """What the park document says that a month waits for, and that nobody entered."""
    certificates = None
    for expected in context.facts.document.statement.expects:
        if expected.item == "certificates":
            certificates = expected
        elif not any(_answers(context, expected, entry) for entry in context.facts.entries):
            whose = "" if expected.tenant is None else f":{expected.tenant}"
            kind = f":{expected.kind}" if expected.kind else ""
            item = f"{expected.item}{kind}{whose}"
            yield _item(context, item, _wanted(expected), expected.owner, expected.due_day)
    yield from _certificates(context, certificates)


def _answers(context: Context, expected: Expected, entry: Entry) -> bool:
    """True for an entry that is waited for; a bill belongs to the period that it ends in."""
    period = context.period
    if entry.tenant != expected.tenant:
        return False
    if expected.item == "bill":
        ends_inside = period.from_day < entry.to_day <= period.to_day
        return isinstance(entry.content, Bill) and entry.content.carrier == expected.kind and ends_inside
    overlaps = entry.from_day < period.to_day and entry.to_day > period.from_day
    if expected.item == "production":
        return overlaps and isinstance(entry.content, Production)
    return overlaps and entry.kind == expected.kind


def _wanted(expected: Expected) -> Text:
    of = "" if expected.tenant is None else f" {expected.tenant}"
    if expected.item == "bill":
        carrier = _CARRIERS.get(expected.kind, Text(expected.kind, expected.kind))
        return Text(f"{carrier.zh}账单{of}", f"bill of {carrier.en}{of}")
    if expected.item == "production":
        return Text(f"产量{of}", f"production{of}")
    return Text(f"录入 {expected.kind}{of}", f"entry: {expected.kind}{of}")


def _certificates(context: Context, expected: Expected | None) -> Iterator[Missing]:
    """Certificates that would count once cancelled, or none at all where a month waits for them."""
    cover = context.inputs.cover
    waiting = [item for item in cover.pending if "micro_kwh" in item]
    used = any(item.get("effect") == "covers_purchased" for item in cover.used)
    flash = context.order.kind == "flash"
    if not waiting and (expected is None or (used and not flash)):
        return
    lots = f"{len(waiting)} " if waiting else ""
    text = Text(
        f"绿证待核销：{lots}项" if waiting else "绿证核销待确认",
        f"certificates pending: {lots}to be cancelled" if waiting else "certificates pending",
    )
    owner = _MANAGER if expected is None else expected.owner
    yield _item(context, "certificates", text, owner, None if expected is None else expected.due_day)


def _usual(context: Context) -> Iterator[Missing]:
    """Amounts that were entered for the period before and not for this one."""
    for obstacle in missing_entries(context.facts, context.period):
        for item in obstacle.items:
            if item["kind"] not in AMOUNTS:
                continue
            parts = [str(item[name]) for name in ("kind", "tenant", "name") if item[name]]
            told = " ".join(parts)
            text = Text(f"上期有录入、本期没有：{told}", f"entered for the period before and not for this: {told}")
            yield _item(context, f"entry:{'/'.join(parts)}", text, _MANAGER)


def _left_out(context: Context) -> Iterator[Missing]:
    """Amounts without a factor; what has no readings is among the meters."""
    silent = {point.point for point in context.inputs.points if not point.known}
    for item in context.inventory.not_in_total:
        name = str(item["point"])
        if name not in silent:
            reason = said(str(item["reason"]))
            text = Text(f"{name} 未计入合计：{reason.zh}", f"{name} is not in the total: {reason.en}")
            yield _item(context, f"not_in_total:{name}", text, _MANAGER)


def _no_source(context: Context) -> Iterator[Missing]:
    """Scope 1 of which nothing is metered, entered or declared absent."""
    if NO_FUEL in context.inventory.warnings:
        zh = said(NO_FUEL).zh
        text = Text(
            f"{zh}；录入燃料，或在园区文件 method.absent_scopes 中声明没有",
            f"{NO_FUEL}; enter fuel, or declare in the park document (method.absent_scopes) that there is none",
        )
        yield _item(context, "scope1", text, _MANAGER)


def gap_share(context: Context, point: PointAmount) -> float:
    """Part of the expected time of which nothing is known [1]; before its first meter a point has no gap."""
    installed = context.facts.installed.get(point.point)
    before_ms = 0 if installed is None else max(to_ms(installed) - context.period.from_ms, 0)
    expected_ms = point.expected_ms - before_ms
    return (missing_ms(point) - before_ms) / expected_ms if expected_ms > 0 else 0.0


def _meters(context: Context) -> Iterator[Missing]:
    """Meters with gaps, each with the share of its time that is missing."""
    owner = context.facts.document.statement.meter_owner
    silent = [point for point in context.inputs.points if point.flow is not None and gap_share(context, point) > TOLD]
    for point in silent[:MOST_METERS]:
        name = of_name(context.device_names.get(point.point.partition("/")[0]))
        share = f"{100 * gap_share(context, point):.3g} %"
        text = Text(f"{name.zh} {point.point} 缺失 {share}", f"{name.en} {point.point}: {share} of its time is missing")
        yield _item(context, f"meter:{point.point}", text, owner)
    if len(silent) > MOST_METERS:
        rest = len(silent) - MOST_METERS
        text = Text(f"另有 {rest} 个测点缺失数据", f"{rest} more points have gaps")
        yield _item(context, "meters", text, owner)


async def _second_persons(context: Context) -> list[Missing]:
    """Entries and substitutions of the period that wait for a second person."""
    period, found = context.period, []
    rows = await context.session.fetch(QUERIES["entries_at"], context.facts.park, context.facts.as_of)
    waiting = [
        row["entry_id"]
        for row in rows
        if row["decision"] is None
        and not counts(row)
        and row["from_day"] < period.to_day
        and row["to_day"] > period.from_day
    ]
    if waiting:
        numbers = ", ".join(map(str, waiting[:20]))
        text = Text(
            f"{len(waiting)} 项录入待复核：{numbers}", f"{len(waiting)} entries wait for a second person: {numbers}"
        )
        found.append(_item(context, "review:entries", text, _REVIEWER))
    known = from_ms(period.from_ms), from_ms(period.to_ms), context.facts.as_of
    open_ones = await context.session.fetch(_QUERIES["open_substitutions"], context.facts.park, *known)
    if open_ones:
        numbers = ", ".join(str(row["substitution_id"]) for row in open_ones[:20])
        text = Text(
            f"{len(open_ones)} 项替代待复核：{numbers}",
            f"{len(open_ones)} substitutions wait for a second person: {numbers}",
        )
        found.append(_item(context, "review:substitutions", text, _REVIEWER))
    return found
