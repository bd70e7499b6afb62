"""The two ways to a pod: asking for one, or claiming one that agent-sandbox keeps ready."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.api import CONFLICT, Api, ApiError
from raptorflow.sandbox.drivers.kubernetes.failures import TAKEN
from raptorflow.sandbox.drivers.kubernetes.objects.fields import annotations
from raptorflow.sandbox.drivers.kubernetes.objects.names import NONCE, SANDBOX_ID
from raptorflow.sandbox.errors import SandboxStartFailed


@dataclass(frozen=True)
class Order:
    """One sandbox to be made.

    Attributes:
        name: of its object.
        spec: of its pod.
        notes: annotations; the nonce among them tells ours from another's of the same name.
        ends: when it has to be gone.
    """

    name: str
    spec: JsonObject
    notes: dict[str, str]
    ends: datetime


class Maker(Protocol):
    """One way to make sandboxes. Every method raises `ApiError` when the cluster refuses."""

    @property
    def at_once(self) -> bool:
        """Whether the pod exists as soon as it was asked for."""
        ...

    async def prepare(self, spec: JsonObject) -> None:
        """Make what pods of this spec share."""
        ...

    async def ask(self, order: Order) -> None:
        """Ask for a sandbox.

        Raises:
            SandboxStartFailed: there is one of that name already, which is left alone.
        """
        ...

    async def pod_of(self, name: str) -> str:
        """The name of its pod, as soon as there is one to be."""
        ...

    async def find(self, name: str) -> JsonObject | None:
        """The object that was asked for."""
        ...

    async def remove(self, name: str) -> None:
        """End it and wait until it is gone; nothing when it is.

        Raises:
            SandboxUnavailable: it does not go.
        """
        ...

    async def ids(self) -> list[str]:
        """The ids of all sandboxes that exist."""
        ...

    async def clear(self) -> None:
        """Remove what was prepared."""
        ...


async def ask_once(api: Api, path: str, thing: JsonObject) -> None:
    """Make an object unless our own request, whose answer was lost, has made it already."""
    meta = thing["metadata"]
    try:
        await api.post(path, thing)
    except ApiError as error:
        if error.status != CONFLICT:
            raise
        found = await api.find(f"{path}/{meta['name']}")
        if found is None or not is_ours(found, meta["annotations"][NONCE]):
            raise SandboxStartFailed(f"There is a sandbox {meta['name']} already.", hint=TAKEN) from error


def is_ours(found: JsonObject, nonce: str) -> bool:
    """Whether an object was made for this very order."""
    return annotations(found).get(NONCE) == nonce


def ids_in(things: list[JsonObject]) -> list[str]:
    """The sandbox ids that objects carry."""
    return [notes[SANDBOX_ID] for thing in things if SANDBOX_ID in (notes := annotations(thing))]
