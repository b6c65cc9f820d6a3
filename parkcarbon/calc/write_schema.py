"""Write the JSON schema of the trial calculator's files.

    python -m parkcarbon.calc.write_schema

A YAML file names it in a first line: `# yaml-language-server: $schema=…/calc.json`.
"""

from pathlib import Path

import msgspec

from .schema import Calculation

FILE = Path(__file__).parent / "schema.json"


def schema() -> bytes:
    """The text of the schema."""
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Calculation)}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def main() -> None:
    """Write it into the package."""
    FILE.write_bytes(schema())


if __name__ == "__main__":
    main()
