"""Programs, files, pauses and ends of sessions."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.sessions import MakeSessions, MakeSpec, Open, made, until
from tests.support.traces import processes

from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.errors import FileRefused, SandboxBusy, SandboxGone, SandboxSpecInvalid
from raptorflow.sandbox.sessions.errors import SandboxCannotPause, SandboxPaused
from raptorflow.sandbox.sessions.lifetime import Ticks
from raptorflow.sandbox.sessions.session import SandboxSession
from raptorflow.sandbox.sessions.settings import SessionSettings

PROGRAM = Path(__file__).with_name("session_process.py")


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.ticks = Ticks(lambda: self.now, self._sleep)

    async def move(self, seconds: float) -> None:
        self.now += seconds
        for due, sleeper in self._sleepers:
            if due <= self.now and not sleeper.done():
                sleeper.set_result(None)
        await asyncio.sleep(0)

    async def _sleep(self, seconds: float) -> None:
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, sleeper))
        await sleeper


def is_true(condition: Callable[[], object]) -> Callable[[], Coroutine[None, None, object]]:
    async def holds() -> object:
        return condition()

    return holds


async def test_programs_run_beside_the_interpreter(session: SandboxSession) -> None:
    await session.execute("open('made.txt', 'w').write('by a cell')")
    ran = await session.run(["sh", "-c", "cat made.txt; pwd; echo wrong >&2; exit 3"])
    assert (ran.status, ran.exit_code, ran.stdout, ran.stderr) == (
        "error",
        3,
        b"by a cell/workspace\n",
        b"wrong\n",
    )
    assert (await session.run(["python", "-c", "print(6 * 7)"])).stdout == b"42\n"
    assert (await session.run(["no-such-program"])).exit_code == 127
    assert (await session.run(["sh", "-c", "kill -SEGV $$"])).signal == "SIGSEGV"
    assert (await session.run(["cat"])).stdout == b""
    with pytest.raises(SandboxSpecInvalid):
        await session.run([])


async def test_a_program_runs_while_a_cell_does(session: SandboxSession) -> None:
    waiting = "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.01)\n'went'"
    cell = asyncio.create_task(session.execute(waiting))
    assert (await session.run(["sh", "-c", ": > go"])).status == "ok"
    assert (await cell).result == "'went'"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["sleep", "600"], "timeout"),
        (["sh", "-c", "sleep 600 & sleep 600"], "timeout"),
        (["yes"], "output_limit"),
    ],
)
async def test_a_program_over_its_limit_ends_alone(
    open_session: Open, command: list[str], status: str
) -> None:
    session = await open_session(limits={"output_bytes": 100_000})
    await session.execute("x = 5")
    ran = await session.run(command, seconds=None if status == "output_limit" else 0.2)
    assert ran.status == status
    assert len(ran.stdout) <= 100_000
    left = await session.execute("import os\n[pid for pid in os.listdir('/proc') if pid.isdigit()]")
    # The first process, the agent and the interpreter.
    assert len(eval_list(left.result)) == 3
    assert (await session.execute("x")).result == "5"


def eval_list(text: str | None) -> list[str]:
    return (text or "").strip("[]").split(", ")


async def test_what_a_program_leaves_running_ends_with_it(session: SandboxSession) -> None:
    await session.run(["sh", "-c", "sleep 600 & setsid sleep 600 & echo"])
    left = await session.execute("import os\n[pid for pid in os.listdir('/proc') if pid.isdigit()]")
    assert len(eval_list(left.result)) == 3


async def test_a_program_over_the_memory_limit_is_told_from_a_killed_one(open_session: Open) -> None:
    session = await open_session(limits={"memory_bytes": 64 * 1024 * 1024})
    ran = await session.run(
        ["python", "-c", "kept = []\nwhile True:\n    kept.append(bytearray(b'x' * 10**6))"]
    )
    # Where processes are limited one by one, Python notices first.
    assert ran.status == "oom" or b"MemoryError" in ran.stderr
    assert (await session.run(["sh", "-c", "kill -9 $$"])).signal == "SIGKILL"
    assert (await session.execute("6 * 7")).result == "42"


async def test_files_are_put_taken_and_listed(session: SandboxSession) -> None:
    await session.put("data/in.txt", b"given")
    cell = await session.execute("open('out.txt', 'w').write(open('data/in.txt').read().upper())")
    assert cell.status == "ok"
    assert await session.get("out.txt") == b"GIVEN"
    assert {entry.path for entry in await session.list(levels=2)} >= {"data", "data/in.txt", "out.txt"}
    with pytest.raises(FileRefused):
        await session.put("out.txt", b"again")
    with pytest.raises(FileRefused):
        await session.get("nowhere.txt")
    await session.execute("import os\nos.symlink('/etc/passwd', 'link')")
    with pytest.raises(FileRefused):
        await session.get("link")


async def test_a_paused_session_stands_still_and_goes_on(session: SandboxSession) -> None:
    code = (
        "import threading, time\nbeats = []\ndef beat():\n    while True:\n        beats.append(1)\n"
        "        time.sleep(0.005)\nthreading.Thread(target=beat, daemon=True).start()"
    )
    await session.execute(code)
    await session.pause()
    await session.pause()
    for refused in (
        session.execute("1"),
        session.run(["true"]),
        session.get("x"),
        session.reset(),
        session.interrupt(),
    ):
        with pytest.raises(SandboxPaused):
            await refused
    await session.resume()
    await session.resume()
    before = int((await session.execute("len(beats)")).result or 0)
    await session.execute("while len(beats) <= " + str(before) + ":\n    time.sleep(0.005)")


async def test_a_pause_waits_for_what_runs(session: SandboxSession) -> None:
    waiting = "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.01)"
    program = asyncio.create_task(session.run(["python", "-c", waiting]))
    cell = asyncio.create_task(session.execute(waiting))
    await asyncio.sleep(0)
    pausing = asyncio.create_task(session.pause())
    await session.put("go", b"")
    await pausing
    assert (program.done(), cell.done()) == (True, True)
    assert (program.result().status, cell.result().status) == ("ok", "ok")


async def test_what_does_not_stand_still_costs_the_session(
    session: SandboxSession, driver: LocalDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of it stands still by then, the agent perhaps: nothing could be asked of it any more."""
    monkeypatch.setattr("raptorflow.sandbox.drivers.local.driver.MOST_LOOKS", 0)
    with pytest.raises(SandboxGone, match="does not stand still"):
        await session.pause()
    assert session.ended
    assert await driver.list() == []


