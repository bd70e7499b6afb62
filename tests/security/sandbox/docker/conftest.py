"""A sandbox to attack, of an engine of the session's own."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.support.docker_engine import Box, OwnEngine, blueprint, box

from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.interpreter import Mount


@pytest.fixture(scope="module")
async def driver(docker_engine: OwnEngine) -> AsyncGenerator[DockerDriver]:
    """A driver on it."""
    driver = DockerDriver(DockerSettings(socket=docker_engine.socket))
    yield driver
    await driver.close()


@pytest.fixture(scope="module")
async def inside(driver: DockerDriver, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Box]:
    """One sandbox for all attacks of a module, with a skill and no way out."""
    skill = tmp_path_factory.mktemp("skill")
    skill.chmod(0o755)
    (skill / "data.txt").write_text("its own file")
    async with box(driver, blueprint(Mount(skill, Path("/skill")))) as one:
        yield one


@pytest.fixture(scope="module")
async def reaching(driver: DockerDriver) -> AsyncGenerator[Box]:
    """The same, with sockets."""
    async with box(driver, blueprint(reach=True)) as one:
        yield one
