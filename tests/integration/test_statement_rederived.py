"""`statement verify` of a park's own statement: a root, a pack, a database; and an operator who forged figures."""

import asyncio
import datetime as dt
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from parkcarbon.books import inventory
from parkcarbon.cli.statement.rederived import rederived
from parkcarbon.statement.evidence.export import export_pack
from parkcarbon.statement.record import Record
from parkcarbon.statement.sheet import evaluate, plain, shown
from parkcarbon.statement.verify import verify_file
from tests.fakes.evidence_park import evidence_park, snapshot
from tests.fakes.statement_issued import issue, operator_key


@pytest.fixture(autouse=True)
def unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "SETTLED_AFTER", dt.timedelta(0))


def forged(record: Record, name: str) -> Record:
    """One figure that was measured is a tenth lower, and everything that follows from it is computed again."""
    figures = dict(record.figures)
    value = Decimal(figures[name].value or "0") * Decimal("0.9")
    figures[name] = msgspec.structs.replace(figures[name], value=plain(value), shown=shown(value, figures[name].places))
    for _ in figures:
        for other, figure in figures.items():
            result = None if figure.formula is None else evaluate(figure.formula, figures)
            if result is not None and abs(result - Decimal(figure.value or "0")) > Decimal(figure.within):
                figures[other] = msgspec.structs.replace(
                    figure, value=plain(result), shown=shown(result, figure.places)
                )
    return msgspec.structs.replace(record, figures=figures)


async def test_a_statement_is_derived_again_and_a_forged_one_is_named(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARKCARBON_DATABASE_URL", database_url)
    park = await evidence_park(database_url)
    pack = tmp_path / "pack.zip"
    async with park.database:
        async with park.database.transaction() as session:
            await snapshot(session)
            await export_pack(session, park.record, pack)
        issued = await asyncio.to_thread(issue, park.record)
        evidence = park.record.evidence
        kept = {"day": park.record.known_on[:10], "size": evidence.log_size, "root": evidence.log_root}
        roots = msgspec.json.encode([kept])
        report = await asyncio.to_thread(verify_file, issued.pdf, roots=roots, fingerprint=operator_key().fingerprint)
        assert [check for check in report.checks if check.state != "ok"] == []
        assert report.anchored
        for source in (pack, None):
            check = await rederived(issued.pdf, source)
            assert (check.state, check.said.split()[1:4]) == ("ok", ["figures", "come", "out"])

        lie = await asyncio.to_thread(issue, forged(park.record, "energy.import.kwh"))
        for source in (pack, None):
            check = await rederived(lie.json, source)
            assert check.state == "failed"
            assert "energy.import.kwh" in check.said
