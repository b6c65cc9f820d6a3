"""What cancelled instruments do to the inventory of a period.

Certificates cancelled for this consumption cover purchased kWh, never more than were purchased. Own-use certificates
prove self-used kWh and lower nothing. Certificates sold of self-used generation void exactly the kWh they were issued
for: those are counted at the remainder factor in the market-based method. Nothing changes a location-based figure.

References:
    accounting rules 3.5, 3.14, 3.16, 4.1-4.3, 4.8, 5.3.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .credits import Retired, retired
from .eligibility import InstrumentSettings, PeriodLike, Reason, not_redeemed, of_certificate, poor_quality, unconfirmed
from .event import Event, Stretch, stretches
from .lot import Lot, Serials, time_ms

Json = dict[str, object]

RE100: Final = "RE100 recognises Chinese GEC (rule 4.8)"
_LEAVING: Final = frozenset({"sold", "transferred", "surrendered"})

CBAM: Final = "not usable as a CBAM value: certificates are not accepted there (rule 4.8)"


@dataclass(frozen=True, slots=True)
class Cover:
    """The effect of instruments on one period and boundary. Amounts are integers, exact.

    Attributes:
        covered_micro_kwh: purchased electricity that cancelled certificates cover [1e-6 kWh]; zero rate in the
            market-based method; never more than was purchased.
        void_micro_kwh: self-used own generation whose certificates were sold [1e-6 kWh]; counted at the remainder
            factor in the market-based method, never at zero.
        retired_nano_kg: credits retired for this period [1e-9 kgCO2e]; never part of the inventory.
        used: one document a use: lot, serials, kWh or kg, rule.
        pending: lots that would count once cancelled or retired for this period, and why they do not yet.
        refused: lots that do not count, with the rule's number and the reason.
        proved_micro_kwh: self-used generation that own-use certificates prove [1e-6 kWh]; lowers nothing.
        notes: sentences to be printed beside the figures.
    """

    covered_micro_kwh: int = 0
    void_micro_kwh: int = 0
    retired_nano_kg: int = 0
    used: tuple[Json, ...] = ()
    pending: tuple[Json, ...] = ()
    refused: tuple[Json, ...] = ()
    proved_micro_kwh: int = 0
    notes: tuple[str, ...] = ()

    def document(self) -> Json:
        """Plain JSON."""
        return {
            "covered_kwh": self.covered_micro_kwh / 1e6,
            "void_kwh": self.void_micro_kwh / 1e6,
            "proved_kwh": self.proved_micro_kwh / 1e6,
            "retired_kg": self.retired_nano_kg / 1e9,
            "used": list(self.used),
            "pending": list(self.pending),
            "refused": list(self.refused),
            "notes": list(self.notes),
        }


NO_COVER = Cover()


def cover_period(
    lots: Iterable[Lot],
    uses: Iterable[Event],
    *,
    period: PeriodLike,
    purchased_micro_kwh: int | None,
    self_used_micro_kwh: int | None,
    exported_micro_kwh: int | None,
    settings: InstrumentSettings,
    known_on: dt.datetime,
    park: str | None = None,
    tenant: str | None = None,
    today: dt.date | None = None,
) -> Cover:
    """What the instruments known on a date do to a period.

    Args:
        lots: in force, of any park.
        uses: events in force on them.
        period: whole local month or year.
        purchased_micro_kwh: gross import [1e-6 kWh]; None: not known, then nothing is covered yet.
        self_used_micro_kwh: own generation used inside [1e-6 kWh]; None: not known.
        exported_micro_kwh: gross export [1e-6 kWh]; None: not known.
        settings: of the park.
        known_on: what was recorded later is not seen.
        park: whose boundary; None: that of all lots given.
        tenant: only claims of this tenant; None: of the park and everybody in it.
        today: local day on which held certificates may have expired; None: the day of `known_on`.
    """
    known_lots = {lot.lot_id: lot for lot in lots if lot.recorded_at is None or lot.recorded_at <= known_on}
    known = sorted(
        (use for use in uses if use.lot_id in known_lots and (use.recorded_at is None or use.recorded_at <= known_on)),
        key=lambda use: (use.on_day, known_lots[use.lot_id].serials, use.serials.first, use.event_id),
    )
    building = _Building(period, settings, purchased_micro_kwh, self_used_micro_kwh, tenant)
    by_lot: dict[int, list[Event]] = {}
    for use in known:
        by_lot.setdefault(use.lot_id, []).append(use)
        if (park is None or use.park == park) and (tenant is None or use.tenant == tenant):
            building.claim(known_lots[use.lot_id], use)
    if tenant is None:
        building.void(known_lots.values(), by_lot, park, exported_micro_kwh)
    today = today or known_on.date()
    for lot in sorted(known_lots.values(), key=lambda lot: (lot.registry, lot.serials)):
        if tenant is None or lot.tenant == tenant:
            for stretch in stretches(lot, by_lot.get(lot.lot_id, ()), today):
                if park is None or stretch.holder == park:
                    building.rest(stretch, today)
    return building.cover()


@dataclass
class _Building:
    """Sums and lists as they come up."""

    period: PeriodLike
    settings: InstrumentSettings
    purchased: int | None
    self_used: int | None
    tenant: str | None
    covered: int = 0
    proved: int = 0
    voided: int = 0
    retired: int = 0
    used: list[Json] = field(default_factory=list)
    pending: list[Json] = field(default_factory=list)
    refused: list[Json] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    def claim(self, lot: Lot, use: Event) -> None:
        """One cancellation, retirement or surrender."""
        if use.kind not in ("cancelled", "retired", "surrendered") or not self._overlaps(use):
            return
        if not self._inside(use):
            self._wait(
                lot, use.serials, f"{use.kind} for {use.claim_from} to {use.claim_to}: counts in that period", use
            )
        elif use.kind == "cancelled":
            self._certificate(lot, use)
        else:
            self._credit(lot, use)

    def _certificate(self, lot: Lot, use: Event) -> None:
        reason = of_certificate(lot, use.claim_from or self.period.from_day, self.settings, use.on_day)
        reason = reason or not_redeemed(use)
        own = lot.issued_for == "self_used"
        most = self.self_used if own else self.purchased
        if reason is not None:
            self._refuse(lot, use.serials, reason, use)
        elif waiting := unconfirmed(use):
            self._wait(lot, use.serials, waiting, use)
        elif most is None:
            what = "self-used" if own else "purchased"
            self._wait(lot, use.serials, f"the {what} electricity of {self.period.label} is not known", use)
        else:
            self._count(lot, use, most, own=own)

    def _count(self, lot: Lot, use: Event, most: int, *, own: bool) -> None:
        amount = use.serials.count * (lot.unit_micro_kwh or 0)
        counted = min(amount, max(most - (self.proved if own else self.covered), 0))
        if counted < amount:
            what = "self-used" if own else "purchased"
            text = f"{(amount - counted) / 1e6:.6f} kWh above the {most / 1e6:.6f} kWh {what} in {self.period.label}"
            self._refuse(lot, use.serials, Reason("4.3", text), use, micro_kwh=amount - counted)
        if not counted:
            return
        effect = "proves_self_use" if own else "covers_purchased"
        self.used.append(_document(lot, use.serials, use) | _energy(counted) | {"effect": effect, "rule": "4.3"})
        if own:
            self.proved += counted
        else:
            self.covered += counted
            if lot.kind == "GEC":
                self.notes |= {RE100: None, CBAM: None}

    def _credit(self, lot: Lot, use: Event) -> None:
        result = retired(lot, use)
        if result.reason is None and use.tenant != self.tenant:
            result = Retired(
                0, reason=Reason("3.5", f"retired for {use.tenant}, whose claim it serves, not the park's")
            )
        if result.reason is not None:
            self._refuse(lot, use.serials, result.reason, use)
        elif result.waiting is not None:
            self._wait(lot, use.serials, result.waiting, use)
        else:
            self.retired += result.nano_kg
            mass: Json = {"nano_kg": result.nano_kg, "kg": result.nano_kg / 1e9, "effect": "offsets", "rule": "3.4"}
            self.used.append(_document(lot, use.serials, use) | mass)

    def void(
        self, lots: Iterable[Lot], uses: Mapping[int, Sequence[Event]], park: str | None, exported: int | None
    ) -> None:
        """Generation of this period whose certificates went to somebody else."""
        sold_exported = 0
        for lot in sorted(lots, key=lambda lot: (lot.registry, lot.serials)):
            if lot.issued_for is None or lot.unit_micro_kwh is None or (park is not None and lot.park != park):
                continue
            gone = _gone(lot, uses.get(lot.lot_id, ()))
            if not gone or not self._generated_overlaps(lot):
                continue
            count = sum(end - first for first, end, _ in gone)
            amount = count * lot.unit_micro_kwh
            if not self._generated_inside(lot):
                for first, end, use in gone:
                    span = f"{lot.generated_from.isoformat()} to {lot.generated_to.isoformat()}"
                    self._wait(lot, lot.serials.part(first, end), f"sold, issued for {span}: void in that period", use)
                continue
            effect = "void" if lot.issued_for == "self_used" else "none"
            for first, end, use in gone:
                part = _energy((end - first) * lot.unit_micro_kwh)
                rule = "3.16" if effect == "void" else "5.3"
                document = _document(lot, lot.serials.part(first, end), use)
                self.used.append(document | part | {"effect": effect, "issued_for": lot.issued_for, "rule": rule})
            if lot.issued_for == "self_used":
                self.voided += amount
            else:
                sold_exported += amount
        if exported is not None and sold_exported > exported:
            self.notes[
                f"certificates of {sold_exported / 1e6:g} kWh exported were sold, {exported / 1e6:g} kWh were exported"
                f" in {self.period.label} (rule 5.3)"
            ] = None

    def rest(self, stretch: Stretch, today: dt.date) -> None:
        """Serials that are still there: what they would be good for."""
        lot = stretch.lot
        if stretch.status == "expired":
            if lot.vintage == self.period.year:
                self._refuse(lot, stretch.serials, Reason("4.2", f"expired on {lot.expires}"), stretch.event)
            return
        if stretch.status not in ("held", "pending"):
            return
        if lot.claim == "credit":
            reason = poor_quality(lot)
            verb = "retired"
        else:
            reason = of_certificate(lot, self.period.from_day, self.settings, today)
            verb = "cancelled"
        if reason is not None:
            self._refuse(lot, stretch.serials, reason, stretch.event)
        elif stretch.status == "held":
            self._wait(lot, stretch.serials, f"held, not {verb} for {self.period.label}", stretch.event)
        elif stretch.event is not None and self._overlaps(stretch.event):
            self._wait(lot, stretch.serials, f"applied for on {stretch.event.on_day}, not {verb} yet", stretch.event)

    def _overlaps(self, use: Event) -> bool:
        if use.claim_from is None or use.claim_to is None:
            return False
        return use.claim_from < self.period.to_day and use.claim_to > self.period.from_day

    def _inside(self, use: Event) -> bool:
        if use.claim_from is None or use.claim_to is None:
            return False
        return use.claim_from >= self.period.from_day and use.claim_to <= self.period.to_day

    def _generated_overlaps(self, lot: Lot) -> bool:
        return time_ms(lot.generated_from) < self.period.to_ms and time_ms(lot.generated_to) > self.period.from_ms

    def _generated_inside(self, lot: Lot) -> bool:
        return time_ms(lot.generated_from) >= self.period.from_ms and time_ms(lot.generated_to) <= self.period.to_ms

    def _wait(self, lot: Lot, serials: Serials, reason: str, use: Event | None) -> None:
        self.pending.append(_document(lot, serials, use) | _amount(lot, serials) | {"reason": reason})

    def _refuse(
        self, lot: Lot, serials: Serials, reason: Reason, use: Event | None, *, micro_kwh: int | None = None
    ) -> None:
        amount = _amount(lot, serials) if micro_kwh is None else _energy(micro_kwh)
        self.refused.append(_document(lot, serials, use) | amount | {"rule": reason.rule, "reason": reason.text})

    def cover(self) -> Cover:
        """The whole."""
        void = self.voided if self.self_used is None else min(self.voided, self.self_used)
        if void < self.voided:
            self.notes[
                f"certificates of {self.voided / 1e6:g} kWh self-used were sold, {void / 1e6:g} kWh were self-used"
                f" in {self.period.label} (rule 5.3)"
            ] = None
        if self.self_used is not None and self.proved + void > self.self_used:
            self.notes[
                f"certificates prove {self.proved / 1e6:g} kWh of self-use and were sold for {void / 1e6:g} kWh, but"
                f" {self.self_used / 1e6:g} kWh were self-used in {self.period.label}: some stand for both (rule 5.3)"
            ] = None
        if any(document.get("simulated") for document in (*self.used, *self.pending, *self.refused)):
            self.notes["some of these instruments are simulated"] = None
        lists = tuple(self.used), tuple(self.pending), tuple(self.refused)
        return Cover(self.covered, void, self.retired, *lists, self.proved, tuple(self.notes))


def _gone(lot: Lot, uses: Sequence[Event]) -> list[tuple[int, int, Event]]:
    """Serials that left the lot's books for another claim, each once: sold, transferred to anybody, surrendered."""
    left: list[tuple[int, int, Event]] = []
    leaving = [use for use in uses if use.park == lot.park and use.kind in _LEAVING]
    for use in leaving:
        first = use.serials.first
        for taken_first, taken_end, _ in sorted(left, key=lambda part: part[:2]):
            if taken_end <= first or taken_first >= use.serials.end:
                continue
            if first < taken_first:
                left.append((first, taken_first, use))
            first = max(first, taken_end)
        if first < use.serials.end:
            left.append((first, use.serials.end, use))
    return sorted(left, key=lambda part: part[:2])


