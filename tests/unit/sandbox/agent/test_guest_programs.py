"""A guest agent runs programs faithfully, whatever they do with their input, output and children."""

import asyncio
import hashlib
import os
import resource
import socket
from typing import Protocol

import pytest

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.agent.programs import Program, Running, end_all, start
from raptorflow.sandbox.drivers.local.waiting import readable
from raptorflow.sandbox.errors import SandboxGone, SandboxSpecInvalid

SECONDS = 30
PYTHON = ("/usr/bin/python3", "-I", "-S", "-c")
SYSTEM = {"PATH": "/usr/bin:/bin"}
TWICE = "import os\nwhile part := os.read(0, 65536): [os.write(to, part) for to in (1, 2)]"
MIB = 1024 * 1024


class Agent(Protocol):
    """The fixture's."""

    socket: socket.socket
    pid: int


class Said:
    """What a program said, by kind."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.errors = bytearray()
        self.came = asyncio.Event()

    def take(self, kind: int, payload: bytes) -> None:
        (self.out if kind == wire.STDOUT else self.errors).extend(payload)
        self.came.set()


async def begun(link: Link, *arguments: str, folder: str = "/", **variables: str) -> tuple[Running, Said]:
    said = Said()
    program = Program(arguments, {**SYSTEM, **variables}, folder)
    running = await start(link, program, said.take)
    await running.started
    return running, said


async def done(link: Link, *arguments: str, stdin: bytes = b"", **given: str) -> tuple[int, bytes, bytes]:
    async with asyncio.timeout(SECONDS):
        running, said = await begun(link, *arguments, **given)
        await running.feed(stdin)
        code = await running.wait()
    return code, bytes(said.out), bytes(said.errors)


@pytest.mark.parametrize("code", [0, 1, 2, 126, 127, 128, 137, 255])
async def test_an_exit_code_is_told_as_it_was(link: Link, code: int) -> None:
    assert await done(link, "sh", "-c", f"exit {code}") == (code, b"", b"")


@pytest.mark.parametrize("number", [1, 6, 9, 11, 15, 31])
async def test_a_signal_is_told_apart_from_an_exit_code(link: Link, number: int) -> None:
    assert (await done(link, "sh", "-c", f"kill -{number} $$"))[0] == -number


async def test_a_program_that_cannot_be_found_says_so(link: Link) -> None:
    assert await done(link, "no-such-program") == (127, b"", b"no-such-program: No such file or directory\n")
    assert await done(link, "/no/such") == (127, b"", b"/no/such: No such file or directory\n")
    assert await done(link, "/etc/passwd") == (126, b"", b"/etc/passwd: Permission denied\n")
    assert (await done(link, "sh", folder="/nowhere"))[2] == b"/nowhere: No such file or directory\n"
    assert (await done(link, ""))[0] in {126, 127}


async def test_arguments_and_variables_arrive_as_they_are(link: Link) -> None:
    odd = ["", " ", "a\nb", "\udcff", "-n", "ä"]
    show = "import sys, os; sys.stdout.buffer.write(b'|'.join(os.fsencode(a) for a in sys.argv[1:]))"
    code, out, _ = await done(link, *PYTHON, show, *odd)
    assert (code, out) == (0, b"|".join(os.fsencode(word) for word in odd))
    assert (await done(link, "env", ONE="1=2"))[1].splitlines() == [b"PATH=/usr/bin:/bin", b"ONE=1=2"]


async def test_what_no_program_can_be_given_is_refused(link: Link) -> None:
    for argument in ("x" * wire.MAX_PAYLOAD, "\ud800"):
        with pytest.raises(SandboxSpecInvalid):
            await start(link, Program(["true", argument]), Said().take)
    assert (await done(link, "true"))[0] == 0


async def test_input_and_output_may_be_large_in_both_directions_at_once(link: Link) -> None:
    content = os.urandom(8 * MIB)
    code, out, errors = await done(link, *PYTHON, TWICE, stdin=content)
    assert code == 0
    digest = hashlib.sha256(content).digest()
    assert hashlib.sha256(out).digest() == digest
    assert hashlib.sha256(errors).digest() == digest


async def test_input_waits_until_it_is_read(link: Link) -> None:
    running, _ = await begun(link, *PYTHON, "import time; time.sleep(60)")
    feeding = asyncio.create_task(running.feed(bytes(4 * MIB)))
    # Far more was sent for than a program that reads nothing can have taken.
    assert (await done(link, "true"))[0] == 0
    assert not feeding.done()
    await end_all(link)
    async with asyncio.timeout(SECONDS):
        assert await running.wait() == -9
        await feeding


@pytest.mark.parametrize("code", ["import os; os.read(0, 1)", "import os; os.close(0)", "pass"])
async def test_a_program_need_not_read_its_input(link: Link, code: str) -> None:
    assert (await done(link, *PYTHON, code, stdin=bytes(4 * MIB)))[0] == 0


async def test_who_closed_its_input_lets_the_host_go_on(link: Link) -> None:
    running, said = await begun(
        link, *PYTHON, "import os, time; os.close(0); os.write(1, b'x'); time.sleep(60)"
    )
    async with asyncio.timeout(SECONDS):
        await said.came.wait()
        await running.feed(bytes(2 * MIB))
        await end_all(link)
        assert await running.wait() == -9


async def test_programs_run_beside_each_other(link: Link) -> None:
    asked = [done(link, "sh", "-c", f"cat; exit {n}", stdin=b"%d" % n * 1000) for n in range(20)]
    answers = await asyncio.gather(*asked)
    assert [answer[0] for answer in answers] == list(range(20))
    assert [answer[1] for answer in answers] == [b"%d" % n * 1000 for n in range(20)]


async def test_what_a_program_leaves_in_its_group_is_ended_and_told_nothing_of(link: Link) -> None:
    other, _ = await begun(link, "cat")
    async with asyncio.timeout(SECONDS):
        # The child would write for ever, and holds the output open.
        code, out, _ = await done(link, "sh", "-c", "yes & echo told; exit 3")
        assert code == 3
        assert b"told\n" in out
        await other.feed(b"")
        assert await other.wait() == 0


async def test_all_that_was_written_before_the_end_arrives(link: Link) -> None:
    write = "import fcntl, os; fcntl.fcntl(1, 1031, 1048576); os.write(1, bytes(1048576)); os._exit(5)"
    code, out, _ = await done(link, *PYTHON, write)
    assert (code, len(out)) == (5, MIB)


async def test_a_program_starts_with_little(link: Link) -> None:
    show = (
        "import os, resource, signal; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1],"
        " os.getsid(0) == os.getpid(), resource.getrlimit(resource.RLIMIT_CORE),"
        " [l for l in open('/proc/self/status') if l[:6] in ('NoNewP', 'CapEff', 'CapBnd', 'SigBlk')])"
    )
    _, out, errors = await done(link, *PYTHON, show)
    assert errors == b""
    assert out.startswith(b"[0, 1, 2] True (0, 0)")
    assert b"NoNewPrivs:\\t1" in out
    if os.getuid() == 0:
        assert out.count(b"0000000000000000") == 3


async def test_no_room_for_one_more_process_is_an_answer(link: Link, agent: Agent) -> None:
    assert (await done(link, "true"))[0] == 0
    resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (8, 8))
    assert await done(link, "true") == (126, b"", b"true: Too many open files\n")


async def test_a_channel_that_ends_ends_the_programs(link: Link, agent: Agent) -> None:
    running, said = await begun(link, "sh", "-c", "echo $$; cat")
    async with asyncio.timeout(SECONDS):
        await said.came.wait()
        end = os.pidfd_open(int(said.out))
        agent.socket.shutdown(socket.SHUT_RDWR)
        with pytest.raises(SandboxGone):
            await running.wait()
        await readable(end)
        os.close(end)


async def test_an_agent_keeps_no_descriptor_of_what_is_over(link: Link, agent: Agent) -> None:
    await done(link, "true")
    before = os.listdir(f"/proc/{agent.pid}/fd")
    for _ in range(50):
        await done(link, "sh", "-c", "cat; exit 1", stdin=b"x")
    assert os.listdir(f"/proc/{agent.pid}/fd") == before
