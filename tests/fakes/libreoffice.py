"""A spreadsheet computed again by LibreOffice, with a profile of its own and recalculation forced."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

PROGRAM = shutil.which("soffice")
HERE = [
    pytest.mark.libreoffice,
    pytest.mark.skipif(PROGRAM is None, reason="soffice (libreoffice-calc-nogui) is not installed"),
]
"""Marks of a test that needs LibreOffice."""

_ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


def recalculated(path: Path) -> Any:
    """The workbook as LibreOffice computes it, values only (openpyxl)."""
    from openpyxl import load_workbook

    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(prefix="parkcarbon-office-") as folder:
        profile, out = Path(folder, "profile"), Path(folder, "out")
        (profile / "user").mkdir(parents=True)
        (profile / "user" / "registrymodifications.xcu").write_text(_ALWAYS, encoding="utf-8")
        command = [PROGRAM, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"]
        command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr
        return load_workbook(out / path.name, data_only=True)
