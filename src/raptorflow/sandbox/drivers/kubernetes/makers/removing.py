"""Deleting, and knowing that it is done."""

import asyncio

from raptorflow.base.json import JsonObject
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.drivers.kubernetes.api import Api
from raptorflow.sandbox.drivers.kubernetes.objects.pod import GRACE_SECONDS
from raptorflow.sandbox.drivers.kubernetes.watching import until
from raptorflow.sandbox.errors import SandboxUnavailable

log = logger(__name__)


async def remove_pod(api: Api, name: str, seconds: float) -> None:
    """End a pod and wait until it is gone.

    With a grace of one second the API server keeps the pod until its node has said that every process is
    dead; with none it forgets the pod at once and nobody knows. So force is only used on a silent node.

    Raises:
        SandboxUnavailable: even that did not help.
    """
    await api.delete(api.place("pods", name), GRACE_SECONDS)
    if await is_gone(api, api.place("pods"), name, seconds):
        return
    log.warning("the node does not confirm the end of a sandbox, removing its pod by force", pod=name)
    await api.delete(api.place("pods", name), 0)
    if not await is_gone(api, api.place("pods"), name, seconds):
        raise SandboxUnavailable(f"The pod {name} cannot be removed.", hint=f"kubectl describe pod {name}")


async def is_gone(api: Api, path: str, name: str, seconds: float) -> bool:
    """Whether an object has gone within that time."""
    try:
        async with asyncio.timeout(seconds):
            return await until(api, path, name, _absent)
    except TimeoutError:
        return False


def _absent(thing: JsonObject | None) -> bool | None:
    return True if thing is None else None
