"""Objects that sandboxes share: made when missing, never changed."""

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.api import CONFLICT, Api, ApiError
from raptorflow.sandbox.drivers.kubernetes.objects.names import labels_of, selector
from raptorflow.sandbox.drivers.kubernetes.objects.policy import deny_all, objection
from raptorflow.sandbox.drivers.kubernetes.objects.readback import changes
from raptorflow.sandbox.errors import SandboxUnavailable

POLICIES = "networking.k8s.io/v1"


async def ensure(api: Api, path: str, wanted: JsonObject, *compared: str) -> None:
    """Make an object unless it is there.

    Args:
        api: where.
        path: its resource's.
        wanted: the object.
        compared: fields that must be as wanted when it is there.

    Raises:
        SandboxUnavailable: it is there and is another.
    """
    kind, name = wanted["kind"], wanted["metadata"]["name"]
    found = await api.find(f"{path}/{name}")
    if found is None:
        found = await _made(api, path, wanted)
    for field in compared:
        if other := [*changes(wanted[field], found.get(field) or {}, field)]:
            raise SandboxUnavailable(
                f"The {kind} {name} was changed: {'; '.join(other)}.",
                hint=f"kubectl delete {kind.lower()} {name}",
            )


async def remove_others(api: Api, path: str, instance: str, kept: set[str]) -> None:
    """Remove an instance's objects of a kind but for these: a predecessor that was killed left them."""
    for thing in await api.every(path, selector(instance)):
        name = thing["metadata"]["name"]
        if name not in kept:
            await api.delete(f"{path}/{name}", 0)


async def ensure_cut_off(api: Api, instance: str) -> None:
    """Make the network policy unless it is there, and see that no other undoes it.

    Raises:
        SandboxUnavailable: sandboxes would not be cut off.
    """
    path = api.place("networkpolicies", group=POLICIES)
    if objection(await api.every(path), labels_of(instance)) is None:
        return
    policy = deny_all()
    if await api.find(f"{path}/{policy['metadata']['name']}") is None:
        await _made(api, path, policy)
    await check_cut_off(api, labels_of(instance))


async def check_cut_off(api: Api, labels: dict[str, str]) -> None:
    """See that pods with these labels are cut off from every network.

    Raises:
        SandboxUnavailable: they are not.
    """
    policies = await api.every(api.place("networkpolicies", group=POLICIES))
    if reason := objection(policies, labels):
        raise SandboxUnavailable(
            reason, hint="Let nothing but raptorflow-sandboxes select pods of the sandboxes' namespace."
        )


async def _made(api: Api, path: str, wanted: JsonObject) -> JsonObject:
    """The new object, or the one that somebody else made in this moment."""
    try:
        return await api.post(path, wanted)
    except ApiError as error:
        if error.status != CONFLICT:
            raise
        return await api.get(f"{path}/{wanted['metadata']['name']}")
