"""The demo as a user meets it: seconds to ready, memory of each process, from a register's read to the page's event.

```
python tests/bench/bench_demo.py [--seconds 60] [--broker mosquitto|amqtt]
```

The delay of an event is its arrival minus `data_as_of`, the moment at which the newest register in it was read. Events
come at most once a second, so up to a second of it is the wait for the next event.
"""

import argparse
import datetime as dt
import http.client
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fakes.demo_process import DemoProcess


def events(url: str, token: str, park: str, seconds: float) -> Iterator[tuple[float, dict[str, object]]]:
    """Arrival time [s since 1970] and content of each `now` event for some time [s]."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request("GET", f"/api/v1/parks/{park}/live", headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    deadline = time.monotonic() + seconds
    kind = ""
    while time.monotonic() < deadline:
        line = response.readline().decode().rstrip("\n")
        if line.startswith("event:"):
            kind = line.partition(":")[2].strip()
        elif line.startswith("data:") and kind == "now":
            yield time.time(), json.loads(line.partition(":")[2])
    connection.close()


def delays_ms(url: str, token: str, park: str, seconds: float) -> list[float]:
    """Delay of each event that brought newer readings [ms]."""
    found, newest = [], ""
    for arrived_s, now in events(url, token, park, seconds):
        as_of = str(now["data_as_of"])
        if newest and as_of != newest:
            found.append((arrived_s - dt.datetime.fromisoformat(as_of).timestamp()) * 1000)
        newest = as_of
    return found


def memory_mb(pids: dict[str, int]) -> dict[str, float]:
    """Proportional set size of each process with its children [MB]."""
    sizes = {}
    for name, pid in pids.items():
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        sizes[name] = round(sum(process.memory_full_info().pss for process in family) / 1e6, 1)
    return sizes


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description="Measure the demo.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--broker", default="auto")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        DemoProcess(Path(folder) / "park", "--broker", options.broker) as demo,
    ):
        sizes = memory_mb(demo.pids())
        found = delays_ms(demo.ready.url, demo.ready.token, demo.env["PARKCARBON_PARK"], options.seconds)
        cuts = statistics.quantiles(found, n=100) if len(found) > 1 else [float("nan")] * 99
        answer = {
            "ready_s": demo.ready.seconds,
            "memory_mb": sizes,
            "memory_mb_sum": round(sum(sizes.values()), 1),
            "events": len(found),
            "delay_ms": {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "p99": round(cuts[98], 1)},
        }
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
