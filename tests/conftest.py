"""Real parts for the test session: PostgreSQL and Valkey of its own, and the list of what was skipped."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from raptorflow.core.migrate import upgrade
from raptorflow.stack.places import open_place
from raptorflow.stack.postgres import EmbeddedPostgres, PostgresUrls
from raptorflow.stack.valkey import EmbeddedValkey


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


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """No test is skipped in silence: name each one and its reason."""
    reports = terminalreporter.stats.get("skipped", [])
    if reports:
        terminalreporter.section("not run, and why")
    for report in reports:
        terminalreporter.write_line(f"{report.nodeid}: {report.longreprtext}")
