"""House rules that no linter knows: file ceilings, names of ours that nobody else may ship, nothing machine-specific.

Run by `make check`; prints each breach and exits 1 if there is any.
"""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CEILING_LINES = 600
CODE = {".py", ".ts", ".tsx", ".sql", ".css", ".sh"}
OURS = {
    *("parkcarbon", "edge", "gateway", "ingest", "alerts", "api", "statements", "dashboards", "firmware_sim", "deploy")
}
SWALLOWS = re.compile(r"\basyncio\.wait_for\(|from asyncio import .*\bwait_for\b")
"""In Python 3.11 it forgets a cancellation: parkcarbon.kit.service.within does not."""
FORBIDDEN = {
    "an index URL in a lock file": re.compile(r"(--(extra-)?index-url|\"resolved\")"),
}
LOCKS = {"requirements/demo.txt", "requirements/dev.txt", "dashboards/web/package-lock.json"}


def tracked_files() -> list[Path]:
    """Files that git tracks, relative to the root."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(line) for line in listing.splitlines() if (ROOT / line).is_file()]


def breaches() -> list[str]:
    """Every breach as one line."""
    found = []
    for path in tracked_files():
        if path.suffix in CODE:
            lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
            if lines > CEILING_LINES:
                found.append(f"{path}: {lines} lines, the ceiling is {CEILING_LINES}")
        if path.suffix == ".py" and path.parts[0] != "tests" and SWALLOWS.search((ROOT / path).read_text("utf-8")):
            found.append(f"{path}: asyncio.wait_for may swallow a cancellation, use parkcarbon.kit.service.within")
        if str(path) in LOCKS:
            text = (ROOT / path).read_text(encoding="utf-8")
            found += [f"{path}: {what}" for what, pattern in FORBIDDEN.items() if pattern.search(text)]
    owners = packages_distributions()
    for name in sorted(OURS):
        foreign = set(owners.get(name, ())) - {"parkcarbon"}
        if foreign:
            found.append(f"package {name!r} is also shipped by {sorted(foreign)}")
    return found


if __name__ == "__main__":
    problems = breaches()
    sys.stdout.write("".join(f"house rules: {line}\n" for line in problems))
    sys.exit(bool(problems))
