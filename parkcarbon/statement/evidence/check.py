"""A pack checked from its bytes up: hashes, log, batches, readings, then every figure.

Each step trusts only what the one before has shown. The first thing that differs is named and what rests on it is not
looked at any more.
"""

import datetime as dt
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np

from parkcarbon.books.amounts import Period
from parkcarbon.books.derive.stored import Known
from parkcarbon.books.facts import Facts
from parkcarbon.domain.merkle import Edge
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.statement.log.leaf import Leaf
from parkcarbon.statement.record import Record, content_digest, decode

from .again import Starts
from .differences import Difference, differences
from .frames import Frames, compare_readings
from .pack import MEMBERS, PREDECESSOR, Pack, SetAside, StartsFile
from .questions import UnknownQuestionError
from .readings import PackReadings
from .rederive import asked_of, recomposed
from .tables import ReadingRows, read_batches, read_leaves, read_readings
from .tape import ReplaySession, Tape

_AT_MOST: Final = 20
"""Differences of a kind that are told."""

_WRONG: Final = (
    UnknownQuestionError, RefusedError, msgspec.MsgspecError, zlib.error, ValueError, LookupError, TypeError,
    OverflowError, ArithmeticError, OSError, MemoryError,
)  # fmt: skip
"""What bytes that somebody else made can lead to; all of it is a difference and none of it a fault of ours."""


@dataclass(slots=True)
class Checked:
    """What a check found.

    Attributes:
        differences: none: everything comes out.
        leaves: of the log.
        batches: whose digests were computed.
        readings: compared with the frames.
        figures: compared.
        context: questions about other periods, or about what no sum rests on, with how often: answered as carried.
    """

    differences: list[Difference] = field(default_factory=list)
    leaves: int = 0
    batches: int = 0
    readings: int = 0
    figures: int = 0
    context: dict[str, int] = field(default_factory=dict)


async def check_pack(pack: Pack, record: Record | None = None) -> Checked:
    """Check a pack and compose its record again.

    Args:
        pack: open.
        record: the statement that is at hand; None: the one in the pack.
    """
    checking = _Checking(pack, record)
    try:
        await checking.run()
    except _WRONG as error:
        if not checking.found.differences:
            checking.found.differences.append(
                Difference("member", checking.at, "evidence", f"{type(error).__name__}: {error}")
            )
    return checking.found


class _Checking:
    """One check; `at` names what is looked at."""

    def __init__(self, pack: Pack, record: Record | None) -> None:
        self._pack = pack
        self._given = record
        self.found = Checked()
        self.at = "manifest.json"

    async def run(self) -> None:
        """Go on from step to step while nothing differs."""
        if self._tell(self._members()):
            return
        record = decode(self._read("statement.json"))
        if self._tell(self._same_record(record)):
            return
        leaves = read_leaves(self._read("leaves.parquet"), record.park)
        self.found.leaves = len(leaves)
        if self._tell(_log(record, leaves)):
            return
        replay, facts, period = await self._facts(record)
        starts = msgspec.json.decode(self._read("starts.json"), type=StartsFile)
        source = self._source((facts, period), leaves, starts)
        if source is None:
            return
        self._set_at("figures")
        begun = recomposed(replay, source, record, _starts(starts, facts), self._predecessor())
        del source, leaves
        again = await begun
        self.found.context = again.context
        self.found.figures = len(record.figures)
        self._tell(iter(differences(record, again.record)))

    def _source(self, asked: tuple[Facts, Period], leaves: list[Leaf], starts: StartsFile) -> PackReadings | None:
        """The readings, once batches and readings are what the log says; None where they are not."""
        frames = self._frames(leaves, starts, *asked)
        if frames is None:
            return None
        readings = read_readings(self._read("readings.parquet"))
        if self._tell(self._readings(frames, readings)):
            return None
        return PackReadings(readings, asked[0].point_ids, frames.order(), starts)

    def _set_at(self, name: str) -> str:
        self.at = name
        return name

    def _read(self, name: str) -> bytes:
        return self._pack.read(self._set_at(name))

    def _tell(self, found: Iterator[Difference]) -> bool:
        """Note differences; True where there are any."""
        for difference in found:
            self.found.differences.append(difference)
            if len(self.found.differences) >= _AT_MOST and difference.kind != "figure":
                break
        return bool(self.found.differences)

    def _members(self) -> Iterator[Difference]:
        told, found = self._pack.manifest.members, self._pack.hashes()
        for name in sorted({*told, *found, *MEMBERS}):
            before, after = told.get(name, "nothing"), found.get(name, "nothing")
            if before != after or before == "nothing":
                yield Difference("member", name, f"sha256 {before}", f"sha256 {after}")

    def _same_record(self, record: Record) -> Iterator[Difference]:
        digest, manifest = content_digest(record), self._pack.manifest
        if manifest.record_digest != digest:
            yield Difference("record", "statement.json", f"digest {manifest.record_digest}", f"digest {digest}")
        for name in ("park", "period", "number", "version", "known_on", "method_version", "software"):
            if getattr(manifest, name) != getattr(record, name):
                yield Difference(
                    "record", f"{name} in the manifest", str(getattr(manifest, name)), str(getattr(record, name))
                )
        if self._given is not None and content_digest(self._given) != digest:
            yield from differences(self._given, record)

    async def _facts(self, record: Record) -> tuple[ReplaySession, Facts, Period]:
        tape = Tape.read(self._read("context.jsonl") + self._read("facts.jsonl"))
        replay = ReplaySession(tape)
        return replay, *await asked_of(replay, record)

    def _frames(self, leaves: list[Leaf], starts: StartsFile, facts: Facts, period: Period) -> Frames | None:
        """Open the batches; None where one is missing, is not in the log, or is not the one that the log has."""
        table = read_batches(self._read("batches.parquet"))
        self.found.batches = table.num_rows
        low, high = _window(starts, period)
        if self._tell(_left_out(leaves, table, low, high)):
            return None
        frames = Frames(facts, period, starts)
        if self._tell(frames.open(table, {(one.source, one.boot, one.seq, one.kind): one for one in leaves})):
            return None
        return frames

    def _readings(self, frames: Frames, readings: ReadingRows) -> Iterator[Difference]:
        aside = [msgspec.json.decode(line, type=SetAside) for line in self._read("set_aside.jsonl").splitlines()]
        self._set_at("readings.parquet")
        self.found.readings = len(readings)
        return compare_readings(frames, readings, aside)

    def _predecessor(self) -> Record | None:
        return decode(self._pack.read(PREDECESSOR)) if PREDECESSOR in self._pack.names() else None


