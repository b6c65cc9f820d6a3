"""Rules of the whole suite: a suite that needs a server may not be skipped quietly, and never in CI."""

import os
from collections import Counter
from collections.abc import Generator

import pytest
import structlog
from hypothesis import settings

# A busy machine is not a wrong result: what takes how long is measured by benchmarks.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

pytest_plugins = ["tests.fakes.postgres", "tests.fakes.api_client"]

SERVERS = ("postgres", "timescale", "mosquitto", "chromium", "libreoffice")
_not_run: Counter[tuple[str, str]] = Counter()


@pytest.fixture(autouse=True)
def _the_log_stays_as_it_was() -> Generator[None]:
    """A command that runs in a test sends the log to that test's output, which is closed after it."""
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note every skipped test that needs a server; under CI=true turn it into a failure."""
    report = yield
    marks = [name for name in SERVERS if item.get_closest_marker(name) is not None]
    if report.skipped and marks and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _not_run[("+".join(marks), reason.removeprefix("Skipped: "))] += 1
        if os.environ.get("CI") == "true":
            report.outcome = "failed"
            report.longrepr = f"not run, and CI demands it: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly which suites did not run and why."""
    if not _not_run:
        return
    terminalreporter.section("SUITES THAT DID NOT RUN", red=True)
    for (marks, reason), count in sorted(_not_run.items()):
        terminalreporter.write_line(f"{marks}: {count} tests: {reason}", red=True)
