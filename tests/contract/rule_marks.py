"""Which tests carry which accounting rule: read from the marks in the sources, nothing is imported."""

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "rules.md"
SHOWN = 3
_ROW = re.compile(r"^\| (\d+\.\d+) \| (.+?) \| (.+?) \| (.+?) \| ?(.*?) ?\|$")


def marked_tests() -> dict[str, list[str]]:
    """Test ids (`file::test`) by rule, sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        everywhere = _rules_of(_module_marks(tree))
        for owner, test in _tests(tree):
            name = f"{path.relative_to(ROOT)}::{owner}{test.name}"
            for rule in everywhere | _rules_of(test.decorator_list):
                found[rule].add(name)
    return {rule: sorted(names) for rule, names in found.items()}


def _tests(tree: ast.Module) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [("", node) for node in tree.body if isinstance(node, functions)]
    for group in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        found += [(f"{group.name}::", node) for node in group.body if isinstance(node, functions)]
    return [(owner, node) for owner, node in found if node.name.startswith("test")]


def _module_marks(tree: ast.Module) -> list[ast.expr]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            return node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
    return []


def _rules_of(marks: list[ast.expr]) -> set[str]:
    return {
        str(argument.value)
        for mark in marks
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.rule"
        for argument in mark.args
        if isinstance(argument, ast.Constant)
    }


def column(names: list[str]) -> str:
    """The cell of a rule: the first tests by name, and how many more carry it."""
    shown = [f"`{name.removeprefix('tests/')}`" for name in names[:SHOWN]]
    more = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return "<br>".join(shown + more)


def rows() -> dict[str, tuple[str, str, str, str]]:
    """What the table says: rule to (what it asks, held, how, cell of the tests)."""
    found = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if match := _ROW.match(line):
            found[match[1]] = (match[2], match[3], match[4], match[5])
    return found


def write() -> None:
    """Fill the column of tests from the marks."""
    marks = marked_tests()
    lines = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if match := _ROW.match(line):
            lines.append(f"| {match[1]} | {match[2]} | {match[3]} | {match[4]} | {column(marks.get(match[1], []))} |")
        else:
            lines.append(line)
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
    sys.stdout.write(f"{TABLE.relative_to(ROOT)} written\n")
