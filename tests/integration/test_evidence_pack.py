"""A statement re-derived from its evidence pack alone; whatever was altered in it is found and named."""

import datetime as dt
import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it has no stubs
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
import zstandard

from parkcarbon.books import inventory
from parkcarbon.statement.evidence.check import Checked, check_pack
from parkcarbon.statement.evidence.export import Exported, export_pack
from parkcarbon.statement.evidence.pack import MANIFEST, MEMBERS, PackError, open_pack
from parkcarbon.statement.evidence.rederive import rederive
from parkcarbon.statement.lifecycle import store
from parkcarbon.statement.record import Record
from parkcarbon.wire.body import Row, Tombstone
from tests.fakes.evidence_park import BILL, START, EvidencePark, compose_now, evidence_park, snapshot
from tests.fakes.ingest_park import METER, QUARTER_MS
from tests.integration.test_derive_reprice import settle


@pytest.fixture(autouse=True)
def unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "SETTLED_AFTER", dt.timedelta(0))


async def exported(park: EvidencePark, target: Path) -> Exported:
    async with park.database.transaction() as session:
        await snapshot(session)
        return await export_pack(session, park.record, target)


async def checked(path: Path, record: Record | None = None) -> Checked:
    with open_pack(path) as pack:
        return await check_pack(pack, record)


@pytest.mark.parametrize("timezone", ["Asia/Shanghai", "Asia/Kolkata"])
async def test_a_pack_is_enough(database_url: str, tmp_path: Path, timezone: str) -> None:
    park = await evidence_park(database_url, timezone=timezone)
    target = tmp_path / "pack.zip"
    async with park.database:
        done = await exported(park, target)
    found = await checked(target, park.record)
    assert done.differences == []
    assert [str(one) for one in found.differences] == []
    assert found.figures == len(park.record.figures) > 100
    assert found.leaves == park.record.evidence.log_size
    assert found.batches == done.manifest.batches > 10
    assert found.readings == done.manifest.readings > 8000


