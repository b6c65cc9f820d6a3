"""What the actions share: which alarm, who acts, until when, and how one is told."""

import argparse
import datetime as dt
import getpass
import re
from typing import Any

from parkcarbon.alarm.rules.quantity import span_ms
from parkcarbon.alarm.templates.render import figure
from parkcarbon.cli.accounts.common import (
    add_park,
    moment,
    now,
    open_reading,
    open_writing,
    say,
    say_json,
)
from parkcarbon.kit.db import Session, to_ms
from parkcarbon.live.load import load_park
from parkcarbon.live.model import ParkModel

__all__ = [
    "add_alarm",
    "add_author",
    "add_park",
    "line",
    "moment",
    "now",
    "open_reading",
    "open_writing",
    "park_of",
    "say",
    "say_json",
    "tell",
    "until",
]

Json = dict[str, Any]

_SPAN = re.compile(r"[0-9]+(\.[0-9]+)? ?(s|min|h|d)")


async def park_of(session: Session, park: str) -> ParkModel:
    """The park as it is now.

    Raises:
        LookupError: there is no such park.
    """
    found = await load_park(session, park, to_ms(now()))
    if found is None:
        raise LookupError(f"there is no park {park}")
    return found


def add_alarm(parser: argparse.ArgumentParser) -> None:
    """`--park`, `--json` and which alarm."""
    add_park(parser)
    parser.add_argument("alarm", type=int, help="its number in the list")


def add_author(parser: argparse.ArgumentParser) -> None:
    """`--author` of whoever acts."""
    parser.add_argument(
        "--author", "--person", default=getpass.getuser(), help="who acts and is named on it (default: the user)"
    )


def until(text: str) -> dt.datetime:
    """A moment, or a length of time from now: `2h`, `30 min`."""
    if _SPAN.fullmatch(text):
        return now() + dt.timedelta(milliseconds=span_ms(text))
    return moment(text)


def line(alarm: Json, model: ParkModel) -> str:
    """An alarm in one line."""
    began = f"{alarm['began_at'].astimezone(model.zone):%Y-%m-%d %H:%M:%S}"
    value = figure(alarm["value"], alarm["unit"])
    limit = "" if alarm["limit"] is None else f" (limit {figure(alarm['limit'], alarm['unit'])})"
    said = [f"acknowledged by {alarm['acknowledged']['by']}"] if alarm["acknowledged"] else []
    said += [f"shelved until {alarm['shelved_until'].astimezone(model.zone):%H:%M}"] if alarm["shelved_until"] else []
    said += ["out of service"] if alarm["out_of_service"] else []
    said += [f"nobody is told: {alarm['withheld']}"] if alarm["withheld"] and not alarm["historical"] else []
    said += ["found late, nobody was told"] if alarm["historical"] else []
    return (
        f"{alarm['id']}: {alarm['priority']} {alarm['phase']} since {began} {alarm['rule']}:"
        f" {alarm['subject_name']['en']} {value}{limit}{''.join(f'; {item}' for item in said)}"
    )


def tell(alarm: Json, model: ParkModel, *, as_json: bool) -> None:
    """Print an alarm with its acts and messages."""
    if as_json:
        say_json(alarm)
        return
    say(line(alarm, model))
    for text in (alarm["reason"]["zh"], alarm["reason"]["en"]):
        if text:
            say(f"  {text}")
    for name in ("cause", "consequence", "action"):
        if alarm[name]:
            say(f"  {name}: {alarm[name]['en']} ({alarm[name]['zh']})")
    for act in alarm["acts"]:
        at = f"{act['at'].astimezone(model.zone):%Y-%m-%d %H:%M:%S}"
        say(f"  {at} {act['act']} by {act['person']}{': ' if act['comment'] else ''}{act['comment']}")
    for message in alarm["messages"]:
        error = f": {message['error']}" if message["error"] else ""
        say(f"  to {message['receiver']} ({message['why']}): {message['state']}{error}")
