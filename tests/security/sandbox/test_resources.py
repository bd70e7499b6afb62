"""Attacks on the machine's resources: each ends the run with its own status and leaves nothing behind."""

import asyncio
import os
import resource
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.manager import SandboxManager
from raptorflow.sandbox.result import SandboxResult

Attack = Callable[..., Coroutine[Any, Any, SandboxResult]]
SETTLE_SECONDS = 5.0
POLL_SECONDS = 0.02


def processes_named(mark: str) -> list[str]:
    """Processes of this machine whose command line has the mark."""
    found: list[str] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


def groups() -> list[Path]:
    """Control groups that runs of this process have left."""
    return list(Path("/sys/fs/cgroup").glob(f"**/raptorflow-{os.getpid()}-*"))


async def until_running(mark: str) -> None:
    found: list[str] = []
    while not found:
        await asyncio.sleep(POLL_SECONDS)
        found = processes_named(mark)


async def nothing_left(mark: str) -> bool:
    deadline = time.monotonic() + SETTLE_SECONDS
    while processes_named(mark) or groups():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import os, time\nfor n in range(1000):\n if not os.fork(): time.sleep(60)", "pids"),
        (
            "import threading, time\n"
            "for n in range(1000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
            "pids",
        ),
        ("blocks = [bytearray(b'x' * 2**20) for n in range(500)]", "oom"),
        ("import os\nopen('big', 'wb').write(os.urandom(30 << 20))", "disk_full"),
        ("import os\nopen('/tmp/big', 'wb').write(os.urandom(30 << 20))", "disk_full"),
        ("while True: print('x' * 65536)", "output_limit"),
        ("import sys\nwhile True: sys.stderr.write('x' * 65536)", "output_limit"),
        ("import sys\nwhile True: sys.stdout.write('x')", "output_limit"),
    ],
    ids=["fork-bomb", "thread-bomb", "memory-bomb", "disk", "tmp", "stdout", "stderr", "no-newline"],
)
async def test_a_bomb_ends_its_run_and_nothing_else(attack: Attack, code: str, status: str) -> None:
    result = await attack(f"mark = 'bomb-{status}'\n{code}")
    assert result.status == status
    assert await nothing_left(f"bomb-{status}")


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "while True: pass",
        "import signal, time\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\ntime.sleep(60)",
        "import os, time\nos.setsid() if os.fork() == 0 else None\ntime.sleep(60)",
    ],
    ids=["sleep", "spin", "ignores-signals", "new-session"],
)
async def test_time_is_up_for_everything_inside(attack: Attack, code: str) -> None:
    result = await attack(f"mark = 'slow-inside'\n{code}", timeout_seconds=1.0)
    assert result.status == "timeout"
    assert result.wall_ms < 5000
    assert await nothing_left("slow-inside")


async def test_a_daemon_does_not_outlive_its_run(attack: Attack) -> None:
    code = (
        "mark = 'daemon-inside'\nimport os, time\n"
        "if os.fork() == 0:\n os.setsid()\n if os.fork() == 0: time.sleep(60)\n os._exit(0)\nprint('left')"
    )
    result = await attack(code)
    assert (result.status, result.stdout) == ("ok", b"left\n")
    assert await nothing_left("daemon-inside")


async def test_a_flood_does_not_grow_the_host(attack: Attack) -> None:
    await attack("print(1)")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = await attack("import os\nwhile True: os.write(1, b'x' * 65536)", output_bytes=1 << 20)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert result.status == "output_limit"
    assert result.stdout_truncated
    assert len(result.stdout) == 1 << 20
    assert grown_kib < 64 * 1024


async def test_cpu_is_shared_out(attack: Attack) -> None:
    code = "import time\nend = time.time() + 2\nwhile time.time() < end: pass"
    result = await attack(code, cpus=0.25)
    assert result.cpu_ms is not None
    assert result.cpu_ms < 0.5 * result.wall_ms


async def test_limits_cannot_be_raised(attack: Attack) -> None:
    code = (
        "import resource\n"
        "try:\n resource.setrlimit(resource.RLIMIT_NOFILE, (100000, 100000)); print('raised')\n"
        "except ValueError: print('refused')\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    assert (await attack(code)).stdout == b"refused\n(0, 0)\n"


async def test_a_cancelled_run_leaves_nothing(attack: Attack) -> None:
    running = asyncio.create_task(attack("mark = 'cancelled-inside'\nimport time; time.sleep(60)"))
    async with asyncio.timeout(SETTLE_SECONDS):
        await until_running("cancelled-inside")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await nothing_left("cancelled-inside")


async def test_many_at_once_are_held_apart(attack: Attack, manager: SandboxManager) -> None:
    code = "import os; open('mine', 'x').write(str({n})); print(open('mine').read())"
    results = await asyncio.gather(*(attack(code.format(n=n)) for n in range(20)))
    assert [result.stdout for result in results] == [f"{n}\n".encode() for n in range(20)]
    assert (await manager.probe())[0].available
