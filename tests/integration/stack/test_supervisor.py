"""Parts are kept running, stopped in order, and never outlive whoever started them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from raptorflow.stack import supervisor as supervising
from raptorflow.stack.errors import EmbeddedPartFailed
from raptorflow.stack.process import wait_until
from raptorflow.stack.supervisor import Program, Supervisor

LIMIT_SECONDS = 10.0
# Says when it starts and when it is asked to stop, and can be told to be stubborn or to crash.
PROGRAM = """
import os, signal, sys, time
name, journal = sys.argv[1], sys.argv[2]
def say(word):
    with open(journal, "a") as file:
        file.write(f"{name} {word}\\n")
def stop(*_):
    say("stopped")
    sys.exit(0)
signal.signal(signal.SIGUSR1, lambda *_: sys.exit("the disk is full"))
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else stop)
say("started")
if "crash" in sys.argv:
    sys.exit("out of luck")
if "reasoned" in sys.argv:
    print('problem: {"code": "disk-full", "detail": "The disk is full.", "hint": "Free some."}')
    sys.exit("Traceback of a kind")
while True:
    signal.pause()
"""

Make = Callable[..., Program]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    file = tmp_path / "journal"
    file.touch()
    return file


def said(journal: Path) -> list[str]:
    return journal.read_text().splitlines()


@pytest.fixture
def make(tmp_path: Path, journal: Path) -> Make:
    """Makes a program that is ready once it has said so."""

    def program(name: str, *behaviour: str) -> Program:
        async def ready(_pid: int) -> bool:
            return f"{name} started" in said(journal) and not {"crash", "reasoned"} & {*behaviour}

        return Program(
            name,
            [sys.executable, "-c", PROGRAM, name, str(journal), *behaviour],
            environment=dict(os.environ),
            log=tmp_path / "logs" / f"{name}.log",
            ready=ready,
            ready_seconds=LIMIT_SECONDS,
        )

    return program


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_groups_stop_in_the_reverse_of_their_starting_order(make: Make, journal: Path) -> None:
    supervisor = Supervisor(print)
    await supervisor.start(make("database"))
    await supervisor.start(make("server"), make("worker"))

    await supervisor.stop()

    lines = said(journal)
    assert lines[0] == "database started"
    assert lines[-1] == "database stopped"
    assert {"server stopped", "worker stopped"} == set(lines[-3:-1])


async def test_a_crashed_part_is_started_again_and_reported(make: Make, journal: Path) -> None:
    reports: list[str] = []
    supervisor = Supervisor(reports.append, first_pause_seconds=0.01)
    program = make("server")
    await supervisor.start(program)
    first = program.pid
    assert first is not None

    os.kill(first, signal.SIGKILL)

    assert await wait_until(lambda: said(journal).count("server started") == 2, LIMIT_SECONDS)
    assert await wait_until(lambda: "server runs again." in reports, LIMIT_SECONDS)
    assert program.pid != first
    assert reports[0] == "server was ended by SIGKILL."
    await supervisor.stop()
    assert said(journal)[-1] == "server stopped"


async def test_a_part_that_ends_with_a_complaint_is_quoted(make: Make) -> None:
    reports: list[str] = []
    supervisor = Supervisor(reports.append, first_pause_seconds=0.01)
    program = make("server")
    await supervisor.start(program)
    assert program.pid is not None
    os.kill(program.pid, signal.SIGUSR1)
    assert await wait_until(lambda: bool(reports), LIMIT_SECONDS)
    await supervisor.stop()
    assert reports[0] == "server ended with 1: the disk is full"


async def test_pauses_between_restarts_double(make: Make, journal: Path) -> None:
    reports: list[str] = []
    supervisor = Supervisor(reports.append, first_pause_seconds=0.01)
    program = make("server")
    await supervisor.start(program)
    for crash in range(3):
        assert program.pid is not None
        os.kill(program.pid, signal.SIGKILL)
        assert await wait_until(lambda n=crash: reports.count("server runs again.") == n + 1, LIMIT_SECONDS)
    await supervisor.stop()
    pauses = [report.removeprefix("Starting server again in ") for report in reports if " in " in report]
    assert pauses == ["0.01 s.", "0.02 s.", "0.04 s."]


async def test_a_part_that_crashes_at_the_start_is_an_error_with_its_last_words(make: Make) -> None:
    supervisor = Supervisor(print)
    healthy = make("healthy")
    with pytest.raises(EmbeddedPartFailed, match="out of luck"):
        await supervisor.start(healthy, make("server", "crash"))
    await supervisor.stop()
    assert healthy.pid is None


async def test_an_error_quotes_this_run_and_no_earlier_one(make: Make, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "server.log"
    log.parent.mkdir()
    log.write_text("an older complaint\n" * 3)
    with pytest.raises(EmbeddedPartFailed) as caught:
        await Supervisor(print).start(make("server", "crash"))
    assert caught.value.message == "server ended with 1:\nout of luck"


async def test_a_part_that_says_why_it_does_not_start_is_shown_as_it_said(make: Make, tmp_path: Path) -> None:
    program = make("server", "reasoned")
    with pytest.raises(EmbeddedPartFailed) as caught:
        await Supervisor(print).start(program)
    assert caught.value.message == "The disk is full."
    assert caught.value.hint == "Free some."
    assert caught.value.problem()["code"] == "disk-full"


async def test_a_part_that_will_never_be_ready_is_not_waited_for(tmp_path: Path) -> None:
    async def never(_pid: int) -> bool:
        raise EmbeddedPartFailed("It waits for what will not come.")

    program = Program(
        "server", ["/bin/sleep", "600"], environment={}, log=tmp_path / "logs" / "x.log", ready=never
    )
    supervisor = Supervisor(print)
    with pytest.raises(EmbeddedPartFailed, match="will not come"):
        await supervisor.start(program)
    assert program.pid
    pid = program.pid
    await supervisor.stop()
    assert not alive(pid)


async def test_what_starts_beside_is_not_waited_for_and_is_watched_once_it_is_ready(
    make: Make, journal: Path
) -> None:
    reports: list[str] = []
    supervisor = Supervisor(reports.append, first_pause_seconds=0.01)
    slow = make("slow")
    await supervisor.start(make("server"), beside=[slow])
    assert await supervisor.unless_failed(asyncio.to_thread(lambda: "done")) == "done"
    assert await wait_until(lambda: "slow started" in said(journal), LIMIT_SECONDS)
    assert slow.pid
    os.kill(slow.pid, signal.SIGKILL)
    assert await wait_until(lambda: "slow runs again." in reports, LIMIT_SECONDS)
    await supervisor.stop()
    assert slow.pid is None
    assert "server stopped" in said(journal)


async def test_what_cannot_begin_beside_ends_the_work_with_its_reason(make: Make) -> None:
    reports: list[str] = []
    supervisor = Supervisor(reports.append)
    server = make("server")
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def start_and_work() -> None:
        await supervisor.start(server, beside=[make("worker", "reasoned")])
        await supervisor.unless_failed(work())

    with pytest.raises(EmbeddedPartFailed, match=r"The disk is full\."):
        await asyncio.wait_for(start_and_work(), LIMIT_SECONDS)
    assert reports == []
    with pytest.raises(EmbeddedPartFailed, match=r"The disk is full\."):
        await supervisor.unless_failed(work())
    assert cancelled.is_set()
    await supervisor.stop()
    assert server.pid is None


async def test_a_part_that_ignores_the_request_to_stop_is_killed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "PROGRAM_STOPPING", ((signal.SIGTERM, 0.2),))
    supervisor = Supervisor(print)
    program = make("server", "stubborn")
    await supervisor.start(program)
    pid = program.pid
    assert pid is not None
    await asyncio.wait_for(supervisor.stop(), LIMIT_SECONDS)
    assert not alive(pid)


async def test_ctrl_c_in_the_terminal_does_not_reach_the_parts(make: Make) -> None:
    supervisor = Supervisor(print)
    program = make("server")
    await supervisor.start(program)
    assert program.pid is not None
    assert os.getsid(program.pid) == program.pid
    assert os.getsid(program.pid) != os.getsid(0)
    await supervisor.stop()


PARENT = """
import asyncio, os, sys
from pathlib import Path
from raptorflow.stack.supervisor import Program, Supervisor
async def main():
    program = Program("child", ["/bin/sleep", "600"], environment=dict(os.environ), log=Path(sys.argv[1]))
    await Supervisor(print).start(program)
    print(program.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def test_parts_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(log)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert alive(child)

    parent.kill()
    parent.communicate()

    deadline = time.monotonic() + LIMIT_SECONDS
    while alive(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not alive(child)
