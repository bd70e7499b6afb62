"""The few things that a driver asks of a Docker engine.

EngineFailed            it says no, or says nothing
├── EngineGone          it cannot be reached
└── NotThere            what was named does not exist
"""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from raptorflow.sandbox.driver import Channel

Json = dict[str, Any]


class EngineFailed(Exception):
    """The engine says no.

    Args:
        message: in its own words.
        status: of its answer; None when there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class EngineGone(EngineFailed):
    """The engine cannot be reached, or no longer."""


class NotThere(EngineFailed):
    """There is no such container or image."""


class Attachment(Channel, Protocol):
    """A channel to a container's first process."""

    @property
    def complaint(self) -> str:
        """The last that it wrote to its standard error, as far as the channel was read."""
        ...


class Engine(Protocol):
    """One engine on this machine; every call may raise `EngineFailed`."""

    async def version(self) -> Json:
        """Its parts and their versions."""
        ...

    async def info(self) -> Json:
        """What it can do."""
        ...

    async def image(self, reference: str) -> Json:
        """What it knows of an image that it has."""
        ...

    async def load(self, archive: bytes) -> None:
        """Take an image from an archive."""
        ...

    async def create(self, name: str, request: Mapping[str, Any]) -> str:
        """Make a container; its id."""
        ...

    async def attach(self, container: str) -> Attachment:
        """Its standard input and output; there is one such connection."""
        ...

    async def start(self, container: str) -> None:
        """Start its first process."""
        ...

    async def inspect(self, container: str) -> Json:
        """What it is."""
        ...

    async def stats(self, container: str) -> Json:
        """What it uses, in the engine's words; all zero when it does not run."""
        ...

    async def remove(self, container: str) -> None:
        """End every process of it, and remove it."""
        ...

    async def removed(self, container: str) -> None:
        """Wait until it is gone."""
        ...

    async def pause(self, container: str) -> None:
        """Stop every process of it."""
        ...

    async def unpause(self, container: str) -> None:
        """Let them go on."""
        ...

    async def containers(self, label: str) -> list[Json]:
        """All that carry a label, those included that do not run."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


def within(answer: Any, *names: str) -> Any:
    """What lies in an engine's answer below these names; None when something on the way is missing."""
    for name in names:
        if not isinstance(answer, Mapping):
            return None
        answer = cast("Mapping[str, Any]", answer).get(name)
    return answer
