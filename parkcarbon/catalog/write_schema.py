"""Write JSON schemas of the catalog's files, for completion and checks in an editor.

    python -m parkcarbon.catalog.write_schema

A YAML file names its schema in a first line: `# yaml-language-server: $schema=…/schema/profile.json`.
"""

from pathlib import Path
from typing import Any

import msgspec

from .park import Park
from .profiles import ProfileFile

FOLDER = Path(__file__).parent / "schema"
_KINDS: dict[str, Any] = {"profile": ProfileFile, "park": Park}


def schemas() -> dict[str, bytes]:
    """Give the text of each schema by file name."""
    found = {}
    for name, kind in _KINDS.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(kind)}
        found[f"{name}.json"] = msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"
    return found


def main() -> None:
    """Write them into the package."""
    for name, text in schemas().items():
        (FOLDER / name).write_bytes(text)


if __name__ == "__main__":
    main()
