"""A month of a year of real metering, stated: imported, frozen, approved, signed, and checked by the command."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from parkcarbon.statement.record import decode
from parkcarbon.statement.sign.seal import check_pdf
from parkcarbon.statement.verify.verify import json_of

ROOT = Path(__file__).resolve().parents[2]
CAMPUS = ROOT.parent / "shared" / "data" / "campus_2022"
MONTH = "2022-03"  # with a change of clock
BUILDINGS = ("b2", "b58", "b105", "b91", "b96", "b35", "b27", "b102", "b5", "b62", "b31", "b64")


@pytest.mark.shared
@pytest.mark.skipif(not CAMPUS.is_dir(), reason="the shared data folder is not beside this checkout")
def test_any_month_of_the_imported_year_can_be_issued(tmp_path: Path) -> None:
    pdf = tmp_path / "march.pdf"
    command = [sys.executable, "-m", "deploy.local.campus", str(CAMPUS), "--statement", MONTH, "--pdf", str(pdf)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    assert answer["statement"].startswith(f"PC-campus-{MONTH} V1 is issued")
    record = decode(json_of(pdf.read_bytes()))
    assert (record.period, record.status, record.timezone) == (MONTH, "provisional", "Europe/London")
    assert (record.from_time, record.to_time) == ("2022-03-01T00:00:00+00:00", "2022-04-01T00:00:00+01:00")
    assert [(act.role, act.person) for act in record.acts] == [
        ("prepared", "campus: accountant"),
        ("approved", "campus: reviewer"),
    ]
    values = {Decimal(figure.value) for figure in record.figures.values() if figure.value is not None}
    month = answer["months"][MONTH]
    assert Decimal(str(month["kwh"])) in values
    assert any(abs(value - Decimal(str(month["kgco2"])) / 1000) < Decimal("1e-6") for value in values)
    assert check_pdf(pdf.read_bytes()).signer == "campus"
    verify = [sys.executable, "-m", "parkcarbon", "statement", "verify", str(pdf)]
    checked = subprocess.run(verify, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert {item.item for item in record.missing} == {f"not_in_total:{name}-gas/gas_energy" for name in BUILDINGS}
