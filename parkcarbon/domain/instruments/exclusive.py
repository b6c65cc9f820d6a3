"""No unit twice: the same checks that the database makes with exclusion constraints, for lots that are in no database.

References:
    accounting rules 3.5 (a serial once), 4.1 (GEC only, of what was generated), 4.4 (GEC or CCER, never both).
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

from parkcarbon.domain.refusal import RefusedError

from .event import Event
from .lot import Lot, Serials


def refuse_double(lots: Sequence[Lot], events: Iterable[Event]) -> None:
    """Refuse serials that are there or used twice, and two kinds of claim on one generation.

    Raises:
        RefusedError: naming the first pair.
    """
    for one, other in combinations(lots, 2):
        if one.registry == other.registry and _overlap(one.serials, other.serials):
            raise RefusedError("3.5", f"serials of {one.serials} and {other.serials} of {one.registry} overlap")
        if _same_generation(one, other):
            raise RefusedError("4.4", f"{one.kind} and {other.kind} for the same generation of {one.plant}")
    by_id = {lot.lot_id: lot for lot in lots}
    used = [event for event in events if event.final]
    for event in used:
        whole = by_id[event.lot_id].serials
        if not (whole.first <= event.serials.first and event.serials.end <= whole.end):
            raise RefusedError("3.5", f"{event.serials} are not all in {whole}")
    for first, second in combinations(used, 2):
        if first.lot_id == second.lot_id and _overlap(first.serials, second.serials):
            raise RefusedError("3.5", f"{second.serials} {second.kind}: some were {first.kind} on {first.on_day}")


def _overlap(one: Serials, other: Serials) -> bool:
    return one.prefix == other.prefix and one.first < other.end and other.first < one.end


def _same_generation(one: Lot, other: Lot) -> bool:
    if one.plant is None or one.plant != other.plant or one.kind == other.kind:
        return False
    if "contract" in (one.claim, other.claim):
        return False
    return one.generated_from < other.generated_to and other.generated_from < one.generated_to
