"""A Docker engine, asked through aiodocker (the optional extra `docker`)."""

import io
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiodocker
import aiohttp

from raptorflow.sandbox.drivers.docker.attached import attach
from raptorflow.sandbox.drivers.docker.engine import Attachment, EngineFailed, EngineGone, Json, NotThere

UNREACHABLE = 900  # aiodocker's own number for it
NOT_FOUND = 404


class DockerEngine:
    """One engine.

    Args:
        socket: where it listens.
        seconds: how long it may take for an answer.
    """

    def __init__(self, socket: Path, seconds: float) -> None:
        self._socket = socket
        self._patience = aiohttp.ClientTimeout(total=seconds, sock_connect=seconds)
        # aiodocker leaves open what many of its methods take and give.
        self._docker: Any = aiodocker.Docker(url=f"unix://{socket}", timeout=self._patience)

    async def version(self) -> Json:
        """Its parts and their versions."""
        async with _said():
            return await self._docker.version()

    async def info(self) -> Json:
        """What it can do."""
        async with _said():
            return await self._docker.system.info()

    async def image(self, reference: str) -> Json:
        """What it knows of an image that it has."""
        async with _said():
            return await self._docker.images.inspect(reference)

    async def load(self, archive: bytes) -> None:
        """Take an image from an archive."""
        async with _said():
            await self._docker.images.import_image(io.BytesIO(archive))

    async def create(self, name: str, request: Mapping[str, Any]) -> str:
        """Make a container; its id."""
        async with _said():
            return (await self._docker.containers.create(request, name=name)).id

    async def attach(self, container: str) -> Attachment:
        """Its standard input and output; there is one such connection."""
        async with _said():
            return await attach(self._socket, container)

    async def start(self, container: str) -> None:
        """Start its first process."""
        async with _said():
            await self._docker.containers.container(container).start()

    async def inspect(self, container: str) -> Json:
        """What it is."""
        async with _said():
            return await self._docker.containers.container(container).show()

    async def stats(self, container: str) -> Json:
        """What it uses, in the engine's words; all zero when it does not run."""
        async with _said():
            return (await self._docker.containers.container(container).stats(stream=False))[0]

    async def remove(self, container: str) -> None:
        """End every process of it, and remove it."""
        async with _said():
            await self._docker.containers.container(container).delete(force=True, v=True)

    async def removed(self, container: str) -> None:
        """Wait until it is gone."""
        async with _said():
            await self._docker.containers.container(container).wait(
                condition="removed", timeout=self._patience
            )

    async def pause(self, container: str) -> None:
        """Stop every process of it."""
        async with _said():
            await self._docker.containers.container(container).pause()

    async def unpause(self, container: str) -> None:
        """Let them go on."""
        async with _said():
            await self._docker.containers.container(container).unpause()

    async def containers(self, label: str) -> list[Json]:
        """All that carry a label, those included that do not run."""
        filters = json.dumps({"label": [label]})
        async with _said():
            found = await self._docker.containers.list(all=True, filters=filters)
            return [
                {"Id": one.id, "Labels": one["Labels"], "State": one["State"], "Created": one["Created"]}
                for one in found
            ]

    async def close(self) -> None:
        """Let go of the connections."""
        await self._docker.close()


@asynccontextmanager
async def _said() -> AsyncGenerator[None]:
    """The engine's refusals in our words."""
    try:
        yield
    except aiodocker.DockerError as error:
        if error.status == NOT_FOUND:
            raise NotThere(error.message, error.status) from error
        kind = EngineGone if error.status == UNREACHABLE else EngineFailed
        raise kind(error.message, error.status) from error
    except TimeoutError as error:
        raise EngineGone("The engine does not answer.") from error
    except (aiohttp.ClientError, OSError) as error:
        raise EngineGone(f"The engine cannot be reached: {error}.") from error
