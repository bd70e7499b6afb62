"""A sandbox that is up: built by a driver, its agent greeted, nothing run in it yet."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from raptorflow.core.tasks import to_the_end
from raptorflow.sandbox.agent.files import chunks, put
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.driver import (
    Blueprint,
    CanSnapshot,
    Handle,
    MakesAhead,
    PutsMounts,
    SandboxDriver,
    Snapshot,
    Usage,
)
from raptorflow.sandbox.errors import FileRefused, SandboxGone, SandboxStartFailed
from raptorflow.sandbox.interpreter import Mount
from raptorflow.sandbox.running.waiting import Waiting

ID_DIGITS = 12
READ_AND_RUN = 0o555
# For a skill and its environment, over a channel to another machine.
PUT_SECONDS = 300.0


class LiveSandbox:
    """Made by `start`. Whoever has it must `destroy` it.

    Attributes:
        driver: what built it.
        handle: what the driver knows it by.
        blueprint: what it was built from.
        link: to its agent.
        waiting: an interpreter in it that has no program yet.
    """

    waiting: Waiting | None = None

    def __init__(self, driver: SandboxDriver, handle: Handle, blueprint: Blueprint, link: Link) -> None:
        self.driver = driver
        self.handle = handle
        self.blueprint = blueprint
        self.link = link

    async def claim(self) -> None:
        """Take one that was made ahead into use, when it still answers.

        Raises:
            SandboxGone: it does not.
        """
        if isinstance(self.driver, MakesAhead):
            self.driver.claim(self.handle)
        await self.link.ping()

    async def usage(self) -> Usage:
        """What it used so far, seen from outside."""
        return await self.driver.stats(self.handle)

    async def destroy(self) -> None:
        """End it and free all that it held, also while whoever asks is being cancelled."""
        await to_the_end(_ended(self.driver, self.handle, self.link))


def new_sandbox_id() -> str:
    """A name that no other sandbox has."""
    return uuid.uuid4().hex[:ID_DIGITS]


async def start(
    driver: SandboxDriver,
    blueprint: Blueprint,
    sandbox_id: str,
    labels: Mapping[str, str],
    limit_seconds: float,
    *,
    ahead: bool = False,
    frozen: Snapshot | None = None,
) -> LiveSandbox:
    """Build a sandbox and greet its agent. Whatever fails leaves nothing.

    Args:
        driver: builds it.
        blueprint: what is built.
        sandbox_id: unique.
        labels: for the driver's own tools.
        limit_seconds: how long the agent may take to answer, once it was started.
        ahead: it is not needed yet; whoever uses it calls `claim` first.
        frozen: what it goes on from, of a driver that can; None builds it anew.

    Raises:
        SandboxStartFailed: it could not be built, or its agent did not answer as it must.
    """
    if frozen and isinstance(driver, CanSnapshot):
        handle = await driver.restore(frozen, blueprint, sandbox_id, labels)
    else:
        create = driver.create_ahead if ahead and isinstance(driver, MakesAhead) else driver.create
        handle = await create(blueprint, sandbox_id, labels)
    link: Link | None = None
    try:
        async with _within(limit_seconds, "The sandbox's agent did not answer"):
            link = Link(await driver.channel(handle))
            await link.open()
            if frozen:
                await link.rekey()
        if isinstance(driver, PutsMounts):
            async with _within(PUT_SECONDS, "The sandbox did not take the skill's files"):
                await _put_all(link, driver.to_put(blueprint))
    except BaseException as error:
        await to_the_end(_ended(driver, handle, link))
        if isinstance(error, SandboxGone | FileRefused):
            raise SandboxStartFailed(error.message) from error
        raise
    return LiveSandbox(driver, handle, blueprint, link)


@asynccontextmanager
async def _within(seconds: float, otherwise: str) -> AsyncGenerator[None]:
    """A part of a start that may take so long.

    Raises:
        SandboxStartFailed: it took longer.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise SandboxStartFailed(f"{otherwise} in {seconds:g} s.") from error


async def _put_all(link: Link, mounts: Iterable[Mount]) -> None:
    """Copy folders of this machine into a sandbox that cannot show them, and nothing that they link to.

    Raises:
        FileRefused: a file does not fit.
        SandboxGone: the sandbox has ended.
    """
    for mount in mounts:
        for file in sorted(filter(_is_of(mount.source), mount.source.rglob("*"))):
            mode = file.stat().st_mode & READ_AND_RUN
            await put(link, str(mount.target / file.relative_to(mount.source)), chunks(file), mode)


def _is_of(folder: Path) -> Callable[[Path], bool]:
    """Whether a path is a file of the folder itself, and no link out of it."""
    whole = folder.resolve()
    return lambda path: path.is_file() and path.resolve().is_relative_to(whole)


async def _ended(driver: SandboxDriver, handle: Handle, link: Link | None) -> None:
    try:
        if link:
            await link.close()
    finally:
        await driver.destroy(handle)
