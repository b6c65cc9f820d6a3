"""`python -m api run`: serve the API and the web app until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

import structlog
import uvicorn

from parkcarbon.kit import log as logs

from .app import create_app
from .core import Core
from .settings import Settings

log = structlog.get_logger(__name__)

_GRACE_S = 5


class Server(uvicorn.Server):
    """Ends the live streams before it waits for open connections, and stops with exit code 0 on a signal."""

    def __init__(self, config: uvicorn.Config, core: Core) -> None:
        super().__init__(config)
        self._core = core

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Stop."""
        self._core.hub.close()
        await super().shutdown(sockets)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT without raising them again afterwards."""
        loop = asyncio.get_running_loop()
        in_main = threading.current_thread() is threading.main_thread()  # elsewhere no signal arrives
        numbers = (signal.SIGTERM, signal.SIGINT) if in_main else ()
        for number in numbers:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


def serve(settings: Settings) -> None:
    """Run the server until it is told to stop."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=settings.access_log,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        ws="none",
        lifespan="on",
    )
    log.info("api.starting", host=settings.host, port=settings.port, web=str(settings.web_dist))
    Server(config, app.state.core).run()
    log.info("api.stopped")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and serve; 2 when the settings do not fit."""
    parser = argparse.ArgumentParser(prog="python -m api", description="HTTP API and web app of ParkCarbon")
    parser.add_subparsers(dest="verb", required=True).add_parser("run", help="serve; settings: PARKCARBON_*")
    parser.parse_args(arguments)
    try:
        settings = Settings.from_env()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    logs.configure()
    serve(settings)
    return 0
