"""Sheets as LibreOffice shows them: what a reader sees, not what is stored."""

import csv
import subprocess
import tempfile
from pathlib import Path

from parkcarbon.statement.record import Cell, Column, Line, Record, Section, Table, Text
from parkcarbon.statement.sheet import Sheet, words
from tests.fakes.libreoffice import _ALWAYS, PROGRAM
from tests.fakes.statement_record import sample_record

_AS_SHOWN = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"


def displayed(path: Path) -> dict[str, list[list[str]]]:
    """Every sheet as rows of what is shown in its cells, computed again by LibreOffice."""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(prefix="parkcarbon-office-") as folder:
        profile = Path(folder, "profile")
        (profile / "user").mkdir(parents=True)
        (profile / "user" / "registrymodifications.xcu").write_text(_ALWAYS, encoding="utf-8")
        command = [PROGRAM, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"]
        command += ["--convert-to", _AS_SHOWN, "--outdir", str(Path(folder, "out")), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr
        found = {}
        for file in Path(folder, "out").glob("*.csv"):
            with file.open(encoding="utf-8", newline="") as lines:
                found[file.stem.removeprefix(f"{path.stem}-")] = list(csv.reader(lines))
        return found


def record_of(sheet: Sheet) -> Record:
    """A record with these figures alone, all in one table."""
    columns = (Column(Text("名称", "name"), align="left"), Column(Text("数值", "value")))
    lines = tuple(Line((words(name, name), Cell(figure=name))) for name in sheet.figures)
    section = Section("all", Text("全部", "all"), (Table("all", Text("全部", "all"), columns, lines),))
    front = sample_record().front
    return sample_record(figures=dict(sheet.figures), sections=(section,), front=front)
