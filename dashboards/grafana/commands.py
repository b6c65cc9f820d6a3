"""Command line of the dashboards: push, diff, export, queries, role."""

import argparse
import asyncio
import datetime as dt
import json
import sys
import time
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parkcarbon.kit.db import Database, DatabaseError
from parkcarbon.kit.log import configure

from .config import Config, read_config
from .dashboards import BOARDS, RULES_FOLDER, dashboards, folder_of
from .datasource import from_url
from .export import write
from .push.plan import Step, Wanted, plan
from .push.server import Server
from .queries import expand, statement, variants
from .role import make_role
from .rules import RULES, rules
from .text import LANGUAGES

PROVISIONING = Path("deploy/grafana/provisioning")
_MOST_DAYS = 400


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="parkcarbon dashboards", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, what in (
        ("push", "bring a Grafana in line; dashboards that are not ours are left alone"),
        ("diff", "say what push would do; exit code 1 if anything"),
    ):
        one = verbs.add_parser(verb, help=what)
        one.add_argument("--json", action="store_true", help="print JSON")
    export = verbs.add_parser("export", help="write them as files of Grafana's provisioning")
    export.add_argument("--output", type=Path, default=PROVISIONING, help="folder (default: %(default)s)")
    queries = verbs.add_parser("queries", help="run every statement of panels and rules: rows and milliseconds")
    queries.add_argument("--park", required=True)
    queries.add_argument("--days", type=_days, default=31, help="time range up to now (default: 31)")
    queries.add_argument("--json", action="store_true", help="print JSON")
    verbs.add_parser("role", help="make the role that reads schema report, and nothing else")
    return parser


def main() -> int:
    """Run one verb and return its exit code: 0 done, 1 refused or different."""
    options = _parser().parse_args()
    configure(level="warning")
    verbs = {"push": _push, "diff": _diff, "export": _export, "queries": _queries, "role": _role}
    try:
        config = read_config()
        _check_timezone(config.grafana_timezone)
        return verbs[options.verb](options, config)
    except (DatabaseError, OSError, ValueError) as error:
        print(f"parkcarbon dashboards {options.verb}: {error}", file=sys.stderr)
        return 1


def wanted_of(config: Config) -> tuple[Wanted, str]:
    """What should be in the Grafana, and the password of its data source."""
    built = dashboards(config.grafana_timezone)
    folders = {folder_of(language).uid: folder_of(language).title for language in LANGUAGES}
    source, password = None, ""
    if config.grafana_datasource:
        source, password = from_url(config.grafana_datasource, config.grafana_sslmode)
    wanted = Wanted(
        source=source,
        folders=folders | {RULES_FOLDER.uid: RULES_FOLDER.title},
        dashboards={one.uid: one.body for one in built},
        folder_of={one.uid: one.folder.uid for one in built},
        rules=rules(),
    )
    return wanted, password


def _steps(config: Config) -> tuple[Server, Wanted, str, list[Step]]:
    config.need("grafana_url", "grafana_token")
    wanted, password = wanted_of(config)
    server = Server(config.grafana_url, config.grafana_token)
    return server, wanted, password, plan(wanted, server.find(wanted))


def _push(options: argparse.Namespace, config: Config) -> int:
    server, wanted, password, steps = _steps(config)
    for step in steps:
        server.do(step, wanted, password)
        if step.do != "same" and not options.json:
            print(step)
    return _end(options, steps, 1 if any(step.do == "foreign" for step in steps) else 0)


def _diff(options: argparse.Namespace, config: Config) -> int:
    _, _, _, steps = _steps(config)
    if not options.json:
        for step in steps:
            if step.do != "same":
                print(step)
    return _end(options, steps, 1 if any(step.do != "same" for step in steps) else 0)


def _end(options: argparse.Namespace, steps: list[Step], code: int) -> int:
    if options.json:
        told = [{"what": one.what, "uid": one.uid, "do": one.do, "differs": list(one.differs)} for one in steps]
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{sum(one.do == 'same' for one in steps)} of {len(steps)} as wanted before")
    return code


def _export(options: argparse.Namespace, config: Config) -> int:
    changed = write(options.output, config.grafana_timezone)
    for line in changed:
        print(line)
    print(f"{options.output}: {len(changed)} files changed")
    return 0


def _role(_: argparse.Namespace, config: Config) -> int:
    config.need("database_url")

    async def work() -> None:
        async with await Database.connect(config.database_url, max_size=1) as database:
            await make_role(database, config.report_role, config.report_password)

    asyncio.run(work())
    kept = "" if config.report_password else ", its password as it was"
    print(f"role {config.report_role} reads schema report{kept}")
    return 0


def _queries(options: argparse.Namespace, config: Config) -> int:
    config.need("database_url")
    found = asyncio.run(_measured(config.database_url, options.park, options.days))
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for row in found:
            print(f"{row['statement']:<32}  {row['rows']:>7} rows  {row['ms']:>9.1f} ms  {row['error']}")
    return 1 if any(row["error"] for row in found) else 0


async def _measured(url: str, park: str, days: int) -> list[dict[str, Any]]:
    end = dt.datetime.now(dt.UTC)
    begin = end - dt.timedelta(days=days)
    names = [panel.query for board in BOARDS for panel in board.panels] + [rule.query for rule in RULES]
    found = []
    async with await Database.connect(url, max_size=1) as database:
        for name in names:
            for step in variants(name):
                text = expand(statement(name), park=park, begin=begin, end=end, step=step)
                began = time.perf_counter()
                rows, error = 0, ""
                try:
                    rows = len(await database.fetch(cast("Any", text)))
                except DatabaseError as failed:
                    error = str(failed)
                took_ms = 1000 * (time.perf_counter() - began)
                label = f"{name} ({step})" if len(variants(name)) > 1 else name
                found.append({"statement": label, "rows": rows, "ms": round(took_ms, 1), "error": error})
    return found


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r}: whole days from 1 to {_MOST_DAYS}")
    return int(text)


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"PARKCARBON_GRAFANA_TIMEZONE: no time zone {name!r}") from None