def _energy(micro_kwh: int) -> Json:
    return {"micro_kwh": micro_kwh, "kwh": micro_kwh / 1e6}


def _amount(lot: Lot, serials: Serials) -> Json:
    if lot.unit_nano_kg is not None:
        nano_kg = serials.count * lot.unit_nano_kg
        return {"nano_kg": nano_kg, "kg": nano_kg / 1e9}
    return _energy(serials.count * (lot.unit_micro_kwh or 0))


def _document(lot: Lot, serials: Serials, use: Event | None) -> Json:
    document: Json = {
        "lot": lot.lot_id,
        "kind": lot.kind,
        "registry": lot.registry,
        "serials": str(serials),
        "count": serials.count,
        "generated": lot.generation_month.strftime("%Y-%m") if lot.generation_month else _span(lot),
        "origin": lot.origin,
        "plant": lot.plant,
        "simulated": lot.simulated,
    }
    if use is not None:
        acts: Mapping[str, object] = {
            "event": use.event_id,
            "act": use.kind,
            "on_day": use.on_day.isoformat(),
            "tenant": use.tenant,
            "public_record": use.public_record,
        }
        document |= acts
    return document


def _span(lot: Lot) -> str:
    return f"{lot.generated_from.isoformat()}/{lot.generated_to.isoformat()}"
