"""Reading what is known of devices and sources: when each was last heard, what each source says of itself."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parkcarbon.books.facts import entry_states
from parkcarbon.kit.db import Session, from_ms, load_queries, to_ms
from parkcarbon.live.load import document_of
from parkcarbon.live.model import ParkModel

QUERIES = load_queries("parkcarbon.alarm")


@dataclass(frozen=True, slots=True)
class Heard:
    """When points of a device with one period were last heard.

    Attributes:
        period_ms: expected time between readings [ms].
        last_ms: time of the newest reading of any quality [ms UTC]; None: there is none.
    """

    period_ms: int
    last_ms: int | None


@dataclass(frozen=True, slots=True)
class SourceSaid:
    """A source and its last status message.

    Attributes:
        source: id.
        kind: edge, gateway or import.
        via: the gateway that relays it, or None.
        at_ms: when it wrote the status [ms UTC]; None: it never did.
        status: the message, empty where there is none.
    """

    source: str
    kind: str
    via: str | None
    at_ms: int | None
    status: Mapping[str, Any]

    @property
    def online(self) -> bool | None:
        """Whether it is connected; None where it never said."""
        online = self.status.get("online")
        return online if isinstance(online, bool) else None


@dataclass(frozen=True, slots=True)
class Silence:
    """All that is known of who was heard when.

    Attributes:
        devices: of each device, by period.
        sources: by id.
    """

    devices: Mapping[str, tuple[Heard, ...]]
    sources: Mapping[str, SourceSaid]


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses between readings of a point.

    Attributes:
        first_ms: its first reading in the span [ms UTC], or None.
        last_ms: its last one.
        pauses: `(last reading before, first after)` of each pause [ms UTC].
    """

    first_ms: int | None
    last_ms: int | None
    pauses: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A calibration certificate of a meter.

    Attributes:
        device: of the park document.
        until: day after the last that it covers.
        number: of the certificate; empty: the park document gives the day alone.
        passed: False for a meter that failed.
    """

    device: str
    until: dt.date
    number: str = ""
    passed: bool = True


async def load_sources(session: Session, model: ParkModel) -> dict[str, SourceSaid]:
    """Sources of a park that may send."""
    return {
        row["source"]: SourceSaid(
            row["source"],
            row["kind"],
            row["via"],
            None if row["status_at"] is None else to_ms(row["status_at"]),
            document_of(row["status"]),
        )
        for row in await session.fetch(QUERIES["source_statuses"], model.park)
    }


async def load_silence(session: Session, model: ParkModel) -> Silence:
    """Who was heard when."""
    devices: dict[str, tuple[Heard, ...]] = {}
    for row in await session.fetch(QUERIES["silence_heard"], model.park):
        last_ms = None if row["last_time"] is None else to_ms(row["last_time"])
        devices[row["device"]] = (*devices.get(row["device"], ()), Heard(row["period_ms"], last_ms))
    return Silence(devices, await load_sources(session, model))


async def load_pauses(session: Session, point_id: int, from_ms_: int, to_ms_: int, longer_than_ms: float) -> Pauses:
    """Pauses of a point between two readings of [from, to) [ms UTC].

    Args:
        session: a connection.
        point_id: which point.
        from_ms_: begin of the span [ms UTC].
        to_ms_: its end [ms UTC].
        longer_than_ms: shorter ones are none [ms].
    """
    span = (point_id, from_ms(from_ms_), from_ms(to_ms_))
    ends = await session.fetchrow(QUERIES["silence_ends"], *span)
    if ends is None or ends["first"] is None:
        return Pauses(None, None, ())
    rows = await session.fetch(QUERIES["silence_gaps"], *span, float(longer_than_ms))
    pauses = tuple((to_ms(row["before"]), to_ms(row["after"])) for row in rows)
    return Pauses(to_ms(ends["first"]), to_ms(ends["last"]), pauses)


@dataclass(frozen=True, slots=True)
class ClockSeen:
    """What the readings of a source say of its clock.

    Attributes:
        uncertain: points whose newest reading has a time that is not trusted.
        last_ms: time of its newest reading [ms UTC].
    """

    uncertain: int
    last_ms: int | None


@dataclass(frozen=True, slots=True)
class Measured:
    """How much of a window a point measured.

    Attributes:
        measured_ms: measured time [ms].
        first_ms: start of the point's first interval at all [ms UTC]; None: it lies before the window.
    """

    measured_ms: int
    first_ms: int | None


async def load_clocks(session: Session, model: ParkModel) -> dict[str, ClockSeen]:
    """What the newest readings of each source say of its clock."""
    return {
        row["source"]: ClockSeen(row["uncertain"], None if row["last_time"] is None else to_ms(row["last_time"]))
        for row in await session.fetch(QUERIES["clock_seen"], model.park)
    }


async def load_measured(session: Session, point_ids: list[int], begin_ms: int, end_ms: int) -> dict[int, Measured]:
    """Measured time of points in the intervals of [begin, end) [ms UTC]; a point without any interval is absent."""
    rows = await session.fetch(QUERIES["completeness_sums"], point_ids, from_ms(begin_ms), from_ms(end_ms))
    return {
        row["point_id"]: Measured(row["measured_ms"], None if row["first"] is None else to_ms(row["first"]))
        for row in rows
    }


async def load_delays(session: Session, model: ParkModel, since_ms: int) -> dict[str, float]:
    """Longest time from made to recorded of what came since then, by source [s]."""
    rows = await session.fetch(QUERIES["custody_newest"], model.park, from_ms(since_ms))
    return {row["source"]: float(row["worst_s"]) for row in rows}


async def load_past_delays(
    session: Session, model: ParkModel, source: str, span_ms: tuple[int, int], step_s: float
) -> list[tuple[int, float]]:
    """End of each step in which something came [ms UTC] and the longest delay in it [s]."""
    rows = await session.fetch(
        QUERIES["custody_past"], model.park, source, from_ms(span_ms[0]), from_ms(span_ms[1]), step_s
    )
    return [(to_ms(row["step_end"]), float(row["worst_s"])) for row in rows]


async def load_certificates(session: Session, model: ParkModel) -> list[Certificate]:
    """Certificates of meters that count: approved where they must be, not followed by a later one."""
    rows = await session.fetch(QUERIES["calibration_entries"], model.park)
    states = entry_states(rows)
    return [
        Certificate(
            device=str(document.get("device")),
            until=row["to_day"],
            number=str(document.get("certificate") or ""),
            passed=document.get("passed") is not False,
        )
        for row in rows
        if states[row["entry_id"]] == "in_force" and (document := document_of(row["document"]))
    ]
