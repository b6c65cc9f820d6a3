"""The published JSON schema of a record.

Made from the types in `record`, and tighter than they are: no other members, decimals are decimals, digests are hex.
"""

import json
from typing import Any, Final

import msgspec

from parkcarbon.statement.record import SCHEMA, Record

IDENTIFIER: Final = "urn:parkcarbon:statement:1"
DECIMAL: Final = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"
FIGURE: Final = r"^[A-Za-z0-9][A-Za-z0-9_.:/-]*$"
_HEX: Final = r"^[0-9a-f]{64}$"


def schema() -> dict[str, Any]:
    """The schema, JSON Schema 2020-12."""
    (root,), parts = msgspec.json.schema_components([Record], ref_template="#/$defs/{name}")
    for part in parts.values():
        if part.get("type") == "object" and "properties" in part:
            part["additionalProperties"] = False
    _decimal(parts["Figure"]["properties"])
    parts["Formula"]["properties"]["scale"]["pattern"] = DECIMAL
    record = parts["Record"]["properties"]
    record["schema"] = {"const": SCHEMA}
    record["figures"]["propertyNames"] = {"pattern": FIGURE}
    record["version"]["minimum"] = 1
    for name in ("log_root", "ledger_digest"):
        parts["Evidence"]["properties"][name]["pattern"] = _HEX
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": IDENTIFIER,
        "title": SCHEMA,
        **root,
        "$defs": parts,
    }


def schema_text() -> str:
    """The schema as it is published in `docs/schema/statement-1.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _decimal(members: dict[str, Any]) -> None:
    members["value"] = {"anyOf": [{"type": "string", "pattern": DECIMAL}, {"type": "null"}]}
    members["within"]["pattern"] = DECIMAL
    members["places"] |= {"minimum": 0, "maximum": 18}
