"""Real parts for the test session: PostgreSQL and Valkey of its own, and the list of what did not run."""

import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from raptorflow.core.migrate import upgrade
from raptorflow.stack.places import open_place
from raptorflow.stack.postgres import EmbeddedPostgres, PostgresUrls
from raptorflow.stack.valkey import EmbeddedValkey

NO_TIME_LEFT = pytest.StashKey[list[str]]()
DEADLINE = pytest.StashKey[float]()


@pytest.fixture(scope="session")
def stack_folder() -> Generator[Path]:
    """A data folder for the session's servers, removed with them."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    yield folder
    open_place(folder).remove()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def postgres_urls(stack_folder: Path) -> AsyncGenerator[PostgresUrls]:
    """A PostgreSQL server of the session's own."""
    server = EmbeddedPostgres(stack_folder)
    yield await server.start()
    await server.stop()


@pytest.fixture(scope="session")
async def valkey_url(stack_folder: Path) -> AsyncGenerator[str]:
    """A Valkey server of the session's own; tests keep apart by their key prefixes."""
    server = EmbeddedValkey(stack_folder)
    yield await server.start()
    await server.stop()


@pytest.fixture(scope="session")
def migrated_database(postgres_urls: PostgresUrls) -> PostgresUrls:
    """The session's database at the newest schema."""
    upgrade(postgres_urls.owner_url)
    return postgres_urls


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--within SECONDS`: what has not begun by then does not begin, and is listed."""
    parser.addoption("--within", type=float, metavar="SECONDS", help="begin no test after this long")


def pytest_configure(config: pytest.Config) -> None:
    """Note when the time is up."""
    within: float | None = config.getoption("--within")
    config.stash[NO_TIME_LEFT] = []
    config.stash[DEADLINE] = float("inf") if within is None else time.monotonic() + within


def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Leave a test out when the time is up; it is named at the end."""
    if time.monotonic() < item.config.stash[DEADLINE]:
        return None
    item.config.stash[NO_TIME_LEFT].append(item.nodeid)
    return True


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """No test is left out in silence: name each one and the reason."""
    lines = [f"{report.nodeid}: {_reason(report)}" for report in terminalreporter.stats.get("skipped", [])]
    lines += [f"{test}: no time was left" for test in terminalreporter.config.stash[NO_TIME_LEFT]]
    if lines:
        terminalreporter.section("did not run, and why")
    for line in lines:
        terminalreporter.write_line(line)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """A skip's reason: the last of file, line and reason."""
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
