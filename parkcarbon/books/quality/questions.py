"""What a person should look at before anybody relies on a period: questions of the scan, and what stands open."""

from typing import Any

import msgspec

from parkcarbon.books.facts import QUERIES
from parkcarbon.kit.db import Session, from_ms

Json = dict[str, Any]


async def open_questions(session: Session, park: str, start_ms: int, end_ms: int) -> list[Json]:
    """Questions of the scan about readings in `[start, end)`, by time: `point`, `at`, `kind`, `document` each.

    They go when a correction or a meter exchange that explains them was entered and the point was computed again.

    Args:
        session: a connection.
        park: whose.
        start_ms: start [ms UTC].
        end_ms: end, exclusive [ms UTC].
    """
    rows = await session.fetch(QUERIES["questions_between"], park, from_ms(start_ms), from_ms(end_ms))
    return [
        {
            "point": row["point"],
            "at": row["at"].isoformat().replace("+00:00", "Z"),
            "kind": row["kind"],
            "document": msgspec.json.decode(row["document"]),
        }
        for row in rows
    ]
