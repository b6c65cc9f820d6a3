"""The web app's files: what may be kept for how long, compressed copies, nothing outside the folder."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.web import web_router


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<p>page</p>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "app-1a2b.js").write_text("plain")
    (folder / "assets" / "app-1a2b.js.br").write_bytes(b"brotli")
    (folder / "assets" / "app-1a2b.js.gz").write_bytes(b"not really gzip")
    (folder / "notes.secret").write_text("secret")
    (tmp_path / "outside.js").write_text("outside")
    (folder / "link.js").symlink_to(tmp_path / "outside.js")
    return folder


@pytest.fixture
def client(dist: Path) -> httpx.AsyncClient:
    return client_of(dist)


def client_of(dist: Path) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(web_router(dist))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://park.test")


@pytest.mark.parametrize("path", ["/", "/index.html", "/wall", "/park/demo"])
async def test_pages_are_asked_for_each_time(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.text == "<p>page</p>"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["content-type"] == "text/html; charset=utf-8"


async def test_hashed_assets_are_kept_for_ever(client: httpx.AsyncClient) -> None:
    response = await client.get("/assets/app-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert response.text == "plain"
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["vary"] == "Accept-Encoding"
    assert (await client.get("/favicon.svg")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("br, gzip", "br"), ("gzip", "gzip"), ("gzip;q=1.0, br;q=0", "gzip"), ("deflate", None), ("", None)],
)
async def test_compressed_copies(client: httpx.AsyncClient, accepted: str, encoding: str | None) -> None:
    async with client.stream("GET", "/assets/app-1a2b.js", headers={"Accept-Encoding": accepted}) as response:
        assert response.headers.get("content-encoding") == encoding
        assert response.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/notes.secret",
        "/..%2foutside.js",
        "/%2e%2e/outside.js",
        "/assets/..%2f..%2foutside.js",
        "/link.js",
        "/api/v1/nothing",
        "/assets/app-1a2b.js.br",
    ],
)
async def test_nothing_else(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert "outside" not in response.text


async def test_it_says_when_the_app_was_not_built(tmp_path: Path) -> None:
    response = await client_of(tmp_path / "none").get("/")
    assert response.status_code == 503
    assert "make web" in response.text
