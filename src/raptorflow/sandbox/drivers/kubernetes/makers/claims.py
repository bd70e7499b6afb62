"""Claims of agent-sandbox: its controller keeps sandboxes ready, and hands one over or makes one."""

from raptorflow.base.json import JsonObject
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.drivers.kubernetes.api import NOT_FOUND, Api, ApiError
from raptorflow.sandbox.drivers.kubernetes.makers.ensuring import ensure, remove_others
from raptorflow.sandbox.drivers.kubernetes.makers.maker import Order, ask_once, ids_in
from raptorflow.sandbox.drivers.kubernetes.makers.removing import is_gone, remove_pod
from raptorflow.sandbox.drivers.kubernetes.objects import claims
from raptorflow.sandbox.drivers.kubernetes.objects.fields import annotations, part
from raptorflow.sandbox.drivers.kubernetes.objects.names import selector
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings
from raptorflow.sandbox.drivers.kubernetes.state import condition
from raptorflow.sandbox.drivers.kubernetes.watching import until
from raptorflow.sandbox.errors import SandboxStartFailed, SandboxUnavailable

log = logger(__name__)

EXPIRED = "ClaimExpired"


class Claims:
    """Each sandbox is a claim to a pool; template and pool share a name, which follows the pods' spec."""

    at_once = False

    def __init__(self, api: Api, settings: KubernetesSettings) -> None:
        self._api = api
        self._settings = settings
        self._prepared: set[str] = set()
        self._tidy = False

    async def prepare(self, spec: JsonObject) -> None:
        """Make the template and its pool; what a predecessor kept ready for other templates goes first."""
        template = claims.template(self._settings.instance, spec)
        name = template["metadata"]["name"]
        pool = claims.warm_pool(self._settings.instance, name, self._settings.warm)
        if not self._tidy:
            for resource in ("sandboxwarmpools", "sandboxtemplates"):
                await remove_others(self._api, self._place(resource), self._settings.instance, {name})
            self._tidy = True
        await ensure(self._api, self._place("sandboxtemplates"), template, "spec")
        self._prepared.add(name)
        await ensure(self._api, self._place("sandboxwarmpools"), pool)

    async def scale(self, spec: JsonObject, replicas: int) -> None:
        """Set how many sandboxes of this spec are kept ready, as an autoscaler would."""
        await self.prepare(spec)
        path = f"{self._place('sandboxwarmpools')}/{self._pool(spec)}/scale"
        await self._api.patch(path, {"spec": {"replicas": replicas}})

    async def ask(self, order: Order) -> None:
        """Make a claim."""
        pool = self._pool(order.spec)
        if pool not in self._prepared:
            await self.prepare(order.spec)
        claim = claims.claim(order.name, self._settings.instance, pool, order.notes, order.ends)
        await ask_once(self._api, self._place("sandboxclaims"), claim)

    async def pod_of(self, name: str) -> str:
        """The pod of the sandbox that the controller binds to the claim."""
        bound = await until(self._api, self._place("sandboxclaims"), name, _bound)
        return await self._pod_name(bound)

    async def find(self, name: str) -> JsonObject | None:
        """The claim."""
        return await self._api.find(f"{self._place('sandboxclaims')}/{name}")

    async def remove(self, name: str) -> None:
        """Delete the claim, and see that its pod goes too."""
        claim = await self.find(name)
        if claim is None:
            return
        bound: str | None = part(claim, "status", "sandbox").get("name")
        pod = await self._pod_name(bound) if bound else None
        await self._api.delete(f"{self._place('sandboxclaims')}/{name}", 0, "Foreground")
        gone = await is_gone(self._api, self._place("sandboxclaims"), name, self._settings.destroy_seconds)
        if pod:
            await remove_pod(self._api, pod, self._settings.destroy_seconds)
        if not gone and not await is_gone(
            self._api, self._place("sandboxclaims"), name, self._settings.destroy_seconds
        ):
            raise SandboxUnavailable(
                f"The claim {name} does not go.", hint="Look whether agent-sandbox's controller runs."
            )

    async def ids(self) -> list[str]:
        """Of every claim with this manager's labels, and of pods made while the cluster had no claims."""
        mine = selector(self._settings.instance)
        asked = await self._api.every(self._place("sandboxclaims"), mine)
        plain = await self._api.every(self._api.place("pods"), mine)
        return ids_in([*asked, *plain])

    async def clear(self) -> None:
        """Remove pools and templates."""
        for name in self._prepared:
            await self._api.delete(f"{self._place('sandboxwarmpools')}/{name}", 0)
            await self._api.delete(f"{self._place('sandboxtemplates')}/{name}", 0)
        self._prepared.clear()

    def _pool(self, spec: JsonObject) -> str:
        name: str = claims.template(self._settings.instance, spec)["metadata"]["name"]
        return name

    async def _pod_name(self, sandbox: str) -> str:
        """A warm sandbox's pod may have another name than the sandbox."""
        path = self._api.place("sandboxes", sandbox, f"{claims.CORE}/{claims.VERSION}")
        try:
            notes = annotations(await self._api.get(path))
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            return sandbox
        return notes.get(claims.POD_NAME) or sandbox

    def _place(self, resource: str) -> str:
        return self._api.place(resource, group=claims.API_VERSION)


def _bound(claim: JsonObject | None) -> str | None:
    """The sandbox's name, once there is one."""
    known = claim or {}
    if condition(known, "Ready").get("reason") == EXPIRED:
        raise SandboxStartFailed("The claim expired before a sandbox was bound to it.")
    return part(known, "status", "sandbox").get("name") or None
