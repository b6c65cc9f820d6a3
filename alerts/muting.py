"""What keeps alarms of a park from going out: silences of people, windows and inhibitions of its document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from parkcarbon.alarm.rules.check_others import moment_of
from parkcarbon.alarm.rules.document import Alarms
from parkcarbon.alarm.store import Pair
from parkcarbon.alarm.subjects import labels_of
from parkcarbon.domain.alarm.mute import GATEWAY_DOWN, NOTHING, Inhibition, Silence, Window, matches, muting_of
from parkcarbon.domain.alarm.types import Labels, Muting, Phase
from parkcarbon.kit.db import Row, to_ms
from parkcarbon.live.model import ParkModel

from .slots import Slot


@dataclass
class Mutes:
    """Silences, windows, inhibitions, and the alarms that mute others now."""

    model: ParkModel
    windows: tuple[Window, ...] = ()
    inhibitions: tuple[Inhibition, ...] = (GATEWAY_DOWN,)
    silences: tuple[Silence, ...] = ()
    firing: dict[Pair, Labels] = field(default_factory=dict)

    @classmethod
    def of(cls, model: ParkModel, document: Alarms) -> "Mutes":
        """From the document of a park."""
        return cls(
            model,
            tuple(
                Window(one.window, one.match, to_ms(moment_of(one.begin)), to_ms(moment_of(one.end)))
                for one in document.maintenance
            ),
            (*(Inhibition(one.source, one.target, one.equal) for one in document.inhibit), GATEWAY_DOWN),
        )

    def may_mute(self, slot: Slot) -> bool:
        """Whether an alarm of this rule may keep others from going out; it is then decided first."""
        known = {"rule": slot.rule.policy.rule, "kind": slot.rule.policy.kind, "subject": slot.subject}
        return any(
            all(fnmatchcase(known[name], pattern) for name, pattern in one.source.items() if name in known)
            for one in self.inhibitions
        )

    def note(self, slot: Slot, phase: Phase) -> None:
        """An alarm fires now, or does not."""
        if phase in (Phase.FIRING, Phase.RECOVERING) and self.may_mute(slot):
            labels = self.labels(slot)
            if any(matches(one.source, labels) for one in self.inhibitions):
                self.firing[slot.pair] = labels
        else:
            self.firing.pop(slot.pair, None)

    def labels(self, slot: Slot) -> Labels:
        """Labels of an alarm."""
        if slot.labels is None:
            policy = slot.rule.policy
            slot.labels = labels_of(self.model, policy.rule, policy.kind, policy.priority, slot.subject)
        return slot.labels

    def muting(self, slot: Slot, now_ms: int) -> Muting:
        """What keeps an alarm from going out now."""
        if not (self.silences or self.windows or self.firing):
            return NOTHING
        return muting_of(self.labels(slot), self.silences, self.windows, self.inhibitions, self.firing.values(), now_ms)


def silences_of(rows: Sequence[Row]) -> tuple[Silence, ...]:
    """Silences that are not over, from their rows."""
    return tuple(
        Silence(str(row["silence_id"]), _match(row["match"]), to_ms(row["begin_at"]), to_ms(row["end_at"]))
        for row in rows
    )


def _match(value: Any) -> Mapping[str, str]:
    decoded = msgspec.json.decode(value) if isinstance(value, str | bytes) else value
    return msgspec.convert(decoded, dict[str, str])
