"""A statement re-derived from its evidence pack alone; whatever was altered in it is found and named."""

import datetime as dt
from pathlib import Path

import pytest

from parkcarbon.books import inventory
from parkcarbon.statement.evidence.check import Checked, check_pack
from parkcarbon.statement.evidence.export import Exported, export_pack
from parkcarbon.statement.evidence.pack import open_pack
from parkcarbon.statement.record import Record
from tests.fakes.evidence_park import EvidencePark, evidence_park, snapshot


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
