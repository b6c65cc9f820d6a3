"""Hour-stamped certificates by the hour, for the hourly matched share.

References:
    accounting rules 3.14 (redeemed where somebody can see it), 3.17, 3.18: only certificates with a stamp of an hour or
    less can match an hour.
"""

from collections.abc import Iterable

import numpy as np

from parkcarbon.domain.readings import Int64Array

from .eligibility import InstrumentSettings, not_redeemed, of_certificate, unconfirmed
from .event import Event
from .lot import Lot, time_ms


def clean_hourly(
    lots: Iterable[Lot],
    uses: Iterable[Event],
    start_ms: Int64Array,
    *,
    settings: InstrumentSettings,
    span_ms: int = 3_600_000,
    park: str | None = None,
    tenant: str | None = None,
) -> Int64Array:
    """Electricity of hour-stamped certificates cancelled for consumption, by hour of generation [1e-6 kWh].

    Certificates stamped with a month or longer match no hour. Not capped: the matched share caps each hour.

    Args:
        lots: in force and known.
        uses: events in force and known.
        start_ms: begin of each hour [ms UTC], ascending.
        settings: of the park.
        span_ms: length of an hour [ms].
        park: whose claims; None: all.
        tenant: whose claims; None: of everybody in the park.
    """
    hours = np.zeros(len(start_ms), dtype=np.int64)
    by_id = {lot.lot_id: lot for lot in lots if lot.hour_stamped and lot.issued_for != "self_used"}
    for use in uses:
        lot = by_id.get(use.lot_id)
        if lot is None or use.kind != "cancelled" or use.claim_from is None or unconfirmed(use):
            continue
        if (park is not None and use.park != park) or (tenant is not None and use.tenant != tenant):
            continue
        if of_certificate(lot, use.claim_from, settings, use.on_day) or not_redeemed(use):
            continue
        begin = time_ms(lot.generated_from)
        position = int(np.searchsorted(start_ms, begin, side="right")) - 1
        if position >= 0 and time_ms(lot.generated_to) <= int(start_ms[position]) + span_ms:
            hours[position] += use.serials.count * (lot.unit_micro_kwh or 0)
    return hours
