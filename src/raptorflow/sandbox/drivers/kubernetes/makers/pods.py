"""Plain pods, for clusters without agent-sandbox."""

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.api import Api
from raptorflow.sandbox.drivers.kubernetes.makers.maker import Order, ask_once, ids_in
from raptorflow.sandbox.drivers.kubernetes.makers.removing import remove_pod
from raptorflow.sandbox.drivers.kubernetes.objects.names import labels_of, selector
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings


class Pods:
    """Each sandbox is a pod of its own name."""

    at_once = True

    def __init__(self, api: Api, settings: KubernetesSettings) -> None:
        self._api = api
        self._settings = settings

    async def prepare(self, spec: JsonObject) -> None:
        """Nothing is shared."""

    async def ask(self, order: Order) -> None:
        """Make the pod; the node ends it when its time is over, whatever became of its manager."""
        pod: JsonObject = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": order.name,
                "labels": labels_of(self._settings.instance),
                "annotations": order.notes,
            },
            "spec": {**order.spec, "activeDeadlineSeconds": self._settings.lifetime_seconds},
        }
        await ask_once(self._api, self._api.place("pods"), pod)

    async def pod_of(self, name: str) -> str:
        """The same name."""
        return name

    async def find(self, name: str) -> JsonObject | None:
        """The pod."""
        return await self._api.find(self._api.place("pods", name))

    async def remove(self, name: str) -> None:
        """Delete the pod."""
        await remove_pod(self._api, name, self._settings.destroy_seconds)

    async def ids(self) -> list[str]:
        """Of every pod with this manager's labels."""
        return ids_in(await self._api.every(self._api.place("pods"), selector(self._settings.instance)))

    async def clear(self) -> None:
        """Nothing was prepared."""