async def test_a_driver_that_cannot_pause_says_so(
    driver: LocalDriver, make_sessions: MakeSessions, make_spec: MakeSpec
) -> None:
    class Plain:
        """The driver without what it could do more."""

        name = "plain"

        def __getattr__(self, name: str) -> Any:
            if name in {"pause", "resume"}:
                raise AttributeError(name)
            return getattr(driver, name)

    session = await make_sessions().open(make_spec())
    vars(session)["_sandbox"].driver = Plain()
    for refused in (session.pause(), session.resume()):
        with pytest.raises(SandboxCannotPause, match="plain driver cannot be paused"):
            await refused
    assert (await session.execute("1")).result == "1"


async def test_an_ended_session_says_why(session: SandboxSession, driver: LocalDriver) -> None:
    await session.close()
    await session.close("Another reason.")
    for refused in (
        session.execute("1"),
        session.run(["true"]),
        session.get("x"),
        session.pause(),
        session.interrupt(),
    ):
        with pytest.raises(SandboxGone, match=r"The session was closed\."):
            await refused
    assert await driver.list() == []


async def test_a_session_ends_when_its_time_is_up_whatever_it_does(
    make_sessions: MakeSessions, make_spec: MakeSpec
) -> None:
    hands = Hands()
    sessions = make_sessions(hands.ticks, max_seconds=100, idle_seconds=60)
    session = await sessions.open(make_spec())
    sleeping = asyncio.create_task(session.execute("import time\nopen('begun', 'w')\ntime.sleep(600)"))
    await made(session, "begun")
    await hands.move(61)
    assert session.ended is None
    await hands.move(40)
    cell = await sleeping
    assert cell.error
    assert (cell.status, cell.error.message) == (
        "gone",
        "The session has reached the 100 s that one may last.",
    )
    with pytest.raises(SandboxGone, match="100 s that one may last"):
        await session.execute("1")
    assert sessions.count == 0


