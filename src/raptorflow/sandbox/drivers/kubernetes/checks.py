"""What the cluster holds: asked of the API where it can tell, and of the operator where it cannot."""

import asyncio
from dataclasses import dataclass

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.api import Api
from raptorflow.sandbox.drivers.kubernetes.failures import ROLE
from raptorflow.sandbox.drivers.kubernetes.objects import claims
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.probing import Boundary, Guarantee

PREFIX = "RAPTORFLOW_SANDBOX__KUBERNETES__"
# User namespaces of pods are on by default from 1.33, and can be turned on from 1.30.
OLDEST = (1, 30)
ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
HANDLERS: dict[str, Boundary] = {
    "runsc": "user-space-kernel",
    "gvisor": "user-space-kernel",
    "kata": "virtual-machine",
    "firecracker": "virtual-machine",
}
# (group, resource, verbs): what the driver does, no more.
PODS = (
    ("", "pods", ("create", "get", "list", "watch", "delete")),
    ("", "pods/exec", ("create", "get")),
    ("", "configmaps", ("create", "get", "list", "delete")),
    ("networking.k8s.io", "networkpolicies", ("create", "get", "list")),
)
CLAIMS = (
    (claims.EXTENSIONS, "sandboxclaims", ("create", "get", "list", "watch", "delete")),
    (claims.EXTENSIONS, "sandboxtemplates", ("create", "get", "list", "delete")),
    (claims.EXTENSIONS, "sandboxwarmpools", ("create", "get", "list", "delete")),
    (claims.EXTENSIONS, "sandboxwarmpools/scale", ("patch",)),
    (claims.CORE, "sandboxes", ("get",)),
)


@dataclass(frozen=True)
class Objection:
    """Why the cluster, or the settings, will not do, and what mends it."""

    problem: str
    remedy: str

    def raised(self) -> SandboxUnavailable:
        """As an error."""
        return SandboxUnavailable(self.problem, hint=self.remedy)


def of_settings(settings: KubernetesSettings) -> Objection | None:
    """What the operator has not said yet."""
    if settings.image is None:
        return Objection("No image is set for sandboxes.", f"Set {PREFIX}IMAGE=NAME@sha256:DIGEST.")
    if settings.runtime_class is None and not settings.accept_shared_kernel:
        return Objection(
            "No RuntimeClass is set: sandboxes would share the node's kernel.",
            f"Set {PREFIX}RUNTIME_CLASS=gvisor, or accept that with {PREFIX}ACCEPT_SHARED_KERNEL=true.",
        )
    if not settings.network_policy_enforced:
        return Objection(
            "Nobody has said that the cluster enforces network policies; its API cannot tell.",
            f"Try it as docs/how-to/sandboxes-on-kubernetes.md says, then set "
            f"{PREFIX}NETWORK_POLICY_ENFORCED=true.",
        )
    return None


async def has_claims(api: Api, settings: KubernetesSettings) -> bool:
    """Whether sandboxes are claimed: the settings' word, and else whether the cluster serves the resources.

    Raises:
        SandboxUnavailable: claims are wanted and the cluster has none.
    """
    if settings.kind == "pods":
        return False
    served = await api.find(f"/apis/{claims.API_VERSION}") or {}
    names = {resource["name"] for resource in served.get("resources", [])}
    if names >= claims.NEEDED:
        return True
    if settings.kind == "agent-sandbox":
        raise SandboxUnavailable(
            f"The cluster does not serve {claims.API_VERSION}.",
            hint=f"Install agent-sandbox with its extensions, or set {PREFIX}KIND=pods.",
        )
    return False


async def of_cluster(api: Api, settings: KubernetesSettings, with_claims: bool) -> Objection | None:
    """What the cluster lacks: a version, permissions, the runtime class."""
    return (
        await _version(api)
        or await _permissions(api, settings, with_claims)
        or (await _runtime_class(api, settings))
    )


async def boundary(api: Api, settings: KubernetesSettings) -> Boundary:
    """What stands between a sandbox and its node's kernel, by the runtime class's handler."""
    if settings.boundary or settings.runtime_class is None:
        return settings.boundary or "shared-kernel"
    handler: str = (await _class(api, settings.runtime_class) or {}).get("handler", "")
    return _known(handler) or "shared-kernel"


