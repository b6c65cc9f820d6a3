"""What the page's fixture says keeps the HTTP contract: otherwise the page would be tested against a fiction."""

from typing import Any

import pytest
from pydantic import BaseModel

from api import schemas
from tests.fakes import api_scene as scenes
from tests.fakes.api_fixture import clock_from
from tests.fakes.api_scene import Scene

AT = "2026-11-18T14:32:05+08:00"
SCENES = {
    "day": Scene(clock_from(AT)),
    "export": Scene(clock_from(AT), sun=6),
    "evening": Scene(clock_from("2026-11-20T19:10:05+08:00")),
    "empty": Scene(clock_from(AT), empty=True),
    "gaps": Scene(clock_from(AT), gaps=(5, 6), estimated=(8, 9)),
    "long day": Scene(clock_from("2026-10-25T20:40:00+00:00"), timezone="Europe/London"),
}


def answers(scene: Scene) -> dict[str, tuple[type[BaseModel], Any]]:
    start = scene.midnight_ms(scene.now_ms())
    return {
        "now": (schemas.Now, scenes.now(scene, "demo")),
        "parks": (schemas.Parks, scenes.parks(scene)),
        "devices": (schemas.Devices, scenes.devices(scene)),
        "series": (schemas.Series, scenes.series(scene, "load_kw", start, scene.now_ms(), "tenant")),
    }


@pytest.mark.parametrize("name", SCENES)
def test_scene_keeps_the_contract(name: str) -> None:
    for model, answer in answers(SCENES[name]).values():
        model.model_validate(answer)


@pytest.mark.parametrize("name", ["day", "export", "evening"])
def test_flow_of_a_scene_closes(name: str) -> None:
    flow = scenes.flow(SCENES[name])
    into = sum(edge["kw"] for edge in flow["edges"] if edge["to"] == "bus-electricity")
    out = sum(edge["kw"] for edge in flow["edges"] if edge["from"] == "bus-electricity")
    assert into == pytest.approx(out, abs=0.01)
    assert all(edge["kw"] >= 0 for edge in flow["edges"])
