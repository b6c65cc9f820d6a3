"""veraPDF over files: the `verapdf` of the machine, or that of Maven Central where Java and Maven are there.

What Maven brings is kept under `~/.cache/parkcarbon`, so it is fetched once. PARKCARBON_VERAPDF names a command to use.
"""

import functools
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

VERSION: Final = "1.28.2"
MAIN: Final = "org.verapdf.apps.GreenfieldCliWrapper"
POM: Final = Path(__file__).with_name("pom.xml")
PATIENCE_S: Final = 240


def validate(files: list[Path]) -> dict[str, str]:
    """What veraPDF says of each file against PDF/A-3b, by name: `PASS`, or `FAIL` with the clauses that fail.

    Skips the test where veraPDF cannot be had.
    """
    command = _command()
    if isinstance(command, str):
        pytest.skip(command)
    arguments = [*command, "--flavour", "3b", "--format", "text", "-v", *map(str, files)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    found: dict[str, list[str]] = {}
    name = ""
    for line in done.stdout.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word in ("PASS", "FAIL") and (path := rest.rpartition(" ")[0]).endswith(".pdf"):
            name = Path(path).name
            found[name] = [word]
        elif name:
            found[name].append(line.strip())
    assert len(found) == len(files), done.stdout + done.stderr
    return {name: " ".join(lines) for name, lines in found.items()}


@functools.cache
def _command() -> tuple[str, ...] | str:
    """How veraPDF is called, or why it cannot be."""
    if named := os.environ.get("PARKCARBON_VERAPDF"):
        return tuple(shlex.split(named))
    if found := shutil.which("verapdf"):
        return (found,)
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        return "no verapdf, and not both of java and mvn to fetch it with"
    folder = Path.home() / ".cache" / "parkcarbon" / f"verapdf-{VERSION}"
    if not (folder / f"greenfield-apps-{VERSION}.jar").exists() and (why := _fetch(maven, folder)):
        return why
    return (java, "-cp", f"{folder}/*", MAIN)


def _fetch(maven: str, folder: Path) -> str:
    """Fetch it with what it needs; return why that failed, or nothing."""
    command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"Maven did not fetch veraPDF within {PATIENCE_S} s"
    return "" if done.returncode == 0 else f"Maven could not fetch veraPDF: {done.stdout[-300:]}"
