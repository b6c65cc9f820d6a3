"""The OpenAPI document is complete and is the one on record: a change of the interface shows in the diff."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from api.settings import Settings

SNAPSHOT = Path(__file__).with_name("openapi.json")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings(database_url="postgresql://localhost/none")).openapi()


BOUNDS = ("enum", "pattern", "maxLength", '"date', "$ref", "boolean", "minimum", "maximum")


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_snapshot(document: dict[str, Any]) -> None:
    """To accept a change: `python -m tests.contract.write_openapi`, and look at the diff."""
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == json.loads(json.dumps(document))


def test_every_operation_says_what_can_go_wrong(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert operation.get("summary"), (method, path)
        statuses = set(operation["responses"])
        if path in ("/healthz", "/readyz"):
            continue
        refusals = {"401"} if (method, path) != ("delete", "/api/v1/session") else {"403"}
        assert refusals <= statuses, (method, path)
        if "{park}" in path:
            assert {"401", "403", "404", "422", "503"} <= statuses, path
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")):
                assert set(response["content"]) == {"application/problem+json"}, (path, status)


def test_every_answer_has_a_model(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if path in ("/metrics", "/api/v1/parks/{park}/live") or "/files/" in path or method == "delete":
            continue
        done = next(status for status in operation["responses"] if status.startswith("2"))
        schema = operation["responses"][done]["content"]["application/json"]["schema"]
        model = schema["items"] if schema.get("type") == "array" else schema
        assert model["$ref"].startswith("#/components/schemas/"), path


def test_park_routes_name_their_security(document: dict[str, Any]) -> None:
    assert set(document["components"]["securitySchemes"]) == {"HTTPBearer", "APIKeyCookie"}
    for _, path, operation in operations(document):
        if path.startswith("/api/v1/parks"):
            assert operation["security"] == [{"HTTPBearer": []}, {"APIKeyCookie": []}], path


def test_every_parameter_is_bounded_and_described(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "cookie" or parameter["name"] == "authorization":
                continue
            text = json.dumps(parameter["schema"])
            bounded = any(word in text for word in BOUNDS)
            assert bounded, (path, parameter["name"])


def test_no_reference_dangles(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                found.add(node["$ref"])
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(document)
    assert found <= known
    assert {"#/components/schemas/Now", "#/components/schemas/Problem"} <= found
