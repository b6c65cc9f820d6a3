"""The document of alarms: quantities with units, everything wrong named at once, a park that it has to fit."""

import dataclasses
import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from parkcarbon.alarm.kinds.base import Compiled, Kind, Scene
from parkcarbon.alarm.rules.check import compile_each, compile_rules
from parkcarbon.alarm.rules.document import Alarms
from parkcarbon.alarm.rules.hints import HINTS
from parkcarbon.alarm.rules.load import as_yaml, canonical, digest_of, load_rules, rules_from
from parkcarbon.alarm.rules.quantity import quantity, span_ms, span_text
from parkcarbon.alarm.subjects import _KNOWN, index_of, labels_of, subject_name
from parkcarbon.catalog.strict import load_yaml
from parkcarbon.domain.alarm.types import Observation, Said, Step
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.live.model import DeviceInfo, Name, ParkModel, PointInfo, TenantRef

NAME = {"zh": "关口功率", "en": "power at the gate"}


def point(number: int, name: str, unit: str, *, kind: str = "gauge", tenant: str | None = None) -> PointInfo:
    quantity_name = name.partition("/")[2]
    return PointInfo(number, number, name, quantity_name, kind, unit, "electricity", None, tenant, 5000, 1.0)


def device(number: int, name: str, source: str | None, tenant: str | None = None) -> DeviceInfo:
    return DeviceInfo(number, name, Name(f"设备{name}", f"device {name}"), "test", tenant, source, "bus-1", number)


POINTS = (
    point(1, "gate/active_power", "kW"),
    point(2, "gate/voltage_l1n", "V"),
    point(3, "gate/power_factor", "1"),
    point(4, "shop/active_power", "kW", tenant="a"),
)
MODEL = ParkModel(
    park="demo",
    name=Name("示范园区", "Demonstration park"),
    timezone="Asia/Shanghai",
    zone=ZoneInfo("Asia/Shanghai"),
    revision=1,
    document={},
    changed_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
    settings=Settings("China/JS", "China", "China", "AR6"),
    tenants=(TenantRef("a", Name("租户甲", "tenant A")),),
    devices=(device(1, "gate", "edge-1"), device(4, "shop", "edge-2", "a"), device(5, "inv-1", None)),
    points=POINTS,
    factors=(),
    by_id={item.point_id: item for item in POINTS},
)


def nothing(_: Compiled, __: Scene) -> list[Observation]:
    return []


def kind(name: str, watches: Any, unit: str | None, on: float | None = None, off: float | None = None) -> Kind:
    return Kind(name, watches, unit, "above", on, off, 0, nothing)


KINDS = {
    "threshold": kind("threshold", "points", None),
    "demand_peak": kind("demand_peak", "park", "%", 100.0, 95.0),
    "device_silent": kind("device_silent", "devices", "s", 15.0, 15.0),
    "completeness": dataclasses.replace(kind("completeness", "tenants", "%", 95.0, 96.0), direction="below"),
    "power_factor": dataclasses.replace(
        kind("power_factor", "points", "1", 0.9, 0.92), direction="below", fits=lambda item: item.unit == "1"
    ),
    "outbox_filling": kind("outbox_filling", "sources", "%", 70.0, 60.0),
    "calibration_expiring": kind("calibration_expiring", "devices", None),
    "energy_budget_pace": kind("energy_budget_pace", "park", "kWh"),
}


def document(*rules: dict[str, Any], **others: Any) -> Alarms:
    return rules_from({"park": "demo", "rules": list(rules), **others})


def rule(**members: Any) -> dict[str, Any]:
    return {"rule": "r", "kind": "threshold", "name": NAME, "of": ["gate/active_power"], "on": "950 kW"} | members


def compiled(**members: Any) -> Compiled:
    [found] = compile_rules(document(rule(**members)), MODEL, KINDS)
    return found


