"""A fake Grafana: the part of its published HTTP API that `dashboards push` uses, kept in memory.

This is not Grafana. It answers as the documentation of the legacy HTTP API says (search, folders, dashboards, data
sources, alerting provisioning): statuses, bodies, versions that grow, a 412 where a version is old and `overwrite` is
not said, a 409 for a uid that is taken. It renders nothing and runs no query.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "glsa-test"
Json = dict[str, Any]


class GrafanaFake(ThreadingHTTPServer):
    """State and counters of the fake; tests read and change them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folders: dict[str, Json] = {}
        self.dashboards: dict[str, Json] = {}
        self.folder_of: dict[str, str] = {}
        self.sources: dict[str, Json] = {}
        self.rules: dict[str, Json] = {}
        self.messages: dict[str, list[str]] = {}
        self.writes: list[str] = []
        self.failing = 0
        self.ids = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_id(self) -> int:
        """A key of the server's own."""
        self.ids += 1
        return self.ids

    def add_dashboard(self, body: Mapping[str, Any], folder: str = "") -> None:
        """Somebody saves a dashboard in the browser."""
        self.dashboards[body["uid"]] = {**body, "id": self.next_id(), "version": 1}
        self.folder_of[body["uid"]] = folder
        self.messages.setdefault(body["uid"], []).append("")

    def edit(self, uid: str) -> Json:
        """Somebody saves a dashboard again in the browser; returns what the next version holds."""
        self.messages.setdefault(uid, []).append("")
        self.dashboards[uid]["version"] += 1
        return self.dashboards[uid]


class _Handler(BaseHTTPRequestHandler):
    server: GrafanaFake
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Tests read `writes` instead."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        url = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(text) if text else {}
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._send(401, {"message": "Invalid API key"})
        if self.server.failing:
            self.server.failing -= 1
            return self._send(500, {"message": "database is locked"})
        if method != "GET":
            self.server.writes.append(f"{method} {url.path}")
        parts = url.path.removeprefix("/api/").strip("/").split("/")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        status, answer = self._route(method, parts, query, body)
        return self._send(status, answer)

    def _route(self, method: str, parts: list[str], query: Mapping[str, str], body: Json) -> tuple[int, Any]:
        areas: dict[str, Callable[[str, list[str], Json], tuple[int, Any]]] = {
            "folders": self._folders,
            "dashboards": self._dashboards,
            "datasources": self._sources,
            "v1": self._rules,
        }
        if parts == ["search"]:
            tag = query.get("tag")
            return 200, [
                {"uid": uid, "title": item["title"], "type": "dash-db", "tags": item.get("tags", [])}
                for uid, item in self.server.dashboards.items()
                if tag is None or tag in item.get("tags", [])
            ]
        if parts[0] not in areas:
            return 404, {"message": "Not found"}
        return areas[parts[0]](method, parts[1:], body)

    def _folders(self, method: str, parts: list[str], body: Json) -> tuple[int, Any]:
        folders = self.server.folders
        if method == "GET":
            return 200, list(folders.values())
        if method == "POST":
            if body["uid"] in folders:
                return 409, {"message": "a folder with the same UID already exists"}
            folders[body["uid"]] = {"id": self.server.next_id(), "uid": body["uid"], "title": body["title"]}
            return 200, folders[body["uid"]]
        if parts[0] not in folders:
            return 404, {"message": "folder not found"}
        folders[parts[0]]["title"] = body["title"]
        return 200, folders[parts[0]]

    def _dashboards(self, method: str, parts: list[str], body: Json) -> tuple[int, Any]:
        if method == "POST" and parts == ["db"]:
            return self._save(body)
        uid = parts[1]
        if uid not in self.server.dashboards:
            return 404, {"message": "Dashboard not found"}
        if parts[2:] == ["versions"]:
            said = self.server.messages.get(uid, [])
            return 200, {"versions": [{"version": n, "message": text} for n, text in enumerate(said, 1)][::-1]}
        if method == "DELETE":
            self.server.messages.pop(uid, None)
            title = self.server.dashboards.pop(uid)["title"]
            return 200, {"title": title, "message": f"Dashboard {title} deleted"}
        meta = {"folderUid": self.server.folder_of.get(uid, ""), "slug": uid}
        return 200, {"dashboard": self.server.dashboards[uid], "meta": meta}

    def _save(self, body: Json) -> tuple[int, Any]:
        given = body["dashboard"]
        before = self.server.dashboards.get(given["uid"])
        if before is not None and not body.get("overwrite") and given.get("version") != before["version"]:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        if body.get("folderUid") and body["folderUid"] not in self.server.folders:
            return 400, {"message": "folder not found"}
        kept = {"id": self.server.next_id(), "version": 1} if before is None else {"id": before["id"]}
        version = 1 if before is None else before["version"] + 1
        self.server.dashboards[given["uid"]] = {**given, **kept, "version": version}
        self.server.folder_of[given["uid"]] = body.get("folderUid", "")
        self.server.messages.setdefault(given["uid"], []).append(body.get("message", ""))
        return 200, {"uid": given["uid"], "status": "success", "version": version}

    def _sources(self, method: str, parts: list[str], body: Json) -> tuple[int, Any]:
        sources = self.server.sources
        if method == "POST":
            if body["uid"] in sources:
                return 409, {"message": "data source with the same uid already exists"}
            sources[body["uid"]] = {**body, "id": self.server.next_id(), "orgId": 1}
            return 200, {"datasource": _shown(sources[body["uid"]]), "message": "Datasource added"}
        uid = parts[-1]
        if uid not in sources:
            return 404, {"message": "Data source not found"}
        if method == "PUT":
            sources[uid] = {**sources[uid], **body}
        return 200, _shown(sources[uid])

    def _rules(self, method: str, parts: list[str], body: Json) -> tuple[int, Any]:
        rules = self.server.rules
        if method == "GET":
            return 200, list(rules.values())
        if method == "POST":
            if body["uid"] in rules:
                return 409, {"message": "rule under the same UID already exists"}
            rules[body["uid"]] = {
                **body,
                "id": self.server.next_id(),
                "provenance": "",
                "updated": "2026-11-21T00:00:00Z",
            }
            return 201, rules[body["uid"]]
        uid = parts[-1]
        if uid not in rules:
            return 404, {"message": "alert rule not found"}
        if method == "DELETE":
            del rules[uid]
            return 204, None
        rules[uid] = {**rules[uid], **body}
        return 200, rules[uid]

    def _send(self, status: int, answer: Any) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _shown(source: Json) -> Json:
    """A data source as it is shown: without secrets."""
    return {name: value for name, value in source.items() if name != "secureJsonData"} | {
        "secureJsonFields": dict.fromkeys(source.get("secureJsonData", {}), True)
    }


@contextmanager
def grafana() -> Iterator[GrafanaFake]:
    """The fake, running in a thread until the block ends."""
    server = GrafanaFake()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
