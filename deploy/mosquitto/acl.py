"""Write Mosquitto's access list for a park: each source speaks and listens below its own name only.

User names are `{park}/{source}`; ingest is `ingest`. Everything not granted is denied. Mosquitto acknowledges what it
then discards, so the list protects others, while custody protects the data: a sender deletes nothing without a receipt.

```
python -m deploy.mosquitto.acl PARK.yaml > acl
```
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from parkcarbon.catalog.park import Park, Source, decode_park
from parkcarbon.wire.topics import PREFIX

UP = ("readings/#", "status", "reply")
DOWN = ("receipt", "command")
INGEST = "ingest"


def _grants(prefix: str) -> list[str]:
    return [*(f"topic write {prefix}/{part}" for part in UP), *(f"topic read {prefix}/{part}" for part in DOWN)]


def _source(park: str, source: Source, behind: Iterable[str]) -> list[str]:
    own = f"{PREFIX}/{park}/{source.source}"
    lines = [f"user {park}/{source.source}", *_grants(own)]
    for name in behind:
        lines += _grants(f"{own}/from/{name}")
    return lines


def _ingest() -> list[str]:
    lines = [f"user {INGEST}", f"topic readwrite {PREFIX}-probe/#"]
    for prefix in (f"{PREFIX}/+/+", f"{PREFIX}/+/+/from/+"):
        lines += [f"topic read {prefix}/{part}" for part in UP]
        lines += [f"topic write {prefix}/{part}" for part in DOWN]
    return lines


def render(parks: Iterable[Park]) -> str:
    """The access list of some parks on one broker.

    A source behind a gateway speaks to the gateway's own broker, so here only its gateway may speak for it.
    """
    blocks = [["# Generated from the park documents; do not edit."], _ingest()]
    for park in parks:
        for source in park.sources:
            if source.via is None:
                behind = [other.source for other in park.sources if other.via == source.source]
                blocks.append(_source(park.park, source, behind))
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def main() -> None:
    """Print the access list for the park documents given."""
    parser = argparse.ArgumentParser(description="Write Mosquitto's access list for some parks.")
    parser.add_argument("park", type=Path, nargs="+", help="park documents")
    options = parser.parse_args()
    sys.stdout.write(render(decode_park(path.read_bytes()) for path in options.park))


if __name__ == "__main__":
    main()
