"""Command line of the edge agent."""

import argparse
import asyncio
import sys
from pathlib import Path

from parkcarbon.kit import log
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.service import run_service

from .config import EdgeConfig, load_config
from .errors import EdgeError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m edge", description="Poll meters and inverters, lose nothing.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in (
        ("run", "poll, keep, send, until SIGTERM"),
        ("check-config", "say what is wrong with a configuration"),
        ("probe", "read every point once and show it, with what looks wrong"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("config", type=Path, help="YAML file")
        if verb == "probe":
            one.add_argument("--device", help="only this device")
    given = parser.parse_args(arguments)
    try:
        config = load_config(given.config)
        if given.verb == "run":
            return _run(config)
        if given.verb == "probe":
            return asyncio.run(_probe(config, given.device))
    except EdgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    points = sum(len(device.points) for bus in config.buses for device in bus.devices)
    devices = sum(len(bus.devices) for bus in config.buses)
    print(f"{given.config}: fine: {len(config.buses)} buses, {devices} devices, {points} points")
    return 0


def _run(config: EdgeConfig) -> int:
    from .agent import Agent, rng_of

    log.configure(json={"json": True, "console": False, "auto": None}[config.log])

    return run_service(lambda: Agent(config, clock=SystemClock(), rng=rng_of(config)).run())


async def _probe(config: EdgeConfig, only: str | None) -> int:
    from .probe import probe, render

    names = {device.device for bus in config.buses for device in bus.devices}
    if only is not None and only not in names:
        raise EdgeError(f"no device {only!r}; there are {', '.join(sorted(names))}")
    well = True
    async for finding in probe(config, clock=SystemClock(), only=only):
        print("\n".join(render([finding])), flush=True)
        well = well and finding.well
    return 0 if well else 1
