"""JSON schema of the document, for completion and checks in an editor: `docs/schema/alarms-1.json`.

python -m parkcarbon.alarm.rules.schema > docs/schema/alarms-1.json
"""

import sys
from typing import Final

import msgspec

from .document import Alarms

IDENTIFIER: Final = "urn:parkcarbon:alarms:1"


def schema() -> bytes:
    """The schema as it is published; the text of `on` and `off` may be a number alone, as YAML reads `on: 0.9`."""
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": IDENTIFIER,
        **msgspec.json.schema(Alarms),
    }
    limits = found["$defs"]["Rule"]["properties"]
    for name in ("on", "off"):
        limits[name]["anyOf"].append({"type": "number"})
    return msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=2) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(schema())
