"""`parkcarbon demo`: the whole park on this machine, from meters to web page, supervised."""

import argparse
import asyncio
import datetime as dt
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from parkcarbon.kit.db import Database, load_queries
from parkcarbon.kit.log import configure

from .alarms.enter import enter_rules
from .books.enter import AUTHOR, REASON, REVIEWER, enter_books
from .stack import Stack, StackError, listening, make_key, ports_of, run_once, start_servers, wait_for
from .supervisor import Child, Supervisor

PARK_FILE = "park.yaml"
SIGNER = "ParkCarbon demo"
READY_WITHIN_S = 300.0
ON_THEIR_WAY = 8  # batches that live agents always have waiting for their receipts


class Progress:
    """Tells what happens, on stderr, so that `--json` leaves stdout to one line."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.started_s = time.time()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        """One line."""
        sys.stderr.write(f"  {self.seconds:5.1f} s  {text}\n")
        sys.stderr.flush()

    def again(self, text: str) -> None:
        """Replace the last line on a terminal; nothing elsewhere."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K  {self.seconds:5.1f} s  {text}")
            sys.stderr.flush()

    def done(self) -> None:
        """End a line that was being replaced."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="parkcarbon demo", description="Run a whole simulated park on this machine.")
    parser.add_argument("--data", type=Path, help="keep the park's state in this folder and go on from it next time")
    parser.add_argument("--json", action="store_true", help="print one JSON line when ready instead of prose")
    parser.add_argument("--port", type=int, help="port of the web page (default: a free one)")
    parser.add_argument("--scenario", default="jiangsu", help="which simulated park (default: jiangsu)")
    parser.add_argument("--seed", type=int, default=1, help="seed of loads, clouds and noise (default: 1)")
    parser.add_argument("--broker", choices=("auto", "mosquitto", "amqtt"), default="auto", help="which MQTT broker")
    parser.add_argument("--no-history", action="store_true", help="start with empty registers' history")
    parser.add_argument("--journal", action="store_true", help="agents fsync a journal of what they kept (for tests)")
    return parser


@contextmanager
def _data_folder(given: Path | None) -> Iterator[Path]:
    """The folder to keep state in; one that vanishes afterwards where none was given."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="parkcarbon-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_env(stack: Stack, park: str, token: str, reviewer: str) -> None:
    stack.write_env(
        {
            "PARKCARBON_PARK_BROKER_URL": stack.broker_url("park_broker"),
            "PARKCARBON_PARK": park,
            "PARKCARBON_TOKEN": token,
            "PARKCARBON_REVIEWER_TOKEN": reviewer,
        }
    )


async def _prepare_park(stack: Stack, options: argparse.Namespace, progress: Progress) -> None:
    """Write the scenario's files once; later starts find them."""
    if (stack.data / PARK_FILE).exists():
        progress.say("the park's files are there: going on where it was")
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    arguments = [
        "--scenario",
        options.scenario,
        "--seed",
        str(options.seed),
        "--dir",
        str(stack.data),
        "--now",
        now,
    ]
    brokers = ["--cloud-broker", stack.broker_url(), "--park-broker", stack.broker_url("park_broker")]
    switches = ["--no-history"] if options.no_history else ["--history"]
    if options.journal:
        switches.append("--journal")
    await run_once(stack, "firmware_sim", "prepare", *arguments, *brokers, *switches)


async def _token(stack: Stack, name: str = "token", role: str = "admin", person: str = AUTHOR) -> str:
    """A token of the demo: made once, kept beside the state."""
    path = stack.data / name
    if path.exists():
        return path.read_text(encoding="utf-8").strip()
    label = f"demo-{secrets.token_hex(3)}"
    arguments = ["--label", label, "--role", role, "--person", person, "--json"]
    answer = json.loads(await run_once(stack, "ingest", "token", "create", *arguments))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(answer["token"])
    return str(answer["token"])


def _field_children(stack: Stack) -> list[Child]:
    """Simulated meters, gateway and agents of this folder."""
    meters = stack.module("meters", "firmware_sim", "run", "--dir", str(stack.data))
    gateways = [stack.module(p.stem, "gateway", "run", str(p)) for p in sorted(stack.data.glob("gateway-*.yaml"))]
    agents = [stack.module(p.stem, "edge", "run", str(p)) for p in sorted(stack.data.glob("edge-*.yaml"))]
    return [meters, *gateways, *agents]


async def _is_live(database: Database, progress: Progress, last: dict[str, int]) -> bool:
    """Is history in, nothing left to compute, and every device read since we started?"""
    row = await database.fetchrow(load_queries("deploy.local")["history_state"])
    if row is None or row["newest_s"] is None:
        return False
    if row["readings"] != last.get("readings"):
        last["readings"] = row["readings"]
        progress.again(f"{row['readings']:,} readings in the database, {row['waiting']} batches on their way")
    return bool(
        row["newest_s"] > progress.started_s
        and row["silent"] == 0
        and row["queued"] == 0
        and row["waiting"] <= ON_THEIR_WAY
    )


