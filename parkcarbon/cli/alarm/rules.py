"""`parkcarbon alarm rules`: check a document, compare it, try a rule on the past, apply it, show those in force."""

import argparse
import difflib
import sys
from pathlib import Path
from typing import Any

from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.rules.checked import applied, checked, current
from parkcarbon.alarm.rules.document import Alarms
from parkcarbon.alarm.rules.load import MAX_BYTES, as_yaml, load_rules
from parkcarbon.alarm.rules.store import rules_of
from parkcarbon.alarm.rules.tried import tried
from parkcarbon.alarm.templates.render import figure
from parkcarbon.domain.refusal import RefusedError

from .common import add_author, add_park, moment, open_reading, open_writing, park_of, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    does = parser.add_subparsers(dest="does", required=True)
    check = does.add_parser("check", help="everything that is wrong with a document, and what each rule comes to")
    _add_file(check)
    diff = does.add_parser("diff", help="what a document changes of the rules in force; exit code 1: something")
    _add_file(diff)
    apply = does.add_parser("apply", help="put a document in force, all or nothing")
    _add_file(apply)
    apply.add_argument("--reason", required=True, help="why; kept")
    apply.add_argument("--revision", type=int, help="the one that was read; another one in force is refused")
    add_author(apply)
    show = does.add_parser("show", help="the document in force as YAML")
    add_park(show)
    one = does.add_parser("try", help="when a rule would have fired in the past")
    one.add_argument("file", nargs="?", help="document where it stands; - reads standard input (default: in force)")
    add_park(one)
    one.add_argument("--rule", required=True, help="its id")
    one.add_argument("--from", dest="start", type=moment, required=True, help="begin, a time with its zone")
    one.add_argument("--to", dest="stop", type=moment, required=True, help="end, exclusive; at most 100 days later")


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="document, YAML or JSON; - reads standard input")
    add_park(parser)


async def run(options: argparse.Namespace) -> int:
    """Do it; exit code 1 where a document is wrong or differs."""
    work = {"check": _check, "diff": _diff, "apply": _apply, "show": _show, "try": _try}[options.does]
    return await work(options)


def _read(name: str) -> Alarms:
    if name == "-":
        return load_rules(sys.stdin.read(MAX_BYTES + 1))
    with Path(name).open("rb") as file:
        return load_rules(file.read(MAX_BYTES + 1))


async def _check(options: argparse.Namespace) -> int:
    try:
        document = _read(options.file)
    except RefusedError as error:
        told: dict[str, Any] = {"ok": False, "problems": error.reason.splitlines(), "remarks": [], "rules": []}
    else:
        async with open_reading() as session:
            told = await checked(session, await park_of(session, options.park), KINDS, document)
    if options.json:
        say_json(told)
        return 0 if told["ok"] else 1
    for text in told["problems"]:
        say(f"wrong: {text}")
    for text in told["remarks"]:
        say(f"note: {text}")
    for rule in told["rules"]:
        say(f"{rule['change']}: {_said(rule)}")
    say(f"{len(told['problems'])} problems" if told["problems"] else "the document can be applied")
    return 0 if told["ok"] else 1


def _said(rule: dict[str, Any]) -> str:
    """A rule in numbers."""
    subjects = rule["subjects"]
    watched = ", ".join(subjects[:3]) + (f" and {len(subjects) - 3} more" if len(subjects) > 3 else "")
    limit = ""
    if rule["on"] is not None:
        on, off = figure(rule["on"], rule["unit"]), figure(rule["off"], rule["unit"])
        limit = f" {rule['direction']} {on} for {rule['for_s']:g} s, clear at {off} for {rule['keep_firing_s']:g} s"
    return f"{rule['rule']} ({rule['kind']}{'' if rule['enabled'] else ', not enabled'}) {watched}{limit}".rstrip()


async def _diff(options: argparse.Namespace) -> int:
    document = _read(options.file)
    async with open_reading() as session:
        model = await park_of(session, options.park)
        told = await checked(session, model, KINDS, document)
        before = await rules_of(session, options.park)
    lines = list(
        difflib.unified_diff(
            as_yaml(before.document).splitlines(),
            as_yaml(document).splitlines(),
            f"revision {before.revision}",
            options.file,
            lineterm="",
        )
    )
    if options.json:
        changed = [rule for rule in told["rules"] if rule["change"] != "same"]
        say_json({"revision": before.revision, "same": not lines, "rules": changed, "problems": told["problems"]})
    else:
        for text in lines:
            say(text)
    return 1 if lines else 0


async def _apply(options: argparse.Namespace) -> int:
    document = _read(options.file)
    async with open_writing() as session:
        model = await park_of(session, options.park)
        told = await applied(
            session,
            model,
            KINDS,
            document,
            author=options.author,
            reason=options.reason,
            read=options.revision,
        )
    if options.json:
        say_json(told)
    else:
        say(f"{options.park}: revision {told['revision']} is in force, {len(document.rules)} rules")
    return 0


async def _show(options: argparse.Namespace) -> int:
    async with open_reading() as session:
        told = await current(session, await park_of(session, options.park), KINDS)
        document = (await rules_of(session, options.park)).document
    if options.json:
        say_json(told)
        return 0
    if told["revision"]:
        say(f"# revision {told['revision']} by {told['author']}: {told['reason']}")
    for text in told["problems"]:
        say(f"# not evaluated: {text}")
    sys.stdout.write(as_yaml(document))
    return 0


async def _try(options: argparse.Namespace) -> int:
    given = None if options.file is None else _read(options.file)
    async with open_reading() as session:
        model = await park_of(session, options.park)
        document = (await rules_of(session, options.park)).document if given is None else given
        told = await tried(session, model, KINDS, document, options.rule, begin=options.start, end=options.stop)
    if options.json:
        say_json(told)
        return 0
    say(f"{options.rule} {told['sentence']['en']}")
    for item in told["episodes"]:
        fired = f"{item['fired_at'].astimezone(model.zone):%Y-%m-%d %H:%M}"
        over = "end" if item["resolved_at"] is None else f"{item['resolved_at'].astimezone(model.zone):%Y-%m-%d %H:%M}"
        say(f"  {fired} to {over}: {item['subject_name']['en']}, worst {figure(item['worst'], told['unit'])}")
    return 0
