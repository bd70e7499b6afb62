"""What can go wrong with a local sandbox, one thing a round, at every step from its making to its end."""

import errno
import os
import resource
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.cgroups import v1, v2
from raptorflow.sandbox.driver import Channel, Handle, Usage
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.drivers.local.leftovers import PREFIX
from raptorflow.sandbox.drivers.local.processes import children, descendants

CGROUPS = Path("/sys/fs/cgroup")
IS_ROOT = os.geteuid() == 0
# System calls on the way to a sandbox, and how often each is made for one.
SYSTEM_STEPS: tuple[tuple[Any, str, int], ...] = (
    (os, "memfd_create", 2),
    (socket, "socketpair", 1),
    (os, "pipe2", 1),
    (subprocess, "Popen", 1),
    (os, "pidfd_open", 2),
    (resource, "prlimit", 2),
    *(((v1, "write", 5), (v2, "write", 4)) if IS_ROOT else ()),
)
Fault = Callable[[LocalDriver, pytest.MonkeyPatch], None]


def refused_at(holder: Any, name: str, number: int) -> Fault:
    """The so-manieth call of a system function says that there is no room."""

    def fault(_driver: LocalDriver, patch: pytest.MonkeyPatch) -> None:
        real, calls = getattr(holder, name), 0

        def call(*given: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number:
                raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
            return real(*given, **named)

        patch.setattr(holder, name, call)

    return fault


def folder_gone(index: int) -> Fault:
    """The workspace or `/tmp` of the sandbox cannot be opened from outside."""

    def fault(_driver: LocalDriver, patch: pytest.MonkeyPatch) -> None:
        real, calls = os.open, 0

        def call(path: Any, *given: Any, **named: Any) -> int:
            nonlocal calls
            if str(path).startswith("/proc/") and "/root/" in str(path):
                calls += 1
                if calls == index:
                    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return real(path, *given, **named)

        patch.setattr(os, "open", call)

    return fault


def while_it_runs(act: Callable[[], None]) -> Fault:
    """Something is done to it as soon as its program runs."""

    def fault(driver: LocalDriver, patch: pytest.MonkeyPatch) -> None:
        stats, done = driver.stats, False

        async def looked(handle: Handle) -> Usage:
            nonlocal done
            if not done:
                done = True
                act()
            return await stats(handle)

        patch.setattr(driver, "stats", looked)

    return fault


def killed(which: int) -> Callable[[], None]:
    """The first bubblewrap, the second, the agent or the program is killed."""

    def act() -> None:
        os.kill(newest()[which], signal.SIGKILL)

    return act


def newest() -> list[int]:
    """The processes of the sandbox that was begun last, outermost first."""
    names = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in children(os.getpid())}
    first = [pid for pid, name in names.items() if name == "bwrap"][-1]
    return [first, *descendants(first)]


def stopped() -> None:
    """The agent stands still for ever."""
    os.kill(newest()[2], signal.SIGSTOP)


def group_removed() -> None:
    """Somebody moves its processes elsewhere and removes its control group."""
    mine = f"{PREFIX}{os.getpid()}-"
    for own in (path for path in CGROUPS.glob("*") if path.is_dir()):
        for group in own.glob(f"{mine}*/*/"):
            for pid in (group / "cgroup.procs").read_text().split():
                (own / "cgroup.procs").write_text(pid)
            with suppress(OSError):
                group.rmdir()


class FaultyChannel:
    """A channel that fails at its so-manieth use.

    Args:
        channel: the real one.
        fails: makes reading and writing fail from now on.
        at: which use.
    """

    def __init__(self, channel: Channel, fails: Callable[[], bytes], at: int) -> None:
        self._channel = channel
        self._fails = fails
        self._left = at

    async def read(self) -> bytes:
        return await self._channel.read() if self._goes_on() else self._fails()

    async def write(self, data: bytes) -> None:
        if not self._goes_on():
            self._fails()
        await self._channel.write(data)

    def close(self) -> None:
        self._channel.close()

    def _goes_on(self) -> bool:
        self._left -= 1
        return self._left > 0


def ends() -> bytes:
    return b""


def breaks() -> bytes:
    raise ConnectionResetError


def lies() -> bytes:
    return b"\xff" * 64


def channel_fails(fails: Callable[[], bytes], at: int) -> Fault:
    """The channel ends, breaks or carries rubbish."""

    def fault(driver: LocalDriver, patch: pytest.MonkeyPatch) -> None:
        real: Callable[[Handle], Awaitable[Any]] = driver.channel

        async def channel(handle: Handle) -> Channel:
            return FaultyChannel(await real(handle), fails, at)

        patch.setattr(driver, "channel", channel)

    return fault


FAULTS: dict[str, Fault] = {
    **{
        f"{name}-{number}": refused_at(holder, name, number)
        for holder, name, times in SYSTEM_STEPS
        for number in range(1, times + 1)
    },
    **{f"folder-{index}": folder_gone(index) for index in (1, 2)},
    **{f"kill-{which}": while_it_runs(killed(which)) for which in range(4)},
    "stop": while_it_runs(stopped),
    **({"group": while_it_runs(group_removed)} if IS_ROOT else {}),
    **{
        f"channel-{fails.__name__}-{at}": channel_fails(fails, at)
        for fails in (ends, breaks, lies)
        for at in range(1, 8)
    },
}
