"""Become an MQTT broker on the loopback interface: Mosquitto where it is installed, else amqtt from the wheel.

Neither keeps anything on disk: a broker is a pipe, custody lies with sender and database.
"""

import argparse
import asyncio
import logging
import os
import shutil
import signal
from pathlib import Path

MOSQUITTO_CONF = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_packet_size 600000
max_inflight_messages 100
max_queued_messages 10000
set_tcp_nodelay true
log_type error
log_type warning
"""


def mosquitto_path() -> str | None:
    """Path of a `mosquitto` binary, or None. Debian keeps it in sbin, which users have not on their PATH."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _become_mosquitto(binary: str, port: int, data: Path) -> None:
    conf = data / "mosquitto.conf"
    conf.write_text(MOSQUITTO_CONF.format(port=port), encoding="utf-8")
    os.execv(binary, [binary, "-c", str(conf)])  # noqa: S606 - found binary, arguments are a list


async def _run_amqtt(port: int) -> None:
    from amqtt.broker import Broker

    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 100}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


def main() -> None:
    """Parse `--port N --data DIR [--kind]` and become the broker."""
    parser = argparse.ArgumentParser(description="Run an MQTT broker on the loopback interface.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder for its configuration")
    parser.add_argument("--kind", choices=("auto", "mosquitto", "amqtt"), default="auto")
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    binary = mosquitto_path() if options.kind != "amqtt" else None
    if options.kind == "mosquitto" and binary is None:
        raise SystemExit("broker: no mosquitto found on the PATH")
    if binary is not None:
        _become_mosquitto(binary, options.port, options.data)
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    asyncio.run(_run_amqtt(options.port))


if __name__ == "__main__":
    main()
