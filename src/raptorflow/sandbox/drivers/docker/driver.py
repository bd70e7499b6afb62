"""The `docker` driver: one closed container a sandbox, built by a Docker engine of this machine."""

import asyncio
import dataclasses
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from raptorflow.core.telemetry import logger
from raptorflow.sandbox.driver import Blueprint, Channel, Handle, Usage
from raptorflow.sandbox.drivers.docker.connection import connect
from raptorflow.sandbox.drivers.docker.containers import Containers, Sandbox, container_name
from raptorflow.sandbox.drivers.docker.engine import Engine, EngineFailed, NotThere
from raptorflow.sandbox.drivers.docker.probe import NAME, probe
from raptorflow.sandbox.drivers.docker.request import LABEL
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed, SandboxUnavailable
from raptorflow.sandbox.probing import ProbeReport

log = logger(__name__)

NOT_PAUSED = "is not paused"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")


class DockerDriver:
    """Builds sandboxes through an engine.

    Args:
        settings: which engine, and from what.
        engine: asked instead of the one that the settings name.
    """

    name = NAME

    def __init__(self, settings: DockerSettings, engine: Engine | None = None) -> None:
        self._settings = settings
        self._given = engine
        self._made: Containers | None = None
        self._probing = asyncio.Lock()
        self._report: ProbeReport | None = None
        self._sandboxes: dict[str, Sandbox] = {}

    @property
    def python(self) -> Path | None:
        """The operator's image has its own interpreter; otherwise this machine's is seen inside."""
        return self._settings.image_python if self._settings.image else None

    async def probe(self) -> ProbeReport:
        """Make two sandboxes and say what held; once, unless the engine could not be used."""
        async with self._probing:
            if self._report is None or not self._report.available:
                try:
                    self._report = await probe(self._containers(), self._settings)
                except SandboxUnavailable as error:
                    return ProbeReport(self.name, problem=error.message, remedy=error.hint)
        return self._report

    async def prepare(self, blueprint: Blueprint) -> None:
        """See to it that the engine has the image; every blueprint is made from the same one.

        Raises:
            SandboxUnavailable: it cannot have it.
        """
        async with _asking("prepare the image"):
            await self._containers().image()

    async def create(self, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]) -> Handle:
        """Build and start a container. Whatever fails, being cancelled too, leaves nothing.

        Raises:
            SandboxStartFailed: it could not be built.
            SandboxUnavailable: the engine lacks the image.
        """
        if not ID.fullmatch(sandbox_id):
            raise SandboxStartFailed(f"{sandbox_id!r} cannot name a sandbox.")
        sandbox = await self._containers().build(blueprint, sandbox_id, labels)
        self._sandboxes[sandbox_id] = sandbox
        return Handle(self.name, sandbox_id)

    async def channel(self, handle: Handle) -> Channel:
        """The channel to its agent.

        Raises:
            SandboxGone: it has ended, or another manager made it.
        """
        sandbox = self._sandboxes.get(handle.sandbox_id)
        if sandbox is None:
            raise SandboxGone(f"The sandbox {handle.sandbox_id} has ended, or is another manager's.")
        return sandbox.channel

    async def stats(self, handle: Handle) -> Usage:
        """What it used so far; what was last seen when it has ended."""
        sandbox = self._sandboxes.get(handle.sandbox_id)
        if sandbox is None:
            return Usage()
        if usage := await self._containers().usage(sandbox):
            over = "oom" if (usage.memory_bytes or 0) > sandbox.most_bytes else None
            sandbox.last = dataclasses.replace(usage, over=over)
        return sandbox.last

    async def destroy(self, handle: Handle) -> None:
        """End every process of it and remove it. Doing it again does nothing.

        Raises:
            SandboxUnavailable: the engine cannot be reached or does not do it.
        """
        sandbox = self._sandboxes.pop(handle.sandbox_id, None)
        if sandbox:
            sandbox.channel.close()
            if said := sandbox.channel.complaint:
                log.warning("a sandbox's agent complained", sandbox=handle.sandbox_id, said=said)
        async with _asking(f"remove the sandbox {handle.sandbox_id}"):
            await self._containers().remove(container_name(handle.sandbox_id), sandbox)

    async def list(self) -> list[Handle]:
        """What the engine has, whoever made it.

        Raises:
            SandboxUnavailable: the engine cannot be reached.
        """
        async with _asking("list sandboxes"):
            found = await self._containers().engine.containers(LABEL)
        return [Handle(self.name, one["Labels"][LABEL]) for one in found]

    async def pause(self, handle: Handle) -> None:
        """Stop every program inside; memory is kept.

        Raises:
            SandboxGone: it has ended.
            SandboxUnavailable: the engine does not do it.
        """
        async with _asking(f"pause the sandbox {handle.sandbox_id}"):
            await self._containers().engine.pause(container_name(handle.sandbox_id))

    async def resume(self, handle: Handle) -> None:
        """Let them go on.

        Raises:
            SandboxGone: it has ended.
            SandboxUnavailable: the engine does not do it.
        """
        async with _asking(f"resume the sandbox {handle.sandbox_id}"):
            try:
                await self._containers().engine.unpause(container_name(handle.sandbox_id))
            except EngineFailed as error:
                # One that was asked before has done it, though its answer did not come.
                if NOT_PAUSED not in error.message:
                    raise

    async def close(self) -> None:
        """Destroy what this driver made, and let go of the engine, which keeps the image."""
        made, self._made, self._report = self._made, None, None
        if made is None:
            return
        try:
            for sandbox_id, sandbox in list(self._sandboxes.items()):
                sandbox.channel.close()
                async with _asking(f"remove the sandbox {sandbox_id}"):
                    await made.remove(sandbox.container, sandbox)
                del self._sandboxes[sandbox_id]
        finally:
            await made.close()

    def _containers(self) -> Containers:
        """Those of the engine, connected to when first needed: that takes a running event loop."""
        if self._made is None:
            self._made = Containers(self._given or connect(self._settings), self._settings)
        return self._made


@asynccontextmanager
async def _asking(what: str) -> AsyncGenerator[None]:
    """The engine's refusals as the contract's."""
    try:
        yield
    except NotThere as error:
        raise SandboxGone(f"The engine cannot {what}: {error.message}.") from error
    except EngineFailed as error:
        raise SandboxUnavailable(f"The engine cannot {what}: {error.message}.") from error