async def test_an_idle_session_ends_and_a_paused_one_is_not_idle(
    make_sessions: MakeSessions, make_spec: MakeSpec
) -> None:
    hands = Hands()
    sessions = make_sessions(hands.ticks, max_seconds=1000, idle_seconds=60)
    session = await sessions.open(make_spec())
    await hands.move(59)
    await session.execute("1")
    await hands.move(59)
    await session.pause()
    await hands.move(600)
    await session.resume()
    await hands.move(59)
    assert session.ended is None
    await hands.move(1)
    await until(is_true(lambda: session.ended))
    with pytest.raises(SandboxGone, match="was not used for 60 s"):
        await session.execute("1")


async def test_a_sandbox_that_is_taken_away_ends_its_session(
    session: SandboxSession, driver: LocalDriver
) -> None:
    sleeping = asyncio.create_task(session.execute("import time\nopen('begun', 'w')\ntime.sleep(600)"))
    await made(session, "begun")
    for handle in await driver.list():
        await driver.destroy(handle)
    assert (await sleeping).status == "gone"
    with pytest.raises(SandboxGone):
        await session.execute("1")


async def test_only_so_many_sessions_are_open_and_all_end_together(
    make_sessions: MakeSessions, make_spec: MakeSpec, driver: LocalDriver
) -> None:
    sessions = make_sessions(max_open=2, tenant_open=2)
    first, second = await asyncio.gather(sessions.open(make_spec()), sessions.open(make_spec()))
    with pytest.raises(SandboxBusy, match="2 sessions are open"):
        await sessions.open(make_spec())
    await first.close()
    third = await sessions.open(make_spec())
    assert (sessions.count, len(await driver.list())) == (2, 2)
    await sessions.close()
    assert (sessions.count, await driver.list()) == (0, [])
    assert second.ended == third.ended == "The session was closed."
    with pytest.raises(SandboxGone, match="No more"):
        await sessions.open(make_spec())


async def test_one_organisation_does_not_take_all_sessions(
    make_sessions: MakeSessions, make_spec: MakeSpec
) -> None:
    sessions = make_sessions(max_open=4, idle_seconds=30)
    opened = await asyncio.gather(*(sessions.open(make_spec(tenant="one")) for _ in range(3)))
    with pytest.raises(SandboxBusy, match="3 sessions of this organisation are open") as refused:
        await sessions.open(make_spec(tenant="one"))
    assert refused.value.details == {
        "reason": "tenant",
        "running": 3,
        "waiting": 0,
        "retry_after_seconds": 30,
    }
    assert "TENANT_OPEN" in (refused.value.hint or "")
    await sessions.open(make_spec(tenant="two"))
    with pytest.raises(SandboxBusy, match="4 sessions are open") as refused:
        await sessions.open(make_spec(tenant="three"))
    assert refused.value.details["reason"] == "all"
    await opened[0].close()
    await sessions.open(make_spec(tenant="one"))


@pytest.mark.parametrize(
    ("most", "own", "cap"), [(4, None, 3), (1, None, 1), (16, None, 12), (4, 4, 4), (8, 1, 1)]
)
def test_all_but_a_quarter_of_the_sessions_are_for_one_organisation(
    most: int, own: int | None, cap: int
) -> None:
    assert SessionSettings(max_open=most, tenant_open=own).open_cap() == cap


async def test_what_does_not_start_leaves_nothing(
    make_sessions: MakeSessions, make_spec: MakeSpec, driver: LocalDriver, tmp_path: Path
) -> None:
    sessions = make_sessions()
    large = tmp_path / "large"
    large.write_bytes(b"x")
    big = make_spec(inputs={"a" * 200 + "€" * 20: large})
    with pytest.raises((FileRefused, SandboxSpecInvalid)):
        await sessions.open(big)
    opening = asyncio.create_task(sessions.open(make_spec()))
    held: dict[str, object] = vars(driver)["_held"]
    await until(is_true(lambda: held))
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert (sessions.count, await driver.list()) == (0, [])


async def test_a_killed_manager_takes_its_sessions_with_it(tmp_path: Path) -> None:
    mark = f"session-{tmp_path.name}"
    victim = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), str(tmp_path / "state"), str(tmp_path), mark, stdout=subprocess.PIPE
    )
    assert victim.stdout
    assert await victim.stdout.readline() == b"open\n"
    assert processes(mark)
    victim.kill()
    await victim.communicate()
    await until(is_true(lambda: not processes(mark)))
