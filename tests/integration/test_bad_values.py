"""Whatever stands in a body, no write route of the books answers with a fault, and only whoever may write writes."""

import copy
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import httpx
import pytest

from api.app import create_app
from tests.fakes.api_client import APPROVER, AUDITOR, VIEWER, WALL, SceneClock, serving, settings_for
from tests.fakes.api_park import PARK, write_park

pytestmark = pytest.mark.postgres
BASE: Final = f"/api/v1/parks/{PARK}"
SAID: Final = {"reason": "a reason"}
ENTRY: Final = {
    "kind": "process",
    "document": {
        "product": "lime",
        "amount": 5,
        "unit": "t",
        "supplier": {"value": 0.5, "unit": "kgCO2/t", "publisher": "laboratory", "document": "report 1"},
    },
    "period": "2026-10",
    "evidence": "log 3",
}
FACTOR: Final = {
    "factor": "OWN-1",
    "purpose": "heat_purchased",
    "carrier": "heat",
    "region": "China",
    "gas": "CO2",
    "unit": "tCO2/GJ",
    "value": 0.09,
    "data_year": 2026,
    "publisher": "supplier",
    "edition": "contract",
    "source_page": "annex 1",
    "evidence": "contract 3",
}
LOT: Final = {
    "kind": "GEC",
    "registry": "gec-cn",
    "serial_prefix": "G-",
    "first": 1,
    "count": 10,
    "technology": "wind",
    "plant": "wind-1",
    "market": "China",
    "generated": "2026-03",
    "origin": "bought",
    "evidence": "statement 1",
}
EVENT: Final = {
    "kind": "cancelled",
    "on_day": "2026-11-01",
    "first": 1,
    "count": 1,
    "period": "2026-10",
    "tenant": "cold",
    "limit_kwh": 5000,
    "to_park": PARK,
    "counterparty": "somebody",
    "public_record": "https://registry.example/1",
    "evidence": "extract 1",
}
SPAN: Final = {
    "point": "gate/active_energy_import",
    "from": "2026-11-15T00:00:00Z",
    "to": "2026-11-15T01:00:00Z",
}
SUBSTITUTION: Final = SPAN | {"method": "estimate", "total": 5, "evidence": "bill 1", "reference_days": 14}
CORRECTION: Final = SPAN | {"kind": "boundary", "end_reading": 1, "start_reading": 2, "offset_ms": 5}
ALARMS: Final = {
    "park": PARK,
    "rules": [
        {
            "rule": "load",
            "kind": "threshold",
            "name": {"zh": "负荷", "en": "load"},
            "of": ["load"],
            "on": "950 kW",
            "off": "900 kW",
            "after": "5 min",
            "receivers": ["desk"],
            "escalation": [{"after": "15 min", "receivers": ["desk"]}],
        }
    ],
    "receivers": [{"receiver": "desk", "channel": "inbox", "text": "${reason}"}],
    "inhibit": [{"source": {"kind": "device_silent"}, "target": {"rule": "load"}, "equal": ["source"]}],
    "maintenance": [
        {
            "window": "w1",
            "begin": "2026-10-01T00:00:00Z",
            "end": "2026-10-02T00:00:00Z",
            "match": {"rule": "load"},
            "reason": "works",
        }
    ],
}
BODIES: Final[dict[str, dict[str, Any]]] = {
    "/alarms/rules/check": {"document": ALARMS},
    "/alarms/rules/try": {
        "rule": "load",
        "document": ALARMS,
        "from": "2026-10-01T00:00:00+08:00",
        "to": "2026-10-01T01:00:00+08:00",
    },
    "/alarms/silences": {
        "match": {"rule": "load"},
        "begin": "2026-10-01T00:00:00+08:00",
        "end": "2026-10-01T01:00:00+08:00",
        "comment": "works",
    },
    "/alarms/silences/1/end": {},
    "/alarms/1/acknowledge": {"comment": "on the way"},
    "/alarms/1/comment": {"comment": "seen"},
    "/alarms/1/shelve": {"comment": "works", "until": "2026-10-01T01:00:00+08:00"},
    "/alarms/1/unshelve": {"comment": "done"},
    "/alarms/1/out-of-service": {"comment": "works"},
    "/alarms/1/in-service": {"comment": "done"},
    "/entries": {"entries": [ENTRY]},
    "/entries/1/review": SAID | {"decision": "approved"},
    "/entries/1/withdrawal": SAID,
    "/factors": FACTOR | SAID,
    "/factors/1/decision": SAID | {"decision": "approved", "load": 1},
    "/factors/1/series/fetch": SAID | {"format": "csv", "span_s": 3600},
    "/ledger/lots": LOT | SAID,
    "/ledger/lots/1/events": EVENT | SAID,
    "/ledger/events/1/confirmation": SAID,
    "/ledger/events/1/strike": SAID,
    "/ledger/lots/1/strike": SAID,
    "/periods/2026-10/provisional": SAID,
    "/periods/2026-10/close": SAID | {"override": False},
    "/periods/2026-10/reopen": SAID,
    "/substitutions/draft": SUBSTITUTION | SAID,
    "/substitutions": SUBSTITUTION | SAID,
    "/substitutions/1/review": SAID | {"decision": "approved"},
    "/substitutions/1/withdrawal": SAID,
    "/corrections": CORRECTION | SAID,
    "/corrections/1/withdrawal": SAID,
    "/statements": {"period": "2026-10", "kind": "statement"},
    "/statements/1/acts": {"act": "approve", "comment": "seen", "digest": "0" * 64},
    "/statements/1/lock": SAID | {"override": False},
    "/statements/1/reissue": SAID,
}
VALUES: Final[tuple[Any, ...]] = (
    *(None, "", " ", [], {}, True, "NaN", "٣", "0x10", "😀", "2026-13-01", "0000-00-00", "9999-12-31"),
    *(-1, 0, 1e300, 1e-300, 10**30, -(10**18), 2**31, 2**63 - 1, 2**63),
    *("\u0000", "a\u0000b", "\ud800", "x" * 50_000, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
)
READS: Final = {"/alarms/rules/check", "/alarms/rules/try"}
"""Routes that take a body and enter nothing: whoever may read may ask."""
RAW: Final = (b"", b"null", b"[]", b"{}", b"{", b"\xff\xfe", b'"x"', b'{"reason": NaN}', b"[" * 5000 + b"]" * 5000)


@pytest.fixture
async def client(postgres_url: str) -> AsyncIterator[httpx.AsyncClient]:
    await write_park(postgres_url)
    async with serving(create_app(settings_for(postgres_url), SceneClock()), token=None) as client:
        yield client


def places(document: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a body."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inner:
        yield (*place, key)
        yield from places(value, (*place, key))


def with_value(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


def bodies(path: str) -> Iterator[bytes]:
    yield from RAW
    for place in places(BODIES[path]):
        for value in VALUES:
            yield json.dumps(with_value(BODIES[path], place, value)).encode()


async def test_every_write_route_is_tried() -> None:
    """With a body in which everything that may be said is said."""
    paths = create_app(settings_for("postgresql://localhost/none")).openapi()["paths"]
    written = {path.removeprefix("/api/v1/parks/{park}") for path, methods in paths.items() if "post" in methods}
    numbered = {path.replace("/1/", "/{}/").replace("/2026-10/", "/{}/") for path in BODIES}
    expected = {_numbered(path) for path in written if not path.startswith("/api") and not path.endswith("/series")}
    assert expected == numbered


def _numbered(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.parametrize("path", sorted(BODIES))
async def test_no_value_is_a_fault(client: httpx.AsyncClient, path: str) -> None:
    headers = {"Authorization": f"Bearer {APPROVER}", "Content-Type": "application/json"}
    for body in bodies(path):
        answer = await client.post(BASE + path, content=body, headers=headers)
        assert answer.status_code < 500, (body[:600], answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", body[:600]
            assert answer.json().get("detail") or answer.json().get("errors"), body[:600]


async def test_who_only_reads_writes_nothing(client: httpx.AsyncClient) -> None:
    for path, body in BODIES.items():
        if path in READS:
            continue
        for token in (VIEWER, AUDITOR, WALL):
            headers = {"Authorization": f"Bearer {token}"}
            assert (await client.post(BASE + path, json=body, headers=headers)).status_code == 403, path
