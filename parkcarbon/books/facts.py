"""What is known of a park on a date: the document, factors, entries and instruments that a result may rest on."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from msgspec import Struct

from parkcarbon.catalog.park import Park
from parkcarbon.domain.factors import Factor, FactorSeries


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry in force: neither superseded nor withdrawn nor refused by its reviewer.

    Attributes:
        entry_id: row of `entry`.
        kind: one of `parkcarbon.catalog.entries.KINDS`.
        tenant: whose; None: the park's.
        from_day: first local day it speaks of.
        to_day: day after the last.
        content: the document, typed by its kind.
        evidence: what proves it: number of an invoice, file digest, …
        author: who entered it.
        reviewer: the second person; None: not reviewed yet.
        recorded_at: when.
        simulated: True for entries of a demonstration; every figure resting on it says so.
    """

    entry_id: int
    kind: str
    tenant: str | None
    from_day: dt.date
    to_day: dt.date
    content: Struct
    evidence: str
    author: str
    reviewer: str | None
    recorded_at: dt.datetime
    simulated: bool = False


@dataclass(frozen=True)
class Facts:
    """A park as known on a date.

    Attributes:
        park: id.
        as_of: moment of knowledge: nothing recorded later is in here.
        revision: of the park document.
        document: the park document as it was.
        zone: the park's time zone.
        factors: (database id, record) in force: the catalog's, and the park's own once approved.
        series: values of the factors that are series, by database id.
        entries: in force, by from_day, kind and id.
        point_ids: database id by point name.
    """

    park: str
    as_of: dt.datetime
    revision: int
    document: Park
    zone: ZoneInfo
    factors: tuple[tuple[int, Factor], ...]
    series: Mapping[int, FactorSeries] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    point_ids: Mapping[str, int] = field(default_factory=dict)

    def entries_of(self, *kinds: str, from_day: dt.date, to_day: dt.date) -> list[Entry]:
        """Entries of these kinds that begin in `[from_day, to_day)`."""
        return [entry for entry in self.entries if entry.kind in kinds and from_day <= entry.from_day < to_day]
