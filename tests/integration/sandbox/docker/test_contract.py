"""What every driver keeps: make, speak, measure, remove, list."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.docker_engine import LIMITS, OwnEngine, blueprint, box, new_id, running_engine

from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.driver import CanPause, Handle
from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed, SandboxUnavailable
from raptorflow.sandbox.interpreter import Mount

ENDING_SECONDS = 20


async def test_a_program_runs_inside_and_sees_its_skill(driver: DockerDriver, tmp_path: Path) -> None:
    skill = tmp_path / "skill"
    skill.mkdir()
    (skill / "data.txt").write_text("its own file")
    async with box(driver, blueprint(Mount(skill, Path("/skill")))) as inside:
        ran = await inside.python(
            "import os; print(open('/skill/data.txt').read(), os.getcwd(), os.getuid())"
        )
        assert (ran.code, ran.out) == (0, "its own file /workspace 65534\n"), ran.err


async def test_the_agents_way_out_is_offered_only_with_reach(driver: DockerDriver) -> None:
    ask = "import socket; s = socket.socket(); s.connect(('127.0.0.1', 3128)); print('there')"
    async with box(driver, blueprint(reach=True)) as inside:
        assert (await inside.python(ask)).out == "there\n"
        services = ask.replace("socket.socket()", "socket.socket(socket.AF_UNIX)")
        services = services.replace("('127.0.0.1', 3128)", "'/run/raptorflow/services.sock'")
        assert (await inside.python(services)).out == "there\n"
    async with box(driver, blueprint()) as closed:
        assert "PermissionError" in (await closed.python(ask)).err


async def test_much_output_and_input_passes_unharmed(driver: DockerDriver) -> None:
    async with box(driver, blueprint()) as inside:
        ran = await inside.python(
            "import sys; sys.stdout.write('0123456789' * 300000); sys.stderr.write('e')"
        )
        assert (ran.out, ran.err) == ("0123456789" * 300000, "e")


async def test_usage_is_measured_from_outside(driver: DockerDriver) -> None:
    async with box(driver, blueprint()) as inside:
        await inside.python("kept = b'x' * 30_000_000; sum(range(2_000_000))")
        usage = await driver.stats(inside.handle)
        assert usage.cpu_ms is not None
        assert usage.cpu_ms > 20
        assert usage.peak_memory_bytes is not None
        assert usage.peak_memory_bytes > 30_000_000
        assert usage.tasks == 1
        assert (usage.out_of_memory, usage.tasks_refused, usage.disk_full, usage.over) == (0, 0, False, None)
    assert await driver.stats(inside.handle) != usage


async def test_what_was_last_seen_is_told_when_it_has_ended(driver: DockerDriver) -> None:
    handle = await driver.create(blueprint(), new_id(), {})
    channel = await driver.channel(handle)
    assert await channel.read()
    seen = await driver.stats(handle)
    channel.close()
    await _gone(driver, handle)
    assert await driver.stats(handle) == seen
    await driver.destroy(handle)


async def test_two_at_once_do_not_meet(driver: DockerDriver) -> None:
    async with box(driver, blueprint()) as one, box(driver, blueprint()) as other:
        await one.python("open('/workspace/secret', 'w').write('x'); open('/tmp/secret', 'w').write('x')")
        look = (
            "import os; print(sorted(os.listdir('/workspace')), os.listdir('/tmp'), os.listdir('/dev/shm'))"
        )
        assert (await other.python(look)).out == "['in', 'out'] [] []\n"
        assert {handle.sandbox_id for handle in await driver.list()} == {
            one.handle.sandbox_id,
            other.handle.sandbox_id,
        }


async def test_destroying_twice_or_what_never_was_does_nothing(driver: DockerDriver) -> None:
    handle = await driver.create(blueprint(), new_id(), {"tenant": "acme"})
    await driver.destroy(handle)
    await driver.destroy(handle)
    await driver.destroy(Handle("docker", "never-was"))
    with pytest.raises(SandboxGone):
        await driver.channel(handle)


async def test_destroying_during_a_run_ends_the_channel(driver: DockerDriver) -> None:
    handle = await driver.create(blueprint(), new_id(), {})
    channel = await driver.channel(handle)
    link = Link(channel)
    await link.open()
    await driver.destroy(handle)
    assert await channel.read() == b""
    with pytest.raises(ConnectionError):
        await channel.write(b"x")
    await link.close()


async def test_an_id_is_used_once_and_the_other_sandbox_stays(driver: DockerDriver) -> None:
    async with box(driver, blueprint()) as first:
        with pytest.raises(SandboxStartFailed):
            await driver.create(blueprint(), first.handle.sandbox_id, {})
        assert (await first.python("print(1)")).out == "1\n"


async def test_a_sandbox_ends_when_its_channel_does(driver: DockerDriver) -> None:
    handle = await driver.create(blueprint(), new_id(), {})
    (await driver.channel(handle)).close()
    await _gone(driver, handle)
    await driver.destroy(handle)


async def test_a_paused_sandbox_stands_still_and_goes_on(driver: DockerDriver) -> None:
    assert isinstance(driver, CanPause)
    async with box(driver, blueprint()) as inside:
        await driver.pause(inside.handle)
        spent = (await driver.stats(inside.handle)).cpu_ms
        running = asyncio.create_task(inside.python("print('done')"))
        assert (await driver.stats(inside.handle)).cpu_ms == spent
        assert not running.done()
        await driver.resume(inside.handle)
        assert (await running).out == "done\n"


async def test_another_manager_finds_and_reaps_what_a_dead_one_left(docker_engine: OwnEngine) -> None:
    settings = DockerSettings(socket=docker_engine.socket)
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.support.docker_engine import blueprint\n"
        "from raptorflow.sandbox.drivers.docker.driver import DockerDriver\n"
        "from raptorflow.sandbox.drivers.docker.settings import DockerSettings\n"
        "async def main():\n"
        "    driver = DockerDriver(DockerSettings(socket=Path(sys.argv[1])))\n"
        "    for number in range(3):\n"
        "        await driver.create(blueprint(), f'left-{number}', {})\n"
        "    print('made', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    manager = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(docker_engine.socket), stdout=subprocess.PIPE
    )
    assert manager.stdout
    assert await manager.stdout.readline() == b"made\n"
    manager.send_signal(signal.SIGKILL)
    await manager.wait()
    driver = DockerDriver(settings)
    # By now each agent may have noticed: nobody reads its channel any more.
    for handle in await driver.list():
        await driver.destroy(handle)
    assert await driver.list() == []
    assert docker_engine.groups() == []
    await driver.close()


async def test_a_sandbox_can_be_ended_when_its_engine_has_died() -> None:
    with running_engine() as engine:
        driver = DockerDriver(DockerSettings(socket=engine.socket))
        handle = await driver.create(blueprint(), new_id(), {})
        channel = await driver.channel(handle)
        assert await channel.read()
        (agent,) = engine.processes()
        ended = os.pidfd_open(agent)
        engine.kill()
        assert await channel.read() == b""
        for asked in (driver.destroy(handle), driver.list()):
            with pytest.raises(SandboxUnavailable):
                await asked
        with pytest.raises(SandboxStartFailed):
            await driver.create(blueprint(), new_id(), {})
        assert select.select([ended], [], [], ENDING_SECONDS)[0]
        os.close(ended)
        engine.start()
        await driver.destroy(handle)
        assert await driver.list() == []
        assert engine.groups() == []
        await driver.close()


async def test_closing_the_driver_destroys_what_it_made(docker_engine: OwnEngine) -> None:
    driver = DockerDriver(DockerSettings(socket=docker_engine.socket))
    await driver.create(blueprint(limits=LIMITS), new_id(), {})
    await driver.close()
    assert docker_engine.groups() == []


async def _gone(driver: DockerDriver, handle: Handle) -> None:
    """Wait until the engine no longer lists it."""
    async with asyncio.timeout(ENDING_SECONDS):
        while handle in await driver.list():
            pass
