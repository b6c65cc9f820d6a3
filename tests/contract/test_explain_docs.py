"""The page on explanations names every figure that can be explained, and no other."""

import re
from pathlib import Path

from parkcarbon.books.working.explain import FIGURES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explain.md"


def test_the_page_names_every_figure() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| figure | what |")[2].partition("## ")[0]
    named = {
        name.partition(":")[0]
        for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(.+?)`", row)
    }
    assert named == {figure.name for figure in FIGURES}
