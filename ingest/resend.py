"""Ask a source to send kept batches again: for a database that was restored to an earlier state."""

import argparse
import asyncio
import contextlib
import random
import re
import secrets
from collections.abc import Callable

from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import Database
from parkcarbon.kit.mqtt import Broker, Mqtt
from parkcarbon.wire.errors import RefusedError
from parkcarbon.wire.messages import Command, Reply, decode, encode
from parkcarbon.wire.topics import BOOT, SEQ_MAX, Address

from .config import Config, ConfigError
from .queries import QUERIES


class ResendError(ValueError):
    """The request cannot be made; the message says why."""


def add_resend(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verb and its options."""
    resend = verbs.add_parser("resend", help="ask a source to send batches again that it still keeps")
    resend.add_argument("--park", required=True)
    resend.add_argument("--source", required=True)
    resend.add_argument("--boot", required=True, type=_boot, help="identity of its outbox, 16 hex digits")
    resend.add_argument("--from", dest="start", type=_seq, required=True, help="first batch")
    resend.add_argument("--to", dest="end", type=_seq, default=SEQ_MAX, help="last batch (default: all that follow)")
    resend.add_argument("--wait", type=float, default=30.0, help="how long to wait for the reply [s]")


def _boot(text: str) -> str:
    if not re.fullmatch(BOOT, text):
        raise argparse.ArgumentTypeError(f"{text!r} is not 16 lower-case hex digits")
    return text


def _seq(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= SEQ_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a batch")
    return int(text)


async def resend(options: argparse.Namespace, config: Config, say: Callable[[str], None]) -> int:
    """Publish the command, wait for the reply and print it; 0 where the source agrees.

    Raises:
        ConfigError: no broker is named.
        ResendError: there is no such source.
    """
    if config.broker_url is None:
        raise ConfigError("PARKCARBON_BROKER_URL is not set (mqtt://host:port)")
    if options.end < options.start:
        raise ResendError(f"--to {options.end} is before --from {options.start}")
    address = await _address(config.database_url, options.park, options.source)
    broker = Broker.from_url(config.broker_url, ca_file=config.broker_ca)
    command = Command(
        id=secrets.token_hex(8), kind="resend", boot=options.boot, from_seq=options.start, to_seq=options.end
    )
    try:
        async with asyncio.timeout(options.wait):
            reply = await _ask(broker, address, command)
    except TimeoutError:
        say(f"{address.source}: no reply within {options.wait:g} s")
        return 1
    say(f"{address.source}: {'agreed' if reply.ok else 'refused'}: {reply.detail}")
    return 0 if reply.ok else 1


async def _address(database_url: str, park: str, source: str) -> Address:
    async with await Database.connect(database_url, max_size=1) as database:
        for row in await database.fetch(QUERIES["model_sources"]):
            if (row["park_id"], row["source"]) == (park, source):
                return Address(park, source, row["via"])
    raise ResendError(f"there is no source {source!r} in park {park!r}")


async def _ask(broker: Broker, address: Address, command: Command) -> Reply:
    """Return the answer to one command; asked again whenever the connection was lost."""
    rng = random.Random()  # noqa: S311 - jitter of waiting times
    mqtt = Mqtt(broker, client_id=f"resend-{secrets.token_hex(4)}", clock=SystemClock(), rng=rng)
    await mqtt.subscribe(address.reply)
    running = asyncio.create_task(mqtt.run())
    asking = asyncio.create_task(_publish(mqtt, address, command))
    try:
        async for message in mqtt.messages():
            with contextlib.suppress(RefusedError):
                reply = decode(message.payload, Reply)
                if reply.id == command.id:
                    return reply
    finally:
        asking.cancel()
        running.cancel()
        await asyncio.gather(running, asking, return_exceptions=True)
    raise AssertionError("the stream of messages has no end")


async def _publish(mqtt: Mqtt, address: Address, command: Command) -> None:
    while True:
        await mqtt.connected()
        with contextlib.suppress(ConnectionError):
            await mqtt.publish(address.command, encode(command))
            return