async def _bring_up(supervisor: Supervisor, stack: Stack, options: argparse.Namespace, progress: Progress) -> str:
    """Start everything in order and return the token."""
    progress.say("starting database and brokers")
    await asyncio.gather(
        start_servers(supervisor, stack, ("broker", "park_broker")),
        _prepare_park(stack, options, progress),
    )
    progress.say("preparing the schema and entering the park")
    await run_once(stack, "ingest", "migrate")
    park_file = str(stack.data / PARK_FILE)
    await run_once(stack, "ingest", "park", "apply", park_file, "--reason", "demo", "--author", "demo")
    token = await _token(stack)
    key = asyncio.create_task(make_key(stack, SIGNER))
    progress.say("starting ingest, API, meters, gateway and agents")
    await supervisor.start(stack.module("ingest", "ingest", "run"))
    await supervisor.start(stack.module("api", "api", "run"))
    for child in _field_children(stack):
        await supervisor.start(child)
    api_port = stack.ports["api"]
    await wait_for("api", partial(listening, api_port), within_s=60, log=partial(supervisor.log_tail, "api"))
    progress.say(f"the page answers at {stack.api_url}; taking in history")
    database = await Database.connect(stack.database_url, min_size=1, max_size=1)
    try:
        last: dict[str, int] = {}
        await wait_for(
            "live data",
            lambda: _is_live(database, progress, last),
            within_s=READY_WITHIN_S,
            every_s=0.25,
            log=partial(supervisor.log_tail, "ingest"),
        )
        if not options.no_history:
            await _enter_books(database, options.scenario, progress)
        await _enter_rules(database, options.scenario, progress)
    finally:
        await database.close()
    progress.done()
    await key
    if not options.no_history:
        await _issue_statement(stack, options.scenario, progress)
    for child in (stack.module("statements", "statements", "run"), stack.inbox(), stack.alerts()):
        await supervisor.start(child)
    progress.say(f"{last.get('readings', 0):,} readings in the database; meters are live")
    return token


async def _enter_books(database: Database, park: str, progress: Progress) -> None:
    """Entries, certificates and a measure beside the meters; they are there already on later starts."""
    row = await database.fetchrow(load_queries("deploy.local")["park_zone"], park)
    if row is not None and (
        entered := await enter_books(database, park, ZoneInfo(row["timezone"]), dt.datetime.now(dt.UTC))
    ):
        progress.done()
        progress.say(f"{entered} simulated facts entered: the months before, certificates, a measure")


async def _enter_rules(database: Database, park: str, progress: Progress) -> None:
    """Alarm rules; they are there already on later starts."""
    now_ms = round(time.time() * 1000)
    if entered := await enter_rules(database, park, now_ms, author=AUTHOR, reason=REASON):
        progress.done()
        progress.say(f"{entered} alarm rules in force; one of them fires within two minutes")


async def _issue_statement(stack: Stack, park: str, progress: Progress) -> None:
    """Last month's statement, issued by two persons; it is there already on later starts."""
    arguments = ["--park", park, "--keys", str(stack.key_folder)]
    try:
        told = await run_once(stack, "deploy.local.books.statement", *arguments)
    except StackError as error:
        told = f"last month has no statement: {error}"
    progress.say(told.strip())


def _announce(stack: Stack, token: str, progress: Progress, *, as_json: bool) -> None:
    if as_json:
        line = {"ready": True, "url": stack.api_url, "token": token, "seconds": round(progress.seconds, 1)}
        sys.stdout.write(json.dumps(line) + "\n")
    else:
        sys.stdout.write(
            f"\n  ParkCarbon is ready after {progress.seconds:.0f} s\n\n"
            f"    page   {stack.api_url}\n    token  {token}\n\n"
            f"  Other commands: parkcarbon --env {stack.data}/parkcarbon.env VERB\n  Ctrl-C stops everything.\n"
        )
    sys.stdout.flush()


async def run(options: argparse.Namespace, data: Path) -> None:
    """Bring everything up, announce it, and wait for Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    progress = Progress()
    wanted = {"api": options.port} if options.port else {}
    stack = Stack(data, ports_of(data, wanted), options.broker)

    def told(name: str, code: int) -> None:
        progress.say(f"{name} ended with {code}; starting it again (its log: {data}/log/{name}.log)")

    async with Supervisor(data, on_restart=told) as supervisor:
        bring_up = asyncio.create_task(_bring_up(supervisor, stack, options, progress))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({bring_up, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not bring_up.done():
            bring_up.cancel()
            await asyncio.gather(bring_up, return_exceptions=True)
            return
        token = bring_up.result()
        reviewer = await _token(stack, "reviewer-token", "approver", REVIEWER)
        _write_env(stack, (await _park_name(data)), token, reviewer)
        _announce(stack, token, progress, as_json=options.json)
        await stopped
        progress.say("stopping")
    progress.say("stopped")


async def _park_name(data: Path) -> str:
    from parkcarbon.catalog.park import decode_park

    return decode_park(await asyncio.to_thread((data / PARK_FILE).read_bytes)).park


def main() -> None:
    """Run the demo until it is stopped."""
    options = _parser().parse_args()
    configure(level="warning")
    with _data_folder(options.data) as data:
        try:
            asyncio.run(run(options, data))
        except StackError as error:
            raise SystemExit(f"parkcarbon demo: {error}") from None


if __name__ == "__main__":
    main()
