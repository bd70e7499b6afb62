"""Every limit ends a run, and is called by its name."""

import asyncio

import pytest
from tests.integration.sandbox.contract.conftest import RunCode
from tests.integration.sandbox.contract.expected import EXPECTED
from tests.support.subjects import Subject

from raptorflow.sandbox.driver import Handle, Usage
from raptorflow.skills.capabilities import MIB

HOG = "kept = []\nwhile True: kept.append(b'x' * 1048576)"
FORKS = "import os, time\nfor _ in range(40):\n if os.fork() == 0: time.sleep(60)\nprint('all')"
DISK = "open('big', 'wb').write(bytes(9 * 1024 * 1024))"
FLOOD = "import os\nwhile True: os.write(1, b'x' * 65536)"


@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(600)"], ids=["busy", "asleep"])
async def test_the_clock_ends_a_run(run_code: RunCode, code: str) -> None:
    result = await run_code(code, limits={"timeout_seconds": 0.5})
    assert (result.status, result.exit_code) == ("timeout", None), result
    assert "0.5 s" in str(result.message)


async def test_a_flood_is_cut_and_ends_a_run(run_code: RunCode) -> None:
    result = await run_code(FLOOD, limits={"output_bytes": MIB})
    assert (result.status, result.stdout_truncated) == ("output_limit", True), result
    assert len(result.stdout) <= MIB


async def test_a_full_workspace_is_called_that(run_code: RunCode) -> None:
    result = await run_code(DISK)
    assert result.status == "disk_full", result
    assert "8 MiB" in str(result.message)


async def test_too_many_processes_are_called_that(run_code: RunCode, subject: Subject) -> None:
    result = await run_code(FORKS)
    if EXPECTED[subject.name].counts:
        assert result.status == "pids", result
        assert "16 processes" in str(result.message)
    else:
        assert (result.status, result.stdout) == ("ok", b"all\n"), result


async def test_too_much_memory_is_called_that(
    run_code: RunCode, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    if EXPECTED[subject.name].counts:
        result = await run_code(HOG)
    else:
        running = asyncio.create_task(run_code("import time; time.sleep(600)"))
        await measured(subject, monkeypatch)
        (name,) = subject.cluster.node.containers
        await subject.cluster.node.fail(name, "OOMKilled")
        result = await running
    assert result.status == "oom", result
    assert "64 MiB" in str(result.message)


async def measured(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait until a run is measured: its program has started."""
    looked, stats = asyncio.Event(), subject.driver.stats

    async def look(handle: Handle) -> Usage:
        looked.set()
        return await stats(handle)

    monkeypatch.setattr(subject.driver, "stats", look)
    async with asyncio.timeout(subject.seconds):
        await looked.wait()
    monkeypatch.undo()
