"""An engine of the session's own, and a driver on it."""

from collections.abc import AsyncGenerator

import pytest
from tests.support.docker_engine import OwnEngine

from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.docker.settings import DockerSettings


@pytest.fixture
async def driver(docker_engine: OwnEngine) -> AsyncGenerator[DockerDriver]:
    """A driver; what it leaves behind is an error."""
    driver = DockerDriver(DockerSettings(socket=docker_engine.socket))
    yield driver
    left = await driver.list()
    await driver.close()
    assert left == []
    assert docker_engine.groups() == []
