"""Days until the calibration certificate of a meter runs out.

An entered certificate of a device goes before the day in its newest episode of the park document, as in the list of
rule 6.5. A meter that failed is beyond any limit; of one without a certificate nothing is known.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from parkcarbon.alarm.observe.judge import judge
from parkcarbon.alarm.observe.operations import Certificate, load_certificates
from parkcarbon.domain.alarm.types import Level, Observation, Said
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel

from .base import Compiled, Kind, Scene
from .spans import HOUR_MS


def observe(rule: Compiled, scene: Scene) -> list[Observation]:
    """Days left of each meter's certificate today."""
    entered: Mapping[str, Certificate] | None = scene.read.get("calibration_expiring")
    return [] if entered is None else _on(rule, scene.model, entered, scene.now_ms)


async def load(session: Session, model: ParkModel, _rules: Sequence[Compiled], _now_ms: int) -> dict[str, Certificate]:
    """Reads the certificate of each device."""
    entered: dict[str, Certificate] = {}
    for certificate in await load_certificates(session, model):
        before = entered.get(certificate.device)
        if before is None or _order(certificate) > _order(before):
            entered[certificate.device] = certificate
    return declared(model) | entered


async def history(session: Session, model: ParkModel, rule: Compiled, from_ms: int, to_ms: int) -> list[Observation]:
    """Days left at the begin of every local day in [from, to), by the certificates known today."""
    entered = await load(session, model, [rule], to_ms)
    day, found = model.local(from_ms).date(), []
    while (at_ms := model.midnight_ms(day)) < to_ms:
        if at_ms >= from_ms:
            found += _on(rule, model, entered, at_ms)
        day += dt.timedelta(days=1)
    return found


def declared(model: ParkModel) -> dict[str, Certificate]:
    """What the newest episodes of the park document say, the earliest day of each device."""
    found: dict[str, Certificate] = {}
    for device in model.document.get("devices") or ():
        ends = [
            dt.date.fromisoformat(str(until))
            for point in device.get("points") or ()
            for episode in (point.get("episodes") or ())[-1:]
            if point.get("flow") is not None and (until := episode.get("calibrated_until")) is not None
        ]
        if ends:
            found[device["device"]] = Certificate(device["device"], min(ends))
    return found


def _order(certificate: Certificate) -> tuple[dt.date, str, bool]:
    return certificate.until, certificate.number, certificate.passed


def _on(rule: Compiled, model: ParkModel, entered: Mapping[str, Certificate], at_ms: int) -> list[Observation]:
    return [
        _observe(rule, model, subject, at_ms, entered[device])
        for subject in rule.subjects
        if (device := subject.partition(":")[2]) in entered
    ]


def _observe(rule: Compiled, model: ParkModel, subject: str, at_ms: int, found: Certificate) -> Observation:
    days = float((found.until - model.local(at_ms).date()).days)
    number = f" {found.number}" if found.number else ""
    last = found.until - dt.timedelta(days=1)
    what = Said(f"检定证书{number}（有效至 {last}）剩余", f"certificate{number} (good through {last}) runs out in")
    judged = judge(rule, model, subject, at_ms, days, what=what)
    if found.passed:
        return judged
    failed = Said(f"检定证书{number} 不合格", f"certificate{number} says that the meter failed")
    return replace(judged, level=Level.BEYOND, reason=failed)


CALIBRATION_EXPIRING = Kind(
    name="calibration_expiring",
    watches="devices",
    unit="d",
    direction="below",
    default_on=30.0,
    default_off=31.0,
    every_ms=HOUR_MS,
    observe=observe,
    load=load,
    history=history,
    late=False,
)
