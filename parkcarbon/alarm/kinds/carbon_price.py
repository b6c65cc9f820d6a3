"""A price of carbon: the newest entry `instrument_price` that holds today.

The unit of the limit says which price is meant: `CNY/t` or `CNY/CEA` an allowance, `CNY/credit` a credit, `CNY/GEC` a
certificate of 1,000 kWh; in the currency of the park. Prices are entered by people; nothing is fetched from a market.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from parkcarbon.alarm.observe.judge import judge, midnights
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.books.facts import Entry, load_current
from parkcarbon.catalog.entries.allowance import InstrumentPrice
from parkcarbon.domain.alarm.types import Observation, Said
from parkcarbon.kit.db import Session, from_ms
from parkcarbon.live.model import ParkModel

from .base import Compiled, Kind, Scene

EVERY_MS: Final = 900_000
_INSTRUMENTS: Final = {"t": "CEA", "CEA": "CEA", "credit": "credit", "GEC": "GEC"}
_NAMES: Final = {
    "CEA": Said("碳配额价格", "price of an allowance"),
    "credit": Said("减排量价格", "price of a credit"),
    "GEC": Said("绿证价格", "price of a certificate"),
}


def unit_of(rule: Rule, model: ParkModel) -> str | None:
    """Unit of the limit: the park's currency for one of what the rule's own unit names, else for a tonne."""
    written = (rule.on or "").rpartition("/")[2]
    return f"{model.currency}/{written if written in _INSTRUMENTS else 't'}"


def instrument_of(rule: Compiled) -> str:
    """The instrument whose price is meant."""
    return _INSTRUMENTS[rule.limit.unit.rpartition("/")[2]] if rule.limit else "CEA"


def price_on(entries: Iterable[Entry], instrument: str, currency: str, day: dt.date) -> tuple[float, Entry] | None:
    """The newest entered price of an instrument that holds on a day, with its entry; None: there is none."""
    found = None
    for entry in entries:
        price = entry.content
        if (
            isinstance(price, InstrumentPrice)
            and entry.from_day <= day < entry.to_day
            and (price.instrument, price.currency) == (instrument, currency)
        ):
            found = (price.price, entry)
    return found


async def load(session: Session, model: ParkModel, _rules: Sequence[Compiled], now_ms: int) -> tuple[Entry, ...]:
    """Read the entered prices."""
    return await _prices(session, model, now_ms)


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Judge the price of today."""
    entries: tuple[Entry, ...] | None = scene.read.get("carbon_price")
    return [] if entries is None else [_observation(rule, scene.model, scene.now_ms, entries)]


async def history(session: Session, model: ParkModel, rule: Compiled, begin_ms: int, end_ms: int) -> list[Observation]:
    """The price at the begin of `[begin_ms, end_ms)` and of each local day [ms UTC], as entered by now."""
    entries = await _prices(session, model, end_ms)
    moments = sorted({begin_ms, *midnights(model, begin_ms, end_ms)})
    return [_observation(rule, model, at_ms, entries) for at_ms in moments]


async def _prices(session: Session, model: ParkModel, now_ms: int) -> tuple[Entry, ...]:
    facts = await load_current(session, model.park, from_ms(now_ms))
    return tuple(entry for entry in facts.entries if isinstance(entry.content, InstrumentPrice))


def _observation(rule: Compiled, model: ParkModel, at_ms: int, entries: Sequence[Entry]) -> Observation:
    instrument = instrument_of(rule)
    found = price_on(entries, instrument, model.currency, model.local(at_ms).date())
    value, entry = (None, None) if found is None else found
    detail = (
        Said(f"未录入 {model.currency} 价格", f"no price in {model.currency} is entered")
        if entry is None
        else Said(f"{entry.from_day} 起，依据 {entry.evidence}", f"since {entry.from_day}, by {entry.evidence}")
    )
    return judge(rule, model, rule.subjects[0], at_ms, value, what=_NAMES[instrument], detail=detail)


CARBON_PRICE: Final = Kind(
    name="carbon_price",
    watches="park",
    unit=None,
    direction="above",
    default_on=None,
    default_off=None,
    every_ms=EVERY_MS,
    observe=observe,
    load=load,
    history=history,
    unit_of=unit_of,
    late=False,
)