def _log(record: Record, leaves: list[Leaf]) -> Iterator[Difference]:
    """Order, daily roots and root of the log as the record tells them."""
    evidence = record.evidence
    if len(leaves) != evidence.log_size:
        yield Difference("root", "size of the log", str(evidence.log_size), str(len(leaves)))
    for at in range(1, len(leaves)):
        if _key(leaves[at]) <= _key(leaves[at - 1]):
            yield Difference("leaf", str(at), "an order by time, source, boot and seq", _name(leaves[at]))
            return
    edge, at = Edge(), 0
    for root in evidence.roots:
        edge.extend(leaf.hash() for leaf in leaves[at : root.size])
        at = max(at, root.size)
        if edge.size != root.size or edge.root().hex() != root.root:
            yield Difference(
                "root", f"of {root.day}", f"{root.root} over {root.size}", f"{edge.root().hex()} over {edge.size}"
            )
            return
    edge.extend(leaf.hash() for leaf in leaves[at:])
    if edge.root().hex() != evidence.log_root:
        yield Difference("root", "of the log", evidence.log_root, edge.root().hex())
    begin, end = (dt.datetime.fromisoformat(text) for text in (record.from_time, record.to_time))
    spans = [(leaf.t_min, leaf.t_max) for leaf in leaves if leaf.kind != "tombstone"]
    batches = sum(1 for low, high in spans if low is not None and high is not None and low < end and high >= begin)
    if batches != evidence.batches:
        yield Difference("leaf", "batches with readings of the period", str(evidence.batches), str(batches))


def _key(leaf: Leaf) -> tuple[Any, ...]:
    return leaf.at, leaf.source.encode(), leaf.boot.encode(), leaf.seq, leaf.kind


def _name(leaf: Leaf) -> str:
    return f"{leaf.source}/{leaf.boot}/{leaf.seq}"


def _left_out(leaves: list[Leaf], table: Any, low: int, high: int) -> Iterator[Difference]:
    """Batches that the log has, with readings around the period, and the pack has not."""
    columns = [table.column(name).to_pylist() for name in ("source", "boot", "seq")]
    there = set(zip(*columns, strict=True))
    for leaf in leaves:
        if leaf.kind == "tombstone" or leaf.t_min is None or leaf.t_max is None:
            continue
        touches = leaf.t_max.timestamp() * 1000 >= low and leaf.t_min.timestamp() * 1000 <= high
        if touches and (leaf.source, leaf.boot, leaf.seq) not in there:
            yield Difference("batch", _name(leaf), f"in the log at {leaf.at.isoformat()}", "not in the pack")


def _window(starts: StartsFile, period: Period) -> tuple[int, int]:
    """First and last reading that the scans look at, at least the period [ms UTC]."""
    lows, highs = ([getattr(span, name) for span in starts.spans] for name in ("low_ms", "high_ms"))
    return min([*lows, period.from_ms]), max([*highs, period.to_ms - 1])


def _starts(file: StartsFile, facts: Facts) -> Starts:
    known = Known(facts.as_of, np.iinfo(np.int64).max)
    return Starts(known, {one.point: (one.at_ms, one.state) for one in file.checkpoints}, file.longest_ms)
