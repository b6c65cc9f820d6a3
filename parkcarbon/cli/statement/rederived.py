"""Every figure of a statement again from registers: from an evidence pack and nothing else, or from the database."""

from pathlib import Path

from parkcarbon.statement.record import Record
from parkcarbon.statement.verify.content import read_record
from parkcarbon.statement.verify.report import Check
from parkcarbon.statement.verify.verify import json_of

NAME = "rederived"


async def rederived(data: bytes, pack: Path | None) -> Check:
    """Compose the record again and compare.

    Args:
        data: PDF or JSON of the statement.
        pack: evidence pack; None: the database that PARKCARBON_DATABASE_URL names.
    """
    try:
        record = read_record(json_of(data))
        return await (_from_database(record) if pack is None else _from_pack(record, pack))
    except (ValueError, LookupError, OSError) as error:
        return Check(NAME, "failed", str(error))


async def _from_pack(record: Record, path: Path) -> Check:
    from parkcarbon.statement.evidence.check import check_pack
    from parkcarbon.statement.evidence.pack import open_pack

    with open_pack(path) as pack:
        found = await check_pack(pack, record)
    if found.differences:
        return _differs([str(difference) for difference in found.differences])
    carried = sum(found.context.values())
    return Check(
        NAME,
        "ok",
        f"{found.figures} figures come out of {found.readings} readings in {found.batches} batches, which are in the"
        f" log of {found.leaves} with the root told; {carried} answers about other periods are taken as carried",
    )


async def _from_database(record: Record) -> Check:
    from parkcarbon.cli.accounts.common import open_reading
    from parkcarbon.statement.evidence.rederive import rederive

    async with open_reading() as session:
        found = await rederive(session, record)
    if found:
        return _differs([str(difference) for difference in found])
    return Check(NAME, "ok", f"{len(record.figures)} figures come out of the readings in the database")


def _differs(found: list[str]) -> Check:
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Check(NAME, "failed", found[0] + more)