def forged(path: Path, target: Path, changed: Mapping[str, bytes], *, honest: bool = True) -> Path:
    """The same pack with other members; `honest`: with their hashes in the manifest, as a careful forger would."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        manifest = json.loads(old.read(MANIFEST))
        for name in old.namelist():
            data = changed.get(name, old.read(name))
            if honest and name in changed:
                manifest["members"][name] = hashlib.sha256(data).hexdigest()
            if name != MANIFEST:
                new.writestr(name, data)
        new.writestr(MANIFEST, json.dumps(manifest))
    return target


def member(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def edited(data: bytes, edit: Callable[[dict[str, list[Any]]], None]) -> bytes:
    """A Parquet member after its columns were changed."""
    table = pq.read_table(io.BytesIO(data))
    columns = table.to_pydict()
    edit(columns)
    out = io.BytesIO()
    pq.write_table(pa.table(columns, schema=table.schema), out)
    return out.getvalue()


def first(found: Checked) -> str:
    return str(found.differences[0])


def _more(columns: dict[str, list[Any]]) -> None:
    columns["value"][1234] += 100.0


def _fewer(columns: dict[str, list[Any]]) -> None:
    for values in columns.values():
        del values[1234]


def _without_batch(columns: dict[str, list[Any]]) -> None:
    for values in columns.values():
        del values[5]


def _swapped(columns: dict[str, list[Any]]) -> None:
    for name in columns.keys() - {"position"}:
        values = columns[name]
        values[3], values[4] = values[4], values[3]


def _another_time(columns: dict[str, list[Any]]) -> None:
    columns["at"][0] -= dt.timedelta(microseconds=1)


async def test_what_was_altered_is_found_and_named(postgres_url: str, tmp_path: Path) -> None:
    """One pack; each forgery by somebody who also makes the hashes of the manifest fit."""
    park = await evidence_park(postgres_url)
    good, bad = tmp_path / "pack.zip", tmp_path / "bad.zip"
    async with park.database:
        await exported(park, good)

    async def forgery(name: str, edit: Callable[[dict[str, list[Any]]], None]) -> str:
        return first(await checked(forged(good, bad, {name: edited(member(good, name), edit)}), park.record))

    row = pq.read_table(io.BytesIO(member(good, "readings.parquet"))).slice(1234, 1).to_pylist()[0]
    where = f"{row['point']} {row['time'].isoformat()}"
    assert (await forgery("readings.parquet", _more)).startswith(f"reading {where} of batch agent/")
    assert (await forgery("readings.parquet", _fewer)).startswith(
        f"reading {where}: told nothing, found in batch agent/"
    )
    assert "not in the pack" in await forgery("batches.parquet", _without_batch)
    assert "in the log, found digest" in await forgery("batches.parquet", _altered_frame)
    assert "leaf 4: told an order" in await forgery("leaves.parquet", _swapped)
    assert (await forgery("leaves.parquet", _another_time)).startswith("root of the log: told ")
    facts = _other_factors(member(good, "facts.jsonl"))
    factor = first(await checked(forged(good, bad, {"facts.jsonl": facts}), park.record))
    assert factor.startswith("figure ")
    assert "CO2" in factor


def _altered_frame(columns: dict[str, list[Any]]) -> None:
    frame = zstandard.ZstdDecompressor().decompress(columns["frame_zstd"][2], max_output_size=1 << 20)
    line, _, body = frame.partition(b"\n")
    columns["frame_zstd"][2] = zstandard.ZstdCompressor().compress(line + b"\n" + body[:-1] + bytes([body[-1] ^ 1]))


def _other_factors(facts: bytes) -> bytes:
    """All grid factors a tenth larger, in the answer to `factors_at`."""
    lines = []
    for line in facts.splitlines(keepends=True):
        said = json.loads(line)
        if said["query"] == "factors_at":
            for row in said["answer"]:
                for pair in row["map"]:
                    if pair[0] == "document":
                        document = json.loads(pair[1])
                        if document["purpose"] == "grid_average" and document["value"]:
                            document["value"] = round(document["value"] * 1.1, 6)
                        pair[1] = json.dumps(document)
        lines.append(json.dumps(said).encode() + b"\n")
    return b"".join(lines)


async def test_a_forgery_that_takes_all_of_the_log_with_it_fails_at_the_root(postgres_url: str, tmp_path: Path) -> None:
    """Frame, header, digest and leaf altered together: only the root in the signed record is left to tell."""
    park = await evidence_park(postgres_url, counters=1)
    good, bad = tmp_path / "pack.zip", tmp_path / "bad.zip"
    async with park.database:
        await exported(park, good)
    batches, leaves = (member(good, f"{name}.parquet") for name in ("batches", "leaves"))
    digests: list[bytes] = []

    def other_frame(columns: dict[str, list[Any]]) -> None:
        _altered_frame(columns)
        frame = zstandard.ZstdDecompressor().decompress(columns["frame_zstd"][2], max_output_size=1 << 20)
        digests.extend([columns["digest"][2], hashlib.sha256(frame).digest()])
        columns["digest"][2] = digests[1]

    forged_batches = edited(batches, other_frame)

    def other_leaf(columns: dict[str, list[Any]]) -> None:
        columns["digest"][columns["digest"].index(digests[0])] = digests[1]

    forged(good, bad, {"batches.parquet": forged_batches, "leaves.parquet": edited(leaves, other_leaf)})
    assert first(await checked(bad)).startswith("root of the log: told ")


async def test_a_reading_called_set_aside_changes_the_figures(postgres_url: str, tmp_path: Path) -> None:
    """Nothing is hidden by saying that it was in quarantine: the sum that was signed needs it."""
    park = await evidence_park(postgres_url, counters=1)
    good, bad = tmp_path / "pack.zip", tmp_path / "bad.zip"
    async with park.database:
        await exported(park, good)

    def without(columns: dict[str, list[Any]]) -> None:
        time = columns["time"][columns["point"].index(BILL) + 500]
        gone = {at for at, moment in enumerate(columns["time"]) if moment == time and columns["point"][at] == BILL}
        for name, values in columns.items():
            columns[name] = [value for at, value in enumerate(values) if at not in gone]

    readings = edited(member(good, "readings.parquet"), without)
    aside = b"".join(
        json.dumps({"batch": batch, "row": row, "point": BILL, "reason": "unknown-point"}).encode() + b"\n"
        for batch in range(40)
        for row in range(1100)
    )
    forged(good, bad, {"readings.parquet": readings, "set_aside.jsonl": aside})
    assert first(await checked(bad)).startswith("figure ")


async def test_every_flipped_byte_of_a_member_is_found(postgres_url: str, tmp_path: Path) -> None:
    park = await evidence_park(postgres_url, counters=1)
    good, bad = tmp_path / "pack.zip", tmp_path / "bad.zip"
    async with park.database:
        await exported(park, good)
    rng = random.Random(4)
    for name in MEMBERS:
        data = bytearray(member(good, name))
        if not data:
            continue
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        forged(good, bad, {name: bytes(data)}, honest=False)
        assert first(await checked(bad)).startswith(f"member {name}: told sha256 ")
    cut = tmp_path / "cut.zip"
    cut.write_bytes(good.read_bytes()[:-100])
    with pytest.raises(PackError):
        open_pack(cut)


async def test_another_statement_than_the_one_at_hand_is_told(postgres_url: str, tmp_path: Path) -> None:
    park = await evidence_park(postgres_url, counters=1)
    target = tmp_path / "pack.zip"
    async with park.database as database:
        await exported(park, target)
        with pytest.raises(FileExistsError):
            await exported(park, target)
        name = "energy.import.kwh"
        figure = msgspec.structs.replace(park.record.figures[name], value="1", shown="1")
        other = msgspec.structs.replace(park.record, figures=park.record.figures | {name: figure})
        found = await checked(target, other)
        assert first(found) == f"figure {name}: told 1 kWh, found {park.record.figures[name].value} kWh"
        async with database.transaction() as session:
            again = await rederive(session, other)
    assert str(again[0]) == first(found)


async def test_whatever_the_bytes_are_the_answer_is_a_list(postgres_url: str, tmp_path: Path) -> None:
    """Members with flipped bytes, or cut, whose hashes fit: never a crash, and nothing that counts goes unseen."""
    park = await evidence_park(postgres_url, counters=1)
    good, bad = tmp_path / "pack.zip", tmp_path / "bad.zip"
    async with park.database:
        await exported(park, good)
    rng = random.Random(12)
    seen = 0
    for name in MEMBERS:
        data = member(good, name)
        for _ in range(6 if data else 0):
            changed = bytearray(data)
            at = rng.randrange(len(changed))
            changed[at : at + rng.randrange(1, 4)] = rng.randbytes(rng.randrange(4))
            found = await checked(forged(good, bad, {name: bytes(changed)}), park.record)
            seen += bool(found.differences)
    assert seen >= 36


async def test_a_manifest_about_another_statement_is_told(postgres_url: str, tmp_path: Path) -> None:
    park = await evidence_park(postgres_url, counters=1)
    good, bad = tmp_path / "pack.zip", tmp_path / "bad.zip"
    async with park.database:
        await exported(park, good)
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(bad, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b'"2026-10"', b'"2026-09"') if name == MANIFEST else data)
    assert first(await checked(bad)) == "record period in the manifest: told 2026-09, found 2026-10"


async def test_packs_of_a_year_and_of_a_re_issue(postgres_url: str, tmp_path: Path) -> None:
    """A re-issue brings the record before it; a batch that was given up and came after all is in the log twice."""
    park = await evidence_park(postgres_url, counters=1)
    async with park.database as database:
        async with database.transaction() as session:
            at = dt.datetime.fromisoformat(park.record.known_on)
            await store.insert(session, park.record, as_of=at, person="first", supersedes=None)
        late = park.sender.batch([Row(f"m0/{METER}", START + 1350 * QUARTER_MS, 20_000.0)])
        stone = Tombstone(header=late.line.decode(), loss=())
        await park.ingest.commit(park.sender.batch([], tombstones=[stone]))
        await park.ingest.commit(late)
        await settle(park.ingest)
        year = await compose_now(database, kind="annual", period="2026")
        second = await compose_now(database, version=2, predecessor=park.record, reason="a batch came after all")
        for number, record in enumerate((year, second)):
            target = tmp_path / f"{number}.zip"
            async with database.transaction() as session:
                await snapshot(session)
                done = await export_pack(session, record, target)
            found = await checked(target, record)
            assert ([str(one) for one in done.differences], [str(one) for one in found.differences]) == ([], [])
            assert found.leaves == park.record.evidence.log_size + 3
    assert second.supersedes is not None
    kinds = pq.read_table(io.BytesIO(member(target, "leaves.parquet"))).column("kind").to_pylist()
    assert kinds[-3:] == ["tombstone", "committed", "revived"]
