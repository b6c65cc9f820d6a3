"""What would have to change in a Grafana: pure, from what is wanted and what is there."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from dashboards.grafana.draw import TAG, UID_PREFIX
from dashboards.grafana.rules import LABEL, OWNER

What = Literal["data source", "folder", "dashboard", "rule"]
Do = Literal["create", "change", "remove", "same", "foreign"]

_OF_THE_SERVER: Final = {"id", "version", "uid"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should be there.

    Attributes:
        source: the data source; None: not ours to say.
        folders: title by uid.
        dashboards: JSON by uid.
        folder_of: uid of the folder of each dashboard.
        rules: alert rules.
    """

    source: Mapping[str, Any] | None
    folders: Mapping[str, str]
    dashboards: Mapping[str, Mapping[str, Any]]
    folder_of: Mapping[str, str]
    rules: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """What is there: of dashboards those with our tag or a uid of ours.

    `messages`: what was said when the newest version of each dashboard was saved.
    """

    source: Mapping[str, Any] | None
    folders: Mapping[str, str]
    dashboards: Mapping[str, Mapping[str, Any]]
    folder_of: Mapping[str, str]
    messages: Mapping[str, str]
    rules: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, or the word that nothing is.

    Attributes:
        what: kind of thing.
        uid: which one.
        do: `foreign`: somebody else's has the uid of ours; it is left alone.
        body: what to send.
        differs: places where it is another one.
    """

    what: What
    uid: str
    do: Do
    body: Mapping[str, Any] = field(default_factory=dict)
    differs: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for people."""
        sign = {"create": "+", "change": "~", "remove": "-", "same": "=", "foreign": "!"}[self.do]
        where = f": {', '.join(self.differs[:5])}" if self.differs else ""
        more = f" and {len(self.differs) - 5} more" if len(self.differs) > 5 else ""
        said = " belongs to somebody else and is left alone" if self.do == "foreign" else ""
        return f"{sign} {self.what} {self.uid}{said}{where}{more}"


def plan(wanted: Wanted, found: Found) -> list[Step]:
    """Say what to do, in the order in which it can be done."""
    return [*_source(wanted, found), *_folders(wanted, found), *_dashboards(wanted, found), *_rules(wanted, found)]


def message_of(body: Mapping[str, Any]) -> str:
    """What is said when a dashboard is saved: tells later whether its newest version is the one that was pushed."""
    text = json.dumps(_without(body), sort_keys=True, ensure_ascii=False)
    return f"parkcarbon dashboards push {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def is_ours(uid: str, dashboard: Mapping[str, Any]) -> bool:
    """Whether a dashboard is kept by this: its uid and its tag say so."""
    return uid.startswith(UID_PREFIX) and TAG in (dashboard.get("tags") or ())


def is_our_rule(rule: Mapping[str, Any]) -> bool:
    """Whether an alert rule is kept by this: its uid and its label say so."""
    return str(rule.get("uid", "")).startswith(UID_PREFIX) and (rule.get("labels") or {}).get(LABEL) == OWNER


def _source(wanted: Wanted, found: Found) -> Iterator[Step]:
    if wanted.source is None:
        return
    uid = str(wanted.source["uid"])
    if found.source is None:
        yield Step("data source", uid, "create", wanted.source)
        return
    differs = tuple(differences(wanted.source, found.source))
    yield Step("data source", uid, "change" if differs else "same", wanted.source, differs)


def _folders(wanted: Wanted, found: Found) -> Iterator[Step]:
    for uid, title in wanted.folders.items():
        if uid not in found.folders:
            yield Step("folder", uid, "create", {"title": title})
        elif found.folders[uid] != title:
            yield Step("folder", uid, "change", {"title": title}, ("title",))
        else:
            yield Step("folder", uid, "same")


def _dashboards(wanted: Wanted, found: Found) -> Iterator[Step]:
    for uid, body in wanted.dashboards.items():
        before = found.dashboards.get(uid)
        if before is None:
            yield Step("dashboard", uid, "create", body)
        elif not is_ours(uid, before):
            yield Step("dashboard", uid, "foreign")
        else:
            # A Grafana may rewrite what it was given for a newer schema: then the message tells that nobody touched it.
            untouched = found.messages.get(uid) == message_of(body)
            differs = () if untouched else tuple(_exactly(_without(body), _without(before), ""))
            if found.folder_of.get(uid) != wanted.folder_of[uid]:
                differs = ("folder", *differs)
            yield Step("dashboard", uid, "change" if differs else "same", body, differs)
    for uid, body in found.dashboards.items():
        if uid not in wanted.dashboards and is_ours(uid, body):
            yield Step("dashboard", uid, "remove")


def _rules(wanted: Wanted, found: Found) -> Iterator[Step]:
    for body in wanted.rules:
        uid = str(body["uid"])
        before = found.rules.get(uid)
        if before is None:
            yield Step("rule", uid, "create", body)
        elif not is_our_rule(before):
            yield Step("rule", uid, "foreign")
        else:
            kept = {**body, "isPaused": before.get("isPaused", True), "orgID": before.get("orgID", 1)}
            differs = tuple(differences(kept, before))
            yield Step("rule", uid, "change" if differs else "same", kept, differs)
    for uid, before in found.rules.items():
        if is_our_rule(before) and uid not in {str(body["uid"]) for body in wanted.rules}:
            yield Step("rule", uid, "remove")


def differences(wanted: object, found: object, at: str = "") -> Iterator[str]:
    """Places where something is not as wanted; what the server has beside it does not count."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name, value in wanted.items():
            yield from differences(value, found.get(name), f"{at}.{name}".lstrip("."))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (left, right) in enumerate(zip(wanted, found, strict=True)):
            yield from differences(left, right, f"{at}[{number}]")
    elif wanted != found:
        yield at


def _without(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in _OF_THE_SERVER}


def _exactly(wanted: object, found: object, at: str) -> Iterator[str]:
    """Places where two differ at all: what somebody added in the browser is a difference, too."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name in [*wanted, *(name for name in found if name not in wanted)]:
            if name not in wanted or name not in found:
                yield f"{at}.{name}".lstrip(".")
            else:
                yield from _exactly(wanted[name], found[name], f"{at}.{name}".lstrip("."))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (left, right) in enumerate(zip(wanted, found, strict=True)):
            yield from _exactly(left, right, f"{at}[{number}]")
    elif wanted != found:
        yield at
