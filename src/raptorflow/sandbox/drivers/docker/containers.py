"""Builds containers so that whatever fails leaves none, and removes them so that none is left."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from raptorflow.core.telemetry import logger
from raptorflow.sandbox.agent.launch import agent_command
from raptorflow.sandbox.driver import AGENT_BYTES, Blueprint, Usage
from raptorflow.sandbox.drivers.docker.engine import Attachment, Engine, EngineFailed, EngineGone, NotThere
from raptorflow.sandbox.drivers.docker.image import EmptyImage, own_image
from raptorflow.sandbox.drivers.docker.leftovers import Leftovers
from raptorflow.sandbox.drivers.docker.measure import Groups, engine_usage, find_groups
from raptorflow.sandbox.drivers.docker.mounts import blueprint_mounts, system_mounts
from raptorflow.sandbox.drivers.docker.request import LABEL, Base, create_request
from raptorflow.sandbox.drivers.docker.runtimes import runtime_named
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.spec import INPUTS, OUTPUTS

log = logger(__name__)

PREFIX = "raptorflow-sandbox-"
LAST_WORDS_SECONDS = 1.0


@dataclass
class Sandbox:
    """A container that this program made.

    Attributes:
        container: its id.
        channel: to its first process.
        most_bytes: what its programs and the agent may hold together, without files.
        groups: where the kernel counts for it; None where this user cannot read that.
        last: what was seen of it last.
    """

    container: str
    channel: Attachment
    most_bytes: int
    groups: Groups | None
    last: Usage = field(default_factory=Usage)


class Containers:
    """Those of one engine.

    Args:
        engine: which.
        settings: what they are made from.
    """

    def __init__(self, engine: Engine, settings: DockerSettings) -> None:
        self.engine = engine
        self._settings = settings
        self._image: str | None = None
        self._leftovers = Leftovers(settings.start_seconds)
        self._preparing = asyncio.Lock()
        self._abandoned: set[asyncio.Task[None]] = set()

    async def image(self) -> str:
        """The id of the image, which the engine is given when it is ours and missing.

        What a dead manager left is removed before the first container is made.

        Raises:
            SandboxUnavailable: the engine does not have it.
            EngineFailed: the engine says no.
        """
        async with self._preparing:
            if self._leftovers.expected:
                await self._remove_leftovers()
            if self._image is None:
                self._image = await self._found_image()
        return self._image

    async def build(
        self,
        blueprint: Blueprint,
        sandbox_id: str,
        labels: Mapping[str, str],
        command: tuple[str, ...] | None = None,
    ) -> Sandbox:
        """A running container.

        Args:
            blueprint: what to build.
            sandbox_id: names it.
            labels: shown by the engine.
            command: its first process, after whose end the container stays; the guest agent when not given.

        Raises:
            SandboxStartFailed: it could not be built, or took too long.
            SandboxUnavailable: the engine lacks the image.
        """
        building = asyncio.create_task(self._build(blueprint, sandbox_id, labels, command))
        try:
            async with asyncio.timeout(self._settings.start_seconds):
                return await asyncio.shield(building)
        except BaseException as error:
            self._abandon(building, sandbox_id)
            if isinstance(error, (EngineFailed, OSError)):
                reason = str(error) or f"not within {self._settings.start_seconds:g} s"
                raise SandboxStartFailed(f"{sandbox_id} could not be started: {reason}") from error
            raise

    async def usage(self, sandbox: Sandbox) -> Usage | None:
        """What it uses; None when it has ended."""
        if sandbox.groups:
            return await asyncio.to_thread(sandbox.groups.usage)
        with suppress(EngineFailed):
            stats = await self.engine.stats(sandbox.container)
            return engine_usage(stats) if stats.get("memory_stats") else None
        return None

    async def remove(self, container: str, sandbox: Sandbox | None = None) -> None:
        """End it and wait until it is gone; nothing when it is gone already.

        Args:
            container: its id or name.
            sandbox: what is known of it; its processes are then ended even when there is no engine.

        Raises:
            EngineFailed: the engine does not do it.
        """
        try:
            await self.engine.remove(container)
        except NotThere:
            return
        except EngineGone:
            if sandbox and sandbox.groups:
                sandbox.groups.kill()
            raise
        except EngineFailed as error:
            # It ended by itself at the same moment, and the engine is removing it.
            if error.status != HTTPStatus.CONFLICT:
                raise
            with suppress(NotThere):
                await self.engine.removed(container)

    async def close(self) -> None:
        """Wait for what was given up, and let go of the engine."""
        await asyncio.gather(*self._abandoned)
        with suppress(EngineFailed):
            if self._leftovers.doubted:
                await self._remove_leftovers()
        await self.engine.close()

    async def _remove_leftovers(self) -> None:
        left = self._leftovers.among(await self.engine.containers(LABEL))
        await asyncio.gather(*(self._clear(one["Id"], one["Labels"][LABEL]) for one in left))
        if left:
            log.info("removed containers that were left", containers=len(left))

    async def _found_image(self) -> str:
        if self._settings.image:
            return await own_image(self.engine, self._settings.image)
        return await (await asyncio.to_thread(EmptyImage)).ensure(self.engine)

    async def _build(
        self,
        blueprint: Blueprint,
        sandbox_id: str,
        labels: Mapping[str, str],
        command: tuple[str, ...] | None,
    ) -> Sandbox:
        try:
            container = await self._created(blueprint, sandbox_id, labels, command)
        except NotThere:
            # Somebody has removed the image since.
            self._image = None
            container = await self._created(blueprint, sandbox_id, labels, command)
        try:
            return await self._started(container, blueprint)
        except BaseException:
            await self._clear(container, sandbox_id)
            raise

    async def _created(
        self,
        blueprint: Blueprint,
        sandbox_id: str,
        labels: Mapping[str, str],
        command: tuple[str, ...] | None,
    ) -> str:
        request = create_request(await self._base(blueprint, command), blueprint, sandbox_id, labels)
        name = container_name(sandbox_id)
        try:
            container = await self.engine.create(name, request)
        except EngineGone:
            # It may have been made without our having been told, or may still be made when nobody waits.
            await self._clear(name, sandbox_id)
            self._leftovers.doubt(sandbox_id)
            raise
        self._leftovers.settle(sandbox_id)
        return container

    async def _started(self, container: str, blueprint: Blueprint) -> Sandbox:
        channel = await self.engine.attach(container)
        try:
            await self.engine.start(container)
            pid = await self._first_process(container)
            if not pid:
                raise SandboxStartFailed(f"The sandbox ended at once: {await _last_words(channel)}")
            shares = runtime_named(self._settings.runtime).shares_kernel
            groups = await asyncio.to_thread(find_groups, pid, container, shares_kernel=shares)
        except BaseException:
            channel.close()
            raise
        return Sandbox(container, channel, blueprint.limits.memory_bytes + AGENT_BYTES, groups)

    async def _first_process(self, container: str) -> int:
        """Its number on this machine; 0 when it has ended."""
        try:
            return int((await self.engine.inspect(container))["State"]["Pid"])
        except NotThere:
            return 0

    async def _base(self, blueprint: Blueprint, command: tuple[str, ...] | None) -> Base:
        own, socket = self._settings.image is not None, self._settings.engine_socket()
        python = self._settings.image_python if own else blueprint.python
        image = await self.image()
        named = await asyncio.to_thread(blueprint_mounts, blueprint, socket, own_python=own)
        return Base(
            image=image,
            mounts=named if own else (*await asyncio.to_thread(system_mounts), *named),
            command=command or _agent(python),
            runtime=self._settings.runtime,
            manager=self._leftovers.manager,
            stays=command is not None,
        )

    async def _clear(self, container: str, sandbox_id: str) -> None:
        """Remove what nobody will use; when that fails, it is tried again with the next sandbox or the end.

        Should this manager not come to that, the next one removes it when it is first used.
        """
        try:
            await self.remove(container)
        except EngineFailed as error:
            log.warning("a container is left", container=container, reason=error.message)
            self._leftovers.doubt(sandbox_id)
        else:
            self._leftovers.settle(sandbox_id)

    def _abandon(self, building: asyncio.Task[Sandbox], sandbox_id: str) -> None:
        """Let an engine that is slow finish, and remove what it has made after all."""

        async def undo() -> None:
            try:
                sandbox = await building
            except Exception as error:
                # Nothing is left of it: what cannot be built cleans up after itself.
                log.debug("a container was not built", reason=str(error))
                return
            sandbox.channel.close()
            await self._clear(sandbox.container, sandbox_id)

        task = asyncio.create_task(undo())
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)


def container_name(sandbox_id: str) -> str:
    """What the engine calls it."""
    return f"{PREFIX}{sandbox_id}"


def _agent(python: Path) -> tuple[str, ...]:
    """The agent, which first makes the folders of its workspace: an engine mounts that empty."""
    *options, code, how, alone = agent_command(str(python), "stdio", alone=True)
    folders = f"import os; [os.makedirs(path, exist_ok=True) for path in {(INPUTS, OUTPUTS)!r}]"
    return (*options, f"{folders}; {code}", how, alone)


async def _last_words(channel: Attachment) -> str:
    """What a process that has ended wrote to its standard error."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_WORDS_SECONDS):
            while await channel.read():
                pass
    return channel.complaint or "it said nothing"
