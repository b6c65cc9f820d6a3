"""The published schema of the trial calculator is the one of its types, and its page names every member."""

import json
from pathlib import Path

from parkcarbon.calc.schema import ActivityLine, Calculation, CertificateLine
from parkcarbon.calc.write_schema import FILE, schema

PAGE = Path(__file__).resolve().parents[2] / "docs" / "calc.md"


def test_the_schema_file_is_current() -> None:
    assert FILE.read_bytes() == schema(), "run: python -m parkcarbon.calc.write_schema"
    assert json.loads(FILE.read_text(encoding="utf-8"))["$schema"].startswith("https://json-schema.org/")


def test_the_page_names_every_member() -> None:
    text = PAGE.read_text(encoding="utf-8")
    members = {name for kind in (Calculation, ActivityLine, CertificateLine) for name in kind.__struct_fields__}
    assert sorted(name for name in members if f"`{name}`" not in text) == []