def guarantees(settings: KubernetesSettings) -> dict[str, Guarantee]:
    """Who keeps what. All of it is the node's work; that a pod asks for it is read back when it is made."""
    pids = settings.pod_pids_limit
    return {
        "files": Guarantee("kernel", "a read-only root, and volumes in memory; the skill inside is a copy"),
        "network": Guarantee("supervised", "a network policy; that it is enforced is the operator's word"),
        "processes": Guarantee("kernel", "a pod of its own"),
        "privileges": Guarantee("kernel", _privileges(settings)),
        "syscalls": Guarantee("kernel", f"seccomp: {settings.seccomp_profile or 'the runtime default'}"),
        "disk": Guarantee("kernel", "file systems in memory, each of a fixed size"),
        "time": Guarantee("kernel", "a clock, at whose end the pod is removed; the cluster has a later one"),
        "output": Guarantee("kernel", "a channel, read up to the limit, then the pod is removed"),
        "memory": Guarantee("kernel", "the pod's control group, for programs and files together"),
        "cpu": Guarantee("kernel", "the pod's control group"),
        "pids": Guarantee("supervised", f"the kubelet's podPidsLimit of {pids}, the operator's word")
        if pids
        else Guarantee("missing", f"nothing; set podPidsLimit on the nodes and {PREFIX}POD_PIDS_LIMIT"),
    }


def _privileges(settings: KubernetesSettings) -> str:
    own = "a user namespace, " if settings.user_namespace else ""
    return f"{own}user 65532, no capabilities, no new privileges"


async def _version(api: Api) -> Objection | None:
    said = await api.get("/version")
    found = int(said["major"]), int(str(said["minor"]).rstrip("+"))
    if found >= OLDEST:
        return None
    wanted = ".".join(map(str, OLDEST))
    return Objection(
        f"The cluster runs Kubernetes {said['gitVersion']}.", f"Upgrade it to {wanted} or later."
    )


async def _permissions(api: Api, settings: KubernetesSettings, with_claims: bool) -> Objection | None:
    asked = [
        (group, resource, verb, settings.namespace)
        for group, resource, verbs in (*PODS, *(CLAIMS if with_claims else ()))
        for verb in verbs
    ]
    if settings.runtime_class and not settings.boundary:
        asked.append(("node.k8s.io", "runtimeclasses", "get", ""))
    allowed = await asyncio.gather(*(_allowed(api, *one) for one in asked))
    lacking = [
        f"{verb} {resource}" for (_, resource, verb, _), yes in zip(asked, allowed, strict=True) if not yes
    ]
    if not lacking:
        return None
    return Objection(f"The manager may not {', '.join(lacking)} in {settings.namespace}.", ROLE)


async def _allowed(api: Api, group: str, resource: str, verb: str, namespace: str) -> bool:
    name, _, below = resource.partition("/")
    wanted = {"group": group, "resource": name, "subresource": below, "verb": verb, "namespace": namespace}
    review: JsonObject = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in wanted.items() if value}},
    }
    return bool((await api.post(ACCESS, review))["status"]["allowed"])


async def _runtime_class(api: Api, settings: KubernetesSettings) -> Objection | None:
    name = settings.runtime_class
    if name is None or settings.boundary:
        return None
    found = await _class(api, name)
    if found is None:
        return Objection(
            f"The cluster has no RuntimeClass {name}.",
            "Install gVisor or Kata Containers on the nodes, and its RuntimeClass.",
        )
    if _known(found["handler"]) or settings.accept_shared_kernel:
        return None
    return Objection(
        f"What the handler {found['handler']} of the RuntimeClass {name} puts around a sandbox is not known.",
        f"Set {PREFIX}BOUNDARY=virtual-machine or user-space-kernel if it is one.",
    )


async def _class(api: Api, name: str) -> JsonObject | None:
    return await api.find(f"/apis/node.k8s.io/v1/runtimeclasses/{name}")


def _known(handler: str) -> Boundary | None:
    return next((kind for start, kind in HANDLERS.items() if handler.startswith(start)), None)
