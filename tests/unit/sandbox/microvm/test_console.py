"""A machine's console: facts are read from it, and floods are let pass."""

import asyncio

import pytest

from raptorflow.sandbox.drivers.microvm.console import KEPT_BYTES, Console
from raptorflow.sandbox.errors import SandboxStartFailed


def console_of(*chunks: bytes) -> Console:
    stream = asyncio.StreamReader()
    for chunk in chunks:
        stream.feed_data(chunk)
    stream.feed_eof()
    return Console(stream)


async def test_the_first_process_says_what_was_refused() -> None:
    console = console_of(
        b"noise\nraptorflow: oom=0 pids=0 full=0\r\nraptor", b"flow: oom=2 pids=3 full=1\r\n"
    )
    await console.built()
    await console.ended()
    assert (console.out_of_memory, console.tasks_refused, console.disk_full) == (2, 3, True)


async def test_a_guest_that_could_not_be_built_says_why() -> None:
    console = console_of(b"raptorflow: the guest cannot be built: OSError(2, 'x')\n", b"Kernel panic\n" * 9)
    with pytest.raises(SandboxStartFailed, match=r"OSError\(2, 'x'\)$"):
        await console.built()


async def test_a_silent_end_is_told_too() -> None:
    with pytest.raises(SandboxStartFailed, match="it said nothing"):
        await console_of().built()


async def test_a_flood_is_kept_only_at_its_end() -> None:
    console = console_of(b"\xff\x1b[2J" * 200_000, b"the end")
    await console.ended()
    assert console.said().endswith("the end")
    assert "\x1b" not in console.said() or len(console.said()) < KEPT_BYTES
    with pytest.raises(SandboxStartFailed):
        await console.built()


async def test_numbers_too_long_to_be_true_are_no_facts() -> None:
    with pytest.raises(SandboxStartFailed):
        await console_of(b"raptorflow: oom=" + b"9" * 5000 + b" pids=0 full=0\n").built()
