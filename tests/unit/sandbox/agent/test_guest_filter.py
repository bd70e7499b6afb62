"""A guest agent puts programs under the system call filter that it was given, or does not start them."""

import asyncio

import pytest

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.agent.programs import Program, start
from raptorflow.sandbox.seccomp import filter_program

SECONDS = 30
TRY = """
import errno, socket
def tried(family, kind):
    try:
        socket.socket(family, kind).close()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "made"
mode = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("Seccomp:"))
print(mode, tried(socket.AF_NETLINK, socket.SOCK_RAW), tried(socket.AF_INET, socket.SOCK_STREAM))
"""
CLOSED = filter_program(reach=False, watched=False)
REACHING = filter_program(reach=True, watched=False)


async def said(link: Link, *arguments: str) -> tuple[int, bytes, bytes]:
    """How a program ended, and what it said."""
    told = {wire.STDOUT: bytearray(), wire.STDERR: bytearray()}
    program = Program(arguments, {"PATH": "/usr/bin:/bin"}, "/")
    async with asyncio.timeout(SECONDS):
        running = await start(link, program, lambda kind, payload: told[kind].extend(payload))
        await running.feed(b"")
        code = await running.wait()
    return code, bytes(told[wire.STDOUT]), bytes(told[wire.STDERR])


@pytest.mark.parametrize(
    ("agent", "answer"),
    [(None, b"0 made made\n"), (CLOSED, b"2 EPERM EPERM\n"), (REACHING, b"2 EPERM made\n")],
    indirect=["agent"],
    ids=["without a filter", "closed", "with a way out"],
)
async def test_what_the_filter_refuses_fails_in_a_program(link: Link, answer: bytes) -> None:
    assert await said(link, "/usr/bin/python3", "-I", "-S", "-c", TRY) == (0, answer, b"")


@pytest.mark.parametrize("agent", [CLOSED], indirect=True)
async def test_a_filtered_program_is_found_like_any_other(link: Link) -> None:
    assert await said(link, "sh", "-c", "true | cat; exit 7") == (7, b"", b"")
    assert await said(link, "no-such") == (127, b"", b"no-such: No such file or directory\n")


@pytest.mark.parametrize("agent", [b"", b"\0" * 8, CLOSED[:8], CLOSED[:-1]], indirect=True)
async def test_no_program_starts_when_its_filter_cannot_be_loaded(link: Link) -> None:
    assert await said(link, "echo", "started") == (126, b"", b"the system call filter: Invalid argument\n")
