"""Logs: structured events, as JSON for machines or coloured lines for people; an outage is told once, its end once."""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from .clock import Clock


def configure(*, json: bool | None = None, level: str = "info", stream: TextIO | None = None) -> None:
    """Set up logging for a process; called once, in `__main__`.

    Args:
        json: JSON lines; None: only where the stream is no terminal.
        level: `debug`, `info`, `warning` or `error`.
        stream: where to; standard error by default, because standard output belongs to results.
    """
    out = stream or sys.stderr
    as_json = not out.isatty() if json is None else json
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        shared += [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    else:
        shared += [structlog.dev.ConsoleRenderer(colors=out.isatty())]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=out, level=max(threshold, logging.WARNING), format="%(levelname)s %(name)s %(message)s")


def get(name: str) -> FilteringBoundLogger:
    """Return a logger whose events carry `part=name`."""
    logger: FilteringBoundLogger = structlog.get_logger(part=name)
    return logger


class OutageLog:
    """Tells the beginning and the end of an outage, and nothing in between.

    Args:
        logger: where to.
        event: stem of the event names `…_lost` and `…_back`.
        clock: measures how long it lasted.
    """

    def __init__(self, logger: FilteringBoundLogger, event: str, clock: Clock) -> None:
        self._logger = logger
        self._lost, self._back = f"{event}_lost", f"{event}_back"
        self._clock = clock
        self._since_s: float | None = None
        self._repeats = 0

    def down(self, **details: object) -> None:
        """It does not work."""
        self._repeats += 1
        if self._since_s is None:
            self._since_s = self._clock.monotonic()
            self._logger.warning(self._lost, **details)

    def up(self, **details: object) -> None:
        """It works."""
        if self._since_s is not None:
            lasted_s = round(self._clock.monotonic() - self._since_s, 1)
            self._logger.info(self._back, lasted_s=lasted_s, failures=self._repeats, **details)
        self._since_s = None
        self._repeats = 0
