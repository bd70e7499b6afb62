"""The fake node and scheduler: what becomes of a pod, by a plan that a test may change."""

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Literal

from tests.support.cluster.containers import Container
from tests.support.cluster.store import Key, Store

from raptorflow.base.json import JsonObject

Plan = Literal["run", "no-image", "homeless", "homeless-then-run", "crash", "stuck", "vanish"]
HOMELESS: JsonObject = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient memory.",
}
SCHEDULED: JsonObject = {"type": "PodScheduled", "status": "True"}
READY: JsonObject = {"type": "Ready", "status": "True"}
NOT_READY: JsonObject = {"type": "Ready", "status": "False"}


class Node:
    """Starts, ends and forgets pods.

    Attributes:
        plan: what becomes of the next pods.
        confirms: whether it tells the API server that a pod's processes have ended.
        containers: what runs.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.plan: Plan = "run"
        self.confirms = True
        self.containers: dict[str, Container] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._folder = tempfile.TemporaryDirectory(prefix="fake-node-")

    def see(self, key: Key) -> None:
        """A pod was made."""
        self._do(self._follow(key))

    def end(self, key: Key, grace: int) -> None:
        """A pod is to be deleted: at once, or when the node has confirmed it."""
        if grace == 0:
            self._store.remove(key)
        elif pod := self._store.things.get(key):
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            self._store.change(key)
        self._do(self._stop(key))

    async def fail(self, name: str, reason: str, message: str = "", exit_code: int = 137) -> None:
        """End a pod's processes, and say why: `Evicted` is a pod's reason, `OOMKilled` a container's."""
        key = self._key(name)
        container = self.containers.pop(name)
        await container.end()
        if reason == "Evicted":
            self._status(key, "Failed", NOT_READY, {}, reason=reason, message=message)
        else:
            over = {"reason": reason, "exitCode": exit_code, "message": message}
            self._status(key, "Failed", NOT_READY, {"terminated": over})

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for container in self.containers.values():
            await container.end()
        self._folder.cleanup()

    def _key(self, name: str) -> Key:
        return next(key for key in self._store.things if key.resource == "pods" and key.name == name)

    async def _follow(self, key: Key) -> None:
        match self.plan:
            case "run":
                await self._run(key)
            case "homeless":
                self._status(key, "Pending", HOMELESS)
            case "homeless-then-run":
                self._status(key, "Pending", HOMELESS)
                await self._run(key)
            case "no-image":
                for reason in ("ErrImagePull", "ImagePullBackOff"):
                    waiting = {"reason": reason, "message": "registry.example says not found"}
                    self._status(key, "Pending", SCHEDULED, {"waiting": waiting})
            case "crash":
                over = {"reason": "StartError", "exitCode": 128, "message": "no such program"}
                self._status(key, "Failed", SCHEDULED, {"terminated": over})
            case "vanish":
                self._status(key, "Pending", SCHEDULED)
                self._store.remove(key)
            case "stuck":
                creating = {"waiting": {"reason": "ContainerCreating"}}
                self._status(key, "Pending", SCHEDULED, creating)

    async def _run(self, key: Key) -> None:
        pod = self._store.things[key]
        pod["spec"]["nodeName"] = "fake-node"
        self._status(key, "Pending", SCHEDULED, {"waiting": {"reason": "ContainerCreating"}})
        maps = {thing["metadata"]["name"]: thing for thing in self._store.of("configmaps")}
        folder = Path(self._folder.name) / key.name
        container = await Container.start(pod["spec"], maps, folder)
        if key not in self._store.things:
            await container.end()
            return
        self.containers[key.name] = container
        self._status(key, "Running", READY, {"running": {}})
        code = await container.first.wait()
        if self.containers.pop(key.name, None):
            over = {"reason": "Error" if code else "Completed", "exitCode": code}
            self._status(key, "Failed" if code else "Succeeded", NOT_READY, {"terminated": over})

    async def _stop(self, key: Key) -> None:
        if container := self.containers.pop(key.name, None):
            await container.end()
        if self.confirms:
            self._store.remove(key)

    def _status(
        self, key: Key, phase: str, condition: JsonObject, state: JsonObject | None = None, **more: str
    ) -> None:
        if pod := self._store.things.get(key):
            pod["status"] = {"phase": phase, "conditions": [condition], **more}
            if state:
                pod["status"]["containerStatuses"] = [{"name": "sandbox", "state": state}]
            self._store.change(key)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
