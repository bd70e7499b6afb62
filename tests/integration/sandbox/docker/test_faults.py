"""Whatever fails while a sandbox is made leaves nothing: no container, no group, no open channel."""

import asyncio
import dataclasses
import io
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiodocker
import pytest
from tests.support.docker_engine import OwnEngine, blueprint, box, new_id

from raptorflow.sandbox.drivers.docker.connection import connect
from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.docker.engine import EngineFailed, EngineGone
from raptorflow.sandbox.drivers.docker.image import EmptyImage
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.errors import SandboxStartFailed, SandboxUnavailable
from raptorflow.sandbox.interpreter import Mount

STEPS = ("image", "create", "attach", "start", "inspect")
Step = Callable[..., Awaitable[Any]]
Fault = Callable[[Step], Step]


class FaultyEngine:
    """The real engine, but for one call that goes wrong.

    Args:
        engine: the real one.
        name: of the call.
        fault: makes it wrong.
    """

    def __init__(self, engine: Any, name: str, fault: Fault) -> None:
        self._engine = engine
        self._name = name
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._engine, name)
        return self._fault(call) if name == self._name else call


def refused(_call: Step) -> Step:
    """It says no."""

    async def step(*_given: Any) -> Any:
        raise EngineFailed("no", 500)

    return step


def lost(call: Step) -> Step:
    """It does it, and is gone before it says so."""

    async def step(*given: Any) -> Any:
        await call(*given)
        raise EngineGone("gone")

    return step


def faulty(docker_engine: OwnEngine, name: str, fault: Fault, **fields: Any) -> DockerDriver:
    settings = DockerSettings(socket=docker_engine.socket, **fields)
    engine: Any = FaultyEngine(connect(settings), name, fault)
    return DockerDriver(settings, engine)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("fault", [refused, lost])
async def test_a_failing_step_leaves_nothing(
    driver: DockerDriver, docker_engine: OwnEngine, name: str, fault: Fault
) -> None:
    failing = faulty(docker_engine, name, fault)
    with pytest.raises(SandboxStartFailed):
        await failing.create(blueprint(), new_id(), {})
    assert await driver.list() == []
    assert docker_engine.groups() == []
    await failing.close()


@pytest.mark.parametrize("name", ["create", "start"])
async def test_an_engine_that_is_too_slow_leaves_nothing_either(
    driver: DockerDriver, docker_engine: OwnEngine, name: str
) -> None:
    go_on = asyncio.Event()

    def slow(call: Step) -> Step:
        async def step(*given: Any) -> Any:
            done = await call(*given)
            await go_on.wait()
            return done

        return step

    failing = faulty(docker_engine, name, slow, start_seconds=0.5)
    with pytest.raises(SandboxStartFailed, match="not within"):
        await failing.create(blueprint(), new_id(), {})
    go_on.set()
    await failing.close()
    assert await driver.list() == []


@pytest.mark.parametrize("name", STEPS)
async def test_giving_up_half_way_leaves_nothing(
    driver: DockerDriver, docker_engine: OwnEngine, name: str
) -> None:
    reached = asyncio.Event()

    def reaching(call: Step) -> Step:
        async def step(*given: Any) -> Any:
            reached.set()
            return await call(*given)

        return step

    failing = faulty(docker_engine, name, reaching)
    creating = asyncio.create_task(failing.create(blueprint(), new_id(), {}))
    await reached.wait()
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    await failing.close()
    assert await driver.list() == []


async def test_what_cannot_be_cleared_stays_listed_and_is_reaped(
    driver: DockerDriver, docker_engine: OwnEngine
) -> None:
    settings = DockerSettings(socket=docker_engine.socket)
    real: Any = connect(settings)
    engine: Any = FaultyEngine(FaultyEngine(real, "start", refused), "remove", refused)
    failing = DockerDriver(settings, engine)
    with pytest.raises(SandboxStartFailed):
        await failing.create(blueprint(), new_id(), {})
    (left,) = await driver.list()
    await driver.destroy(left)
    await failing.close()


async def test_a_missing_folder_is_named(driver: DockerDriver, tmp_path: Path) -> None:
    plan = blueprint(Mount(tmp_path / "none", Path("/skill")))
    with pytest.raises(SandboxStartFailed, match=r"none cannot be mounted: No such file"):
        await driver.create(plan, new_id(), {})


async def test_an_interpreter_that_is_not_there_is_named(driver: DockerDriver) -> None:
    plan = dataclasses.replace(blueprint(), python=Path("/usr/bin/python0"))
    with pytest.raises(SandboxUnavailable, match="/usr/bin/python0"):
        await driver.create(plan, new_id(), {})


async def test_an_image_that_the_engine_lacks_is_named(
    driver: DockerDriver, docker_engine: OwnEngine
) -> None:
    settings = DockerSettings(socket=docker_engine.socket, image=f"sha256:{'0' * 64}")
    lacking = DockerDriver(settings)
    with pytest.raises(SandboxUnavailable, match="has no image"):
        await lacking.create(blueprint(), new_id(), {})
    await lacking.close()


async def test_an_image_that_was_removed_is_given_again(
    driver: DockerDriver, docker_engine: OwnEngine
) -> None:
    await driver.prepare(blueprint())
    async with aiodocker.Docker(url=f"unix://{docker_engine.socket}") as client:
        await client.images.delete(EmptyImage().reference, force=True)
    async with box(driver, blueprint()) as inside:
        assert (await inside.python("print(1)")).out == "1\n"


async def test_an_image_under_our_name_that_is_not_ours_is_replaced(
    driver: DockerDriver, docker_engine: OwnEngine
) -> None:
    engine = connect(DockerSettings(socket=docker_engine.socket))
    ours = EmptyImage()
    await engine.load(with_variable(ours, "LD_PRELOAD=/workspace/theirs.so"))
    theirs = await engine.image(ours.reference)
    assert "LD_PRELOAD=/workspace/theirs.so" in theirs["Config"]["Env"]
    assert await ours.ensure(engine) != theirs["Id"]
    assert not (await engine.image(ours.reference))["Config"]["Env"]
    await engine.close()


def with_variable(image: EmptyImage, variable: str) -> bytes:
    """The same image, but for a variable that each of its containers has."""
    buffer = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(image.archive)) as old,
        tarfile.open(fileobj=buffer, mode="w") as new,
    ):
        for entry in old:
            file = old.extractfile(entry)
            content = file.read() if file else b""
            content = content.replace(b'"config":{}', b'"config":{"Env":["%s"]}' % variable.encode())
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.verify
async def test_a_hundred_rounds_with_faults_leave_nothing(
    driver: DockerDriver, docker_engine: OwnEngine
) -> None:
    for number in range(100):
        fault = (refused, lost)[number % 2]
        failing = faulty(docker_engine, STEPS[number % len(STEPS)], fault)
        with pytest.raises(SandboxStartFailed):
            await failing.create(blueprint(), new_id(), {})
        await failing.close()
        async with box(driver, blueprint()) as inside:
            assert (await inside.run("true")).code == 0
    assert await driver.list() == []
    assert docker_engine.groups() == []
