"""The examples that the web app builds against obey the response models and agree with themselves."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from api import schemas, schemas_inventory

EXAMPLES = Path(__file__).parent / "api_examples"
MODELS: dict[str, type[BaseModel]] = {
    "now": schemas.Now,
    "series": schemas.Series,
    "inventory": schemas_inventory.Inventory,
    "devices": schemas.Devices,
    "parks": schemas.Parks,
    "working": schemas.Working,
}


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def test_every_example_has_a_model() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == set(MODELS)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_example_survives_its_model(name: str) -> None:
    """Decoding and encoding again changes nothing but the number of decimals of a time stamp."""
    text = example(name)
    again = MODELS[name].model_validate(text).model_dump(mode="json", by_alias=True)
    assert MODELS[name].model_validate(again) == MODELS[name].model_validate(text)
    assert set(again) == set(text)


def test_flow_of_the_example_balances() -> None:
    flow = schemas.Flow.model_validate(example("now")["flow"])
    for node in flow.nodes:
        into = sum(edge.kw for edge in flow.edges if edge.to == node.node)
        out = sum(edge.kw for edge in flow.edges if edge.from_ == node.node)
        assert node.kw is not None
        assert max(into, out) == pytest.approx(node.kw)
        if node.kind == "bus":
            assert into == pytest.approx(out)


def test_scopes_of_the_example_add_up() -> None:
    inventory = schemas_inventory.Inventory.model_validate(example("inventory"))
    for scope in inventory.scopes:
        assert scope.co2e_kg == pytest.approx(sum(line.co2e_kg or 0.0 for line in scope.lines))


def test_series_of_the_example_runs_parallel() -> None:
    series = schemas.Series.model_validate(example("series"))
    for group in series.groups:
        assert len(group.values) == len(group.coverage) == len(group.method) == len(series.starts)
        missing = [value is None for value in group.values]
        assert missing == [coverage == 0 for coverage in group.coverage]
