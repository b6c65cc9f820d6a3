"""What a person should know of a park: open questions, boundaries, decisions, conflicts, losses, refused messages."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence

from parkcarbon.kit.db import Database, Row, Session

from .queries import QUERIES

_NAMES = ("questions", "boundaries", "corrections", "substitutions", "conflicts", "losses", "refused")


async def review_lines(session: Session, park: str, start: dt.datetime, end: dt.datetime) -> list[str]:
    """Return one line for each thing to know of, the open questions first.

    Args:
        session: any connection.
        park: whose.
        start: first time of interest.
        end: end of interest, exclusive.
    """
    rows = {name: await session.fetch(QUERIES[f"review_{name}"], park, start, end) for name in _NAMES}
    return [*_questions(rows["questions"]), *_boundaries(rows["boundaries"]), *_decisions(rows), *_custody(rows)]


async def token_lines(database: Database) -> list[str]:
    """Return one line for each token that was ever made; the token itself is not known here."""
    lines = []
    for row in await database.fetch(QUERIES["review_tokens"]):
        whose = f"park {row['park_id']}" if row["park_id"] else "every park"
        state = f"revoked {_time(row['revoked_at'])}" if row["revoked_at"] else "in force"
        role = f"{row['role']} {row['person']}" if row["person"] else row["role"]
        lines.append(f"{row['label']}: {role}, {whose}, made {_time(row['recorded_at'])}, {state}")
    return lines


def _questions(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        shown = {name: value for name, value in _document(row).items() if not name.endswith(("_ms", "_micro"))}
        told = ", ".join(f"{name} {value}" for name, value in shown.items())
        yield f"question    {_time(row['at'])} {row['point']} {row['kind']}: {told}"


def _boundaries(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        micro = row["amount_micro"]
        amount = "energy across it missing" if micro is None else f"{micro / 1e6:g} {row['unit']} across it"
        yield (
            f"boundary    {_time(row['at'])} {row['point']} {row['kind']}:"
            f" register {row['old_value']} to {row['new_value']}, {amount}"
        )


def _decisions(rows: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    for row in rows["corrections"]:
        told = ", ".join(f"{name} {value}" for name, value in _document(row).items() if value is not None)
        yield (
            f"correction  {_time(row['from_time'])} to {_time(row['to_time'])} {row['point']} {row['kind']}"
            f"{': ' if told else ''}{told} (number {row['correction_id']}, {row['author']},"
            f" {_time(row['recorded_at'])}: {row['reason'] or 'no reason given'}{_effect(row)}{_withdrawn(row)})"
        )
    for row in rows["substitutions"]:
        yield (
            f"substituted {_time(row['from_time'])} to {_time(row['to_time'])} {row['point']} {row['method']}, rule"
            f" {row['rule']} (number {row['substitution_id']}, {row['author']}, {_time(row['recorded_at'])}:"
            f" {row['reason']}{_effect(row)}; {_reviewed(row)})"
        )


def _effect(row: Row) -> str:
    if row["before_micro"] is None:
        return ""
    return f"; {row['before_micro'] / 1e6:g} {row['unit']} before, {row['after_micro'] / 1e6:g} after"


def _withdrawn(row: Row) -> str:
    return "" if row["withdrawn_by"] is None else f"; withdrawn by {row['withdrawn_by']}: {row['withdrawal_reason']}"


def _reviewed(row: Row) -> str:
    if row["withdrawn_by"] is not None:
        return f"withdrawn by {row['withdrawn_by']}"
    if row["decision"] != "approved":
        return "not reviewed" if row["decision"] is None else f"rejected by {row['person']}"
    measured = f", {row['superseded']} of {row['intervals']} intervals measured by now" if row["superseded"] else ""
    return f"approved by {row['person']}{measured}"


def _custody(rows: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    for row in rows["conflicts"]:
        yield f"conflict    {_time(row['time'])} {row['point']}: {row['kept']} kept, {row['other']} came later"
    for row in rows["losses"]:
        yield (
            f"loss        {_time(row['t_from'])} to {_time(row['t_to'])} {row['point']}:"
            f" {row['n']} readings given up by {row['source']}: {row['reason']}"
        )
    for row in rows["refused"]:
        detail = f" ({row['detail']})" if row["detail"] else ""
        yield f"refused     {_time(row['recorded_at'])} {row['topic']}: {row['reason']}{detail}"


def _document(row: Row) -> dict[str, object]:
    document = json.loads(row["document"])
    return document if isinstance(document, dict) else {"value": document}


def _time(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
