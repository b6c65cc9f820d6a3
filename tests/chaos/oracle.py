"""What must hold after any kill: compare the agents' journals, the simulator's log and the database."""

import asyncio
import json
import struct
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firmware_sim.answers import logged_values
from parkcarbon.kit.db import Database, load_queries

ARRIVES_WITHIN_S = 120.0
COMPUTED_WITHIN_S = 60.0

Key = tuple[str, int]


def bits(value: float | None) -> bytes:
    """The bits of a value; a missing one has none."""
    return b"" if value is None else struct.pack("<d", value)


def journalled(folder: Path) -> Counter[tuple[Key, bytes]]:
    """Readings that agents kept for good, by (point, ms) and bits; a line torn by a kill does not count."""
    found: Counter[tuple[Key, bytes]] = Counter()
    for path in sorted(folder.glob("journal-*.jsonl")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                point, time_ms, value, *_ = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[((point, time_ms), bits(value))] += 1
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of one comparison; the kill tests print them."""

    journalled: int
    stored: int
    quarantined: int
    counters: int


async def _stored(database: Database) -> dict[Key, bytes]:
    rows = await database.fetch(load_queries("tests.chaos")["stored"])
    return {(row["point"], row["t"]): bits(row["value"]) for row in rows}


async def check(database: Database, folder: Path) -> Verdict:
    """Assert custody (a), truth (b) and energy (c); wait for what is still on its way when called."""
    queries = load_queries("tests.chaos")
    promised = journalled(folder)
    assert promised, "the agents journalled nothing"
    assert max(promised.values()) == 1, "a reading was journalled twice"
    deadline = time.monotonic() + ARRIVES_WITHIN_S
    while True:
        stored = await _stored(database)
        quarantined = {(row["point"], row["t"]) for row in await database.fetch(queries["quarantined"])}
        missing = [key for key, _ in promised if key not in stored and key not in quarantined]
        if not missing or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.5)
    assert not missing, f"{len(missing)} of {len(promised)} kept readings never arrived, for example {missing[:3]}"
    assert not quarantined & set(stored), "a reading is both stored and in quarantine"
    changed = [key for key, value in promised if key in stored and stored[key] != value]
    assert not changed, f"readings with other bits than the agent kept: {changed[:3]}"
    shown = {point: {bits(value) for value in values} for point, values in logged_values(folder).items()}
    invented = [key for key, value in stored.items() if value and value not in shown.get(key[0], set())]
    assert not invented, f"readings that no meter ever showed: {invented[:3]}"
    counters = await _check_energy(database)
    return Verdict(len(promised), len(stored), len(quarantined), counters)


async def _computed(database: Database) -> None:
    """Wait until nothing is queued to be computed: late readings wait while more of them come."""
    async with asyncio.timeout(COMPUTED_WITHIN_S):
        while await database.fetchval(load_queries("tests.chaos")["queued"]):
            await asyncio.sleep(0.2)


async def _check_energy(database: Database) -> int:
    """Energy of each counter is the difference of its stored registers, to the last millionth."""
    queries = load_queries("tests.chaos")
    await _computed(database)
    kinds = {row["kind"] for row in await database.fetch(queries["boundaries"])}
    assert not kinds, f"the scan saw boundaries where meters only counted: {kinds}"
    rows = [row for row in await database.fetch(queries["energy"]) if row["first"] is not None]
    for row in rows:
        first, last = (int(np.rint(1e6 * row["ratio"] * row[name])) for name in ("first", "last"))
        assert int(row["amount_micro"]) == last - first, f"{row['point']}: {row['amount_micro']} is not {last - first}"
    return len(rows)
