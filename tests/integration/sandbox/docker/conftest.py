"""An engine of the session's own, and a driver on it."""

from collections.abc import AsyncGenerator, Generator

import pytest
from tests.docker_engine import OwnEngine, running_engine

from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.docker.settings import DockerSettings


@pytest.fixture(scope="session")
def docker_engine() -> Generator[OwnEngine]:
    """Debian's, which ends with the session and leaves no control group, mount or file."""
    with running_engine() as engine:
        yield engine


@pytest.fixture
async def driver(docker_engine: OwnEngine) -> AsyncGenerator[DockerDriver]:
    """A driver; what it leaves behind is an error."""
    driver = DockerDriver(DockerSettings(socket=docker_engine.socket))
    yield driver
    left = await driver.list()
    await driver.close()
    assert left == []
    assert docker_engine.groups() == []
