"""Which build drew a file: version of this software, and a digest of everything that has a say in how pages look.

The signature of a PDF names it. Who has the same build can draw the file again and must get the same bytes.
"""

import functools
import hashlib
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

NAME: Final = "parkcarbon"
_DRAWN_WITH: Final = ("typst", "pylopdf-fonts-zh-cn", "segno")
_SOURCES: Final = {".py", ".typ"}


@functools.cache
def build() -> str:
    """Name, version and build that is installed here: `parkcarbon 0.1.0 build 0f3a…` (16 hex digits)."""
    digest = hashlib.sha256()
    for package in _DRAWN_WITH:
        digest.update(f"{package} {_version(package)}\n".encode())
    spec = find_spec("parkcarbon.statement.render")
    folders = [] if spec is None else [Path(folder) for folder in spec.submodule_search_locations or ()]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SOURCES:
                digest.update(f"{path.relative_to(folder).as_posix()} ".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{NAME} {_version(NAME)} build {digest.hexdigest()[:16]}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
