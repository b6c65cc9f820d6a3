"""Hourly matched share: how much of the load was clean in the very hour it was used.

    share = Σ_h min(load_h, clean_h) / Σ_h load_h

Every hour is capped: what is left over in one hour does not lift another. An hour whose load or clean supply is not
known is in neither sum. Certificates without the hour of generation match nothing here, however many there are.

References:
    accounting rules 3.17 (hour by hour is a proposal of 2025-26, not a rule yet: the number is information), 3.18.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from parkcarbon.domain.readings import BoolArray, FloatArray, Int64Array
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Figure, computed

Json = dict[str, object]

HOUR_MS: Final = 3_600_000
PROPOSAL: Final = "hour-by-hour matching is a proposal (2025-26), not a rule yet"


@dataclass(frozen=True)
class Matching:
    """The match of a period.

    Attributes:
        start_ms: starts of the hours [ms UTC].
        load_micro: load of the hours [1e-6 kWh].
        clean_micro: clean supply of the hours, own and certified [1e-6 kWh].
        matched_micro: the smaller of the two [1e-6 kWh]; 0 where unknown.
        known: hours of which both are known.
        certified_unstamped_micro: certificates without an hour, which match nothing [1e-6 kWh].
    """

    start_ms: Int64Array
    load_micro: Int64Array
    clean_micro: Int64Array
    matched_micro: Int64Array
    known: BoolArray
    certified_unstamped_micro: int = 0

    @property
    def load_total_micro(self) -> int:
        """Load of the known hours [1e-6 kWh]."""
        return int(self.load_micro[self.known].sum())

    @property
    def matched_total_micro(self) -> int:
        """Matched load [1e-6 kWh]."""
        return int(self.matched_micro[self.known].sum())

    @property
    def excess_micro(self) -> int:
        """Clean supply beyond the load of its hour [1e-6 kWh]; lost for matching."""
        return int((self.clean_micro - self.matched_micro)[self.known].sum())

    @property
    def share_pct(self) -> float | None:
        """小时匹配率 [%]; None where no load is known."""
        load = self.load_total_micro
        return 100 * self.matched_total_micro / load if load else None

    @property
    def annual_share_pct(self) -> float | None:
        """What the same energy would give without the hour [%]: shown beside it, capped as a whole."""
        load = self.load_total_micro
        clean = int(self.clean_micro[self.known].sum()) + self.certified_unstamped_micro
        return 100 * min(clean, load) / load if load else None

    def hourly_pct(self) -> FloatArray:
        """Matched share of every hour [%]; NaN where unknown or without load."""
        shares = np.full(len(self.load_micro), np.nan)
        used = self.known & (self.load_micro > 0)
        shares[used] = 100 * self.matched_micro[used] / self.load_micro[used]
        return shares

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "indicator": "hourly_matched_share",
            "label": {"zh": "小时匹配率", "en": "Hourly matched share (24/7)"},
            "share_pct": self.share_pct,
            "without_the_hour_pct": self.annual_share_pct,
            "load_kwh": self.load_total_micro / 1e6,
            "matched_kwh": self.matched_total_micro / 1e6,
            "excess_kwh": self.excess_micro / 1e6,
            "certified_without_hour_kwh": self.certified_unstamped_micro / 1e6,
            "hours": int(self.known.sum()),
            "unknown_hours": int((~self.known).sum()),
            "status": PROPOSAL,
        }

    def figure(self) -> Figure:
        """The share with its working: one row an hour [%]."""
        hours = tuple(self.start_ms[self.known].tolist())
        columns = {"matched": self.matched_micro, "load": self.load_micro}
        sums = {
            name: computed(
                f"{name}_energy",
                "sum_product",
                "kWh",
                value=int(micro[self.known].sum()) / 1e6,
                columns={f"{name}_kwh": tuple((micro[self.known] / 1e6).tolist())},
                axis={"hour_start_ms": hours},
                rule="3.18",
            )
            for name, micro in columns.items()
        }
        return computed(
            "hourly_matched_share",
            "product",
            "%",
            computed("share", "quotient", "1", sums["matched"], sums["load"]),
            Figure("percent", 100.0, "1", source={"kind": "setting", "text": "per cent"}),
            label_en="Hourly matched share (24/7)",
            label_zh="小时匹配率",
            rule="3.18",
            notes=(PROPOSAL, "matched is the smaller of load and clean supply of the same hour"),
        )


def match_hours(
    start_ms: Int64Array,
    load_micro: Int64Array,
    clean_micro: Sequence[Int64Array] | Int64Array,
    known: BoolArray | None = None,
    *,
    certified_unstamped_micro: int = 0,
) -> Matching:
    """Match load and clean supply by the hour.

    Args:
        start_ms: starts of the hours [ms UTC], ascending, each once.
        load_micro: load [1e-6 kWh], one an hour, >= 0.
        clean_micro: clean supply [1e-6 kWh], one array or one a source: own generation used inside, certificates.
        known: hours of which load and supply are known; None: all.
        certified_unstamped_micro: certificates that carry no hour [1e-6 kWh].

    Raises:
        RefusedError: negative energy, hours twice, or arrays of different length (rule 3.18).
    """
    clean = np.atleast_2d(np.asarray(clean_micro, dtype=np.int64)).sum(axis=0, dtype=np.int64)
    usable = np.ones(len(start_ms), np.bool_) if known is None else known
    _check_hours(start_ms, load_micro, clean, usable)
    matched = np.where(usable, np.minimum(load_micro, clean), 0)
    return Matching(start_ms, load_micro, clean, matched, usable, certified_unstamped_micro)


def _check_hours(start_ms: Int64Array, load: Int64Array, clean: Int64Array, known: BoolArray) -> None:
    if not len(start_ms) == len(load) == len(clean) == len(known):
        raise RefusedError("3.18", f"{len(load)} hours of load and {len(clean)} of clean supply do not match")
    if np.any((start_ms - start_ms[:1]) % HOUR_MS) or np.any(np.diff(start_ms) <= 0):  # local hours may begin at :30
        raise RefusedError("3.18", "hours must be whole, ascending and each there once")
    for name, values in (("load", load), ("clean supply", clean)):
        negative = np.flatnonzero(known & (values < 0))
        if len(negative):
            first = int(negative[0])
            raise RefusedError("5.6", f"{name} of hour {int(start_ms[first])} is {int(values[first]) / 1e6:g} kWh")


def heat_map(
    start_ms: Int64Array, values: FloatArray, offset_ms: Int64Array, days: int, first_day_ms: int
) -> FloatArray:
    """Lay hourly values out as day x local hour; NaN where there is no hour, the mean where there are two.

    Args:
        start_ms: starts of the hours [ms UTC].
        values: one an hour.
        offset_ms: local time less UTC at each hour [ms].
        days: number of local days.
        first_day_ms: local midnight of the first day, as if it were UTC [ms].
    """
    local = start_ms + offset_ms - first_day_ms
    day, hour = local // (24 * HOUR_MS), (local // HOUR_MS) % 24
    inside = (day >= 0) & (day < days) & np.isfinite(values)
    sums, counts = np.zeros((days, 24)), np.zeros((days, 24))
    np.add.at(sums, (day[inside], hour[inside]), values[inside])
    np.add.at(counts, (day[inside], hour[inside]), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        laid: FloatArray = np.where(counts > 0, sums / counts, np.nan)
    return laid