def problems(*rules: dict[str, Any], **others: Any) -> list[str]:
    return list(compile_each(document(*rules, **others), MODEL, KINDS)[1])


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("950 kW", "kW", 950.0),
        ("0.95MW", "kW", 950.0),
        ("-3 kW", "kW", -3.0),
        ("1 GJ", "kWh", 1000 / 3.6),
        ("1 GJ/h", "kW", 1000 / 3.6),
        ("85 %", "1", 0.85),
        ("0.85", "1", 0.85),
        ("85 %", "%", 85.0),
        ("2 tCO2e/h", "kgCO2e/h", 2000.0),
        ("0.6 tCO2e/MWh", "kgCO2e/kWh", 0.6),
        ("3 MWh/door", "kWh/door", 3000.0),
        ("90 CNY/tCO2e", "CNY/tCO2e", 90.0),
        ("36 °C", "degC", 36.0),
        ("5 min", "s", 300.0),
        ("3 periods", "periods", 3.0),
    ],
)
def test_a_quantity_becomes_a_number_in_the_unit_of_its_rule(text: str, unit: str, value: float) -> None:
    assert quantity(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "said"),
    [
        ("950 kW", "kWh", "is power, energy is expected (Wh, kWh, MWh, GWh, MJ, GJ)"),
        ("950 kWh", "kW", "is energy, power is expected"),
        ("950", "kW", "says no unit; write 950 kW"),
        ("85", "%", "says no unit; write 85 %"),
        ("950 KW", "kW", "there is no unit KW (did you mean kW?)"),
        ("3 m3", "Nm3", "is volume, volume at base conditions is expected"),
        ("1 kg", "kgCO2e", "is mass, mass of CO2e is expected"),
        ("90 CNY/t", "CNY/tCO2e", "is not in CNY/tCO2e"),
    ],
)
def test_another_dimension_is_refused_in_words(text: str, unit: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        quantity(text, unit)


def test_spans() -> None:
    assert [span_ms(text) for text in ("30 s", "5min", "4 h", "1.5 d")] == [30_000, 300_000, 14_400_000, 129_600_000]
    assert [span_text(span_ms(text)) for text in ("90 s", "120 min", "48 h")] == ["90 s", "2 h", "2 d"]


def test_a_rule_becomes_numbers() -> None:
    found = compile_rules(
        document(
            rule(
                on="0.95 MW",
                after="5 min",
                hours="22:00-06:30",
                window="7 d",
                receivers=["desk"],
                escalation=[{"after": "15 min", "receivers": ["boss"]}, {"after": "30 min", "receivers": ["desk"]}],
            ),
            receivers=[{"receiver": "desk", "channel": "mail"}, {"receiver": "boss", "channel": "sms"}],
        ),
        MODEL,
        KINDS,
    )[0]
    assert found.limit is not None
    assert (found.limit.on, found.limit.off, found.limit.direction, found.limit.unit) == (950, 902.5, "above", "kW")
    assert found.subjects == ("point:gate/active_power",)
    assert (found.window_ms, found.hours) == (7 * 86_400_000, (22 * 60, 390))
    assert (found.policy.for_ms, found.policy.keep_firing_ms) == (300_000, 150_000)
    assert found.policy.steps == (Step(900_000, ("boss",)), Step(1_800_000, ("desk",)))


def test_what_a_rule_leaves_open_comes_from_its_kind() -> None:
    low = compiled(kind="power_factor", of=[], on=None)
    assert low.limit is not None
    assert (low.limit.on, low.limit.off, low.subjects) == (0.9, 0.92, ("point:gate/power_factor",))
    own = compiled(kind="power_factor", of=[], on="0.8")
    assert own.limit is not None
    assert own.limit.off == pytest.approx(0.84)
    silent = compiled(kind="device_silent", of=[], on=None)
    assert silent.subjects == ("device:gate", "device:shop", "device:inv-1")
    assert compiled(kind="device_silent", of=["edge-1"], on=None).subjects == ("source:edge-1",)
    assert compiled(kind="outbox_filling", of=[], on=None).subjects == ("source:edge-1", "source:edge-2")
    assert compiled(kind="completeness", of=[], on=None).subjects == ("tenant:a",)
    assert compiled(kind="demand_peak", of=[], on=None).subjects == ("park",)
    assert compiled(kind="calibration_expiring", of=[], on=None).limit is None
    figure = compiled(of=["emission_rate"], on="1.2 tCO2e/h")
    assert figure.limit is not None
    assert (figure.limit.on, figure.limit.unit, figure.subjects) == (1200, "kgCO2e/h", ("park",))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"of": ["gate/active_pwer"]}, "of: there is no point 'gate/active_pwer'; near it: gate/active_power"),
        ({"of": ["gat/active_power"]}, "of: there is no point 'gat/active_power'; near it: gate/active_power"),
        ({"of": ["lod"]}, "of: there is no figure 'lod'; near it: load"),
        ({"of": ["load", "import"]}, "of: the figure 'load' stands alone"),
        ({"of": []}, "of: says nothing to look at"),
        ({"of": ["gate/active_power", "gate/active_power"]}, "of: something is there twice"),
        (
            {"of": ["gate/active_power", "gate/voltage_l1n"]},
            "of: gate/voltage_l1n is judged in V, gate/active_power in kW",
        ),
        ({"kind": "completeness", "of": ["b"], "on": "90 %"}, "of: there is no tenant 'b'; known here: a"),
        ({"kind": "device_silent", "of": ["edge-3"], "on": "9 s"}, "of: there is no device 'edge-3'; near it: edge-"),
        ({"kind": "device_silent", "of": ["mill"], "on": "5 kW"}, "on: '5 kW' is power, time is expected"),
        ({"kind": "power_factor", "of": ["gate/voltage_l1n"], "on": "0.9"}, "is nothing that power_factor can watch"),
        ({"kind": "demand_peak", "of": ["gate"], "on": "90 %"}, "of: there is no subject 'gate'; known here: park"),
        ({"kind": "carbon_price", "of": []}, "kind: carbon_price is not known to this version"),
        ({"kind": "calibration_expiring", "of": [], "on": "5 d"}, "on: calibration_expiring has no limit"),
        ({"on": None}, "on: missing: threshold needs a limit in kW"),
        ({"on": "950 kWh"}, "on: '950 kWh' is energy, power is expected"),
        ({"kind": "energy_budget_pace", "of": [], "on": "950 kW"}, "on: '950 kW' is power, energy is expected"),
        ({"off": "960 kW"}, "off: 960 kW is on the wrong side: clear of an alarm above 950 kW is not above it"),
        ({"direction": "below", "off": "900 kW"}, "off: 900 kW is on the wrong side: clear of an alarm below 950 kW"),
        ({"off": "900 V"}, "off: '900 V' is voltage, power is expected"),
        ({"window": "3653 d"}, "window: 3653 d is more than 400 d"),
        ({"window": "0 s"}, "window: 0 looks back at nothing"),
        ({"after": "99999999 d"}, "after: 99999999 d is more than 400 d"),
        ({"repeat": "5 s"}, "repeat: 5 s is less than a minute"),
        ({"hours": "06:00-06:00"}, "hours: 06:00-06:00 is no time at all"),
        ({"receivers": ["desk"]}, "receivers: there is no receiver 'desk'"),
        ({"escalation": [{"after": "0 s", "receivers": []}]}, "escalation[0].after: 0 s does not come after 0 s"),
        ({"escalation": [{"after": "5 min", "receivers": []}]}, "escalation[0].receivers: nobody is named"),
        ({"escalation": [{"after": "5 min", "receivers": ["x"]}]}, "escalation[0].receivers: there is no receiver 'x'"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(members: dict[str, Any], said: str) -> None:
    assert all(line.startswith("rules[r].") for line in problems(rule(**members)))
    with pytest.raises(RefusedError) as caught:
        compile_rules(document(rule(**members)), MODEL, KINDS)
    assert (said in str(caught.value), caught.value.rule) == (True, "")


def test_steps_ascend() -> None:
    steps = [{"after": "30 min", "receivers": ["d"]}, {"after": "15 min", "receivers": ["d"]}]
    found = problems(rule(escalation=steps), receivers=[{"receiver": "d", "channel": "mail"}])
    assert found == ["rules[r].escalation[1].after: 15 min does not come after 30 min: steps ascend"]


def test_everything_that_is_wrong_is_listed_and_the_rest_still_judged() -> None:
    wrong = document(
        rule(rule="good"),
        rule(rule="good"),
        rule(rule="unit", on="950 V"),
        rule(rule="point", of=["gate/nothing"], window="3653 d"),
        receivers=[
            {"receiver": "desk", "channel": "mail", "text": "${value} of ${valu}", "subject": "costs 5 $"},
            {"receiver": "desk", "channel": "mail"},
        ],
        inhibit=[{"source": {}, "target": {"kind": "silent"}, "equal": ["gateway"]}],
        maintenance=[
            {
                "window": "w",
                "begin": "2026-10-01",
                "end": "x",
                "match": {"device": "gate", "kind": "power_*"},
                "reason": "works",
            },
            {
                "window": "v",
                "begin": "2026-10-02T00:00:00Z",
                "end": "2036-10-02T00:00:00Z",
                "match": {"rule": "goo", "colour": "red"},
                "reason": " ",
            },
            {
                "window": "v",
                "begin": "2026-10-02T00:00:00Z",
                "end": "2026-10-01T00:00:00Z",
                "match": {"priority": "grave"},
                "reason": "works",
            },
        ],
    )
    found, told = compile_each(wrong, MODEL, KINDS)
    assert [item.rule.rule for item in found] == ["good"]
    beginnings = [
        "receivers[desk]: there twice",
        "receivers[desk].subject: template: a lone $",
        "receivers[desk].text: template: no field ${valu}",
        "maintenance[v]: there twice",
        "inhibit[0].source: empty",
        "inhibit[0].target.kind: there is no kind 'silent'; near it: device_silent",
        "inhibit[0].equal: there is no label 'gateway'",
        "maintenance[w]: 2026-10-01 has no time zone",
        "maintenance[v].match.rule: there is no rule 'goo'; near it: good",
        "maintenance[v].match: there is no label 'colour'",
        "maintenance[v].reason: empty",
        "maintenance[v].end: 3653 days; 400 d are the most",
        "maintenance[v].match.priority: there is no priority 'grave'",
        "maintenance[v].end: 2026-10-01T00:00:00Z is not after",
        "rules[good].rule: there twice",
        "rules[unit].on: '950 V' is voltage",
        "rules[point].of: there is no point 'gate/nothing'",
        "rules[point].window: 3653 d is more than 400 d",
    ]
    for begin in beginnings:
        assert any(line.startswith(begin) for line in told), (begin, told)
    assert len(told) == len(beginnings)


def test_a_document_of_another_park_is_refused() -> None:
    assert compile_each(rules_from({"park": "other"}), MODEL, KINDS)[1] == (
        "park: the document is of other, not of demo",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("park: demo\nrules: [", "line 2: not YAML"),
        ("park: demo\npark: demo", "key 'park' appears twice"),
        ("park: &a demo\nrules: [*a]", "line 2: not YAML or JSON: aliases (*name) are not read here"),
        ("[]", "document: []: a mapping is expected"),
        ("park: demo\nrules:\n- {rule: a, kind: thrshold, name: {zh: 一, en: one}}", "rules[a].kind: 'thrshold'"),
        ("park: demo\nrules:\n- {rule: a, kind: threshold}", "rules[a].name: missing"),
        ("park: demo\nrules:\n- {rule: a, kind: clock, name: {zh: 一, en: x}, on: 5 m m}", "rules[a].on: '5 m m'"),
        ("park: demo\nrules:\n- {rule: a, kind: clock, name: {zh: 一, en: x}, after: 5 m}", "rules[a].after: '5 m'"),
        ("park: demo\nrulez: []", "rulez: unknown; known here:"),
        ('park: demo\nreceivers: [{receiver: a, channel: b, text: "\\0"}]', "holds the character NUL"),
        ('park: demo\nreceivers: [{receiver: a, channel: b, text: "\\ud800"}]', "half a character"),
        ("[" * 100_000, "not YAML"),
        ("x" * 2_000_001, "2,000,000 are allowed"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused(text: str, said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        load_rules(text)
    assert said in str(caught.value)


def test_every_member_that_does_not_fit_is_named() -> None:
    text = "park: Demo\nrules:\n- {rule: A b, kind: x, name: n, on: kW, priority: urgent, of: 3}"
    with pytest.raises(RefusedError) as caught:
        load_rules(text)
    places = [line.split(": ")[0] for line in str(caught.value).splitlines()]
    assert sorted(places) == [
        "park",
        *(f"rules[A b].{name}" for name in ("kind", "name", "of", "on", "priority", "rule")),
    ]


def test_a_document_survives_its_yaml_and_its_json() -> None:
    made = document(rule(after="5 min", on="0.9"), inhibit=[{"source": {"kind": "clock"}, "target": {"source": "e"}}])
    assert load_rules(as_yaml(made)) == made
    assert msgspec.json.decode(canonical(made), type=Alarms) == made
    said = load_yaml(as_yaml(made), words=True)["rules"][0]
    assert set(said) == {"rule", "kind", "name", "of", "on", "after"}
    assert load_rules(as_yaml(made).replace("on: '0.9'", "on: 0.9")) == made
    spelled = document(
        rule(after="5 min", on="0.9", priority="medium", repeat="4 h"), inhibit=msgspec.to_builtins(made.inhibit)
    )
    assert digest_of(spelled) == digest_of(made)
    assert digest_of(document(rule(after="6 min", on="0.9"))) != digest_of(made)


def test_subjects_have_names_and_labels() -> None:
    assert subject_name(MODEL, "point:gate/active_power") == Said("设备gate 总有功功率", "device gate, active power")
    assert subject_name(MODEL, "device:shop") == Said("设备shop", "device shop")
    assert subject_name(MODEL, "device:gone") == Said("gone", "gone")
    assert subject_name(MODEL, "tenant:a") == Said("租户甲", "tenant A")
    assert subject_name(MODEL, "park") == Said("示范园区", "Demonstration park")
    assert subject_name(MODEL, "source:edge-1") == Said("edge-1", "edge-1")
    found = labels_of(MODEL, "r", "threshold", "low", "point:shop/active_power").values
    assert found == {
        "rule": "r",
        "kind": "threshold",
        "priority": "low",
        "subject": "point:shop/active_power",
        "device": "shop",
        "source": "edge-2",
        "tenant": "a",
    }
    assert labels_of(MODEL, "r", "clock", "low", "source:edge-1").values["source"] == "edge-1"


def test_hints_are_few_where_everything_is_missing() -> None:
    found = problems(rule(of=[f"gate/active_power{number}" for number in range(100)]))
    assert len(found) == 100
    assert sum("near it: gate/active_power" in line for line in found) == HINTS


def test_an_index_belongs_to_its_model_and_goes_with_it() -> None:
    other = dataclasses.replace(MODEL, points=MODEL.points[:1])
    assert set(index_of(other).points) == {"gate/active_power"}
    assert set(index_of(MODEL).points) == {item.point for item in POINTS}
    assert index_of(other) is index_of(other)
    key = id(other)
    del other
    assert key not in _KNOWN


def test_patterns_match_rules_that_there_are() -> None:
    window = {"window": "w", "begin": "2026-10-02T00:00:00Z", "end": "2026-10-03T00:00:00Z", "reason": "works"}
    assert problems(rule(), maintenance=[window | {"match": {"rule": "r*"}}]) == []
    assert problems(rule(), maintenance=[window | {"match": {"rule": "x*"}}]) == [
        "maintenance[w].match.rule: there is no rule 'x*'"
    ]
