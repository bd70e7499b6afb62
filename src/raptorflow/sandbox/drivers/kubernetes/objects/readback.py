"""Whether the cluster made the pod that was asked for.

An old API server drops a field it does not know, and an admission webhook may add a container, a capability
or a volume. Both would lower a sandbox in silence, so what exists is compared with what was asked before a
skill's program runs in it: nothing may be missing, changed or added but what a cluster fills in by itself.
"""

import re
from collections.abc import Iterator
from reprlib import Repr
from typing import Any, cast

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.objects.quantity import quantity

# The API server writes amounts in its own way: 1000m is 1.
AMOUNTS = {"cpu", "memory", "ephemeral-storage", "sizeLimit"}
SHORT = Repr()
EMPTY: tuple[object, ...] = (None, "", [], {})
# Fields that mean false when they are missing. Most mean true: a token is mounted unless that is denied.
OFF_UNLESS_SAID = {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "privileged"}
CONTAINER = "spec.containers[]"
# What a cluster fills in by itself: the API server, the admission plugins that are on by default (Priority,
# DefaultTolerationSeconds, RuntimeClass, ServiceAccount), and the scheduler. None of it gives a program
# anything: it says where a pod runs, before which others, and for how long.
# Sources: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ and
# https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
FILLED_IN = {
    "spec.nodeName",
    "spec.nodeSelector",
    "spec.tolerations",
    "spec.overhead",
    "spec.schedulerName",
    "spec.priority",
    "spec.priorityClassName",
    "spec.preemptionPolicy",
    # The service account's: what the node pulls the image with, which is named by digest.
    "spec.imagePullSecrets",
    # Ours, where a pod is asked for and no sandbox is claimed.
    "spec.activeDeadlineSeconds",
    # Only where the operator does without a user namespace; otherwise it is asked for.
    "spec.hostUsers",
}
# And what it fills in that could also be said otherwise.
DEFAULTS = {
    "spec.serviceAccount": "default",
    "spec.serviceAccountName": "default",
    f"{CONTAINER}.terminationMessagePath": "/dev/termination-log",
    f"{CONTAINER}.terminationMessagePolicy": "File",
    f"{CONTAINER}.securityContext.procMount": "Default",
}


def differences(asked: JsonObject, made: JsonObject) -> list[str]:
    """What a pod's spec has otherwise than asked, each with its place; empty when it is what it must be."""
    return [*changes(asked, made, "spec"), *_additions(asked, made, "spec")]


def changes(asked: Any, made: Any, place: str) -> Iterator[str]:
    """What of all that was asked for is missing or other than asked; what was added is not looked at."""
    if isinstance(asked, dict):
        wanted, found = cast(JsonObject, asked), cast(JsonObject, made if isinstance(made, dict) else {})
        for name, value in wanted.items():
            yield from _compare_field(name, value, found.get(name), f"{place}.{name}")
    elif isinstance(asked, list):
        yield from _compare_items(cast(list[Any], asked), cast(list[Any], made or []), place)
    elif asked != made and not (asked in EMPTY and made in EMPTY):
        yield f"{place} is {SHORT.repr(made)} instead of {SHORT.repr(asked)}"


def _compare_field(name: str, asked: Any, made: Any, place: str) -> Iterator[str]:
    if name in AMOUNTS and isinstance(made, str | int):
        if quantity(str(made)) != quantity(str(asked)):
            yield f"{place} is {made} instead of {asked}"
    elif not (name in OFF_UNLESS_SAID and asked is False and made is None):
        yield from changes(asked, made, place)


def _compare_items(asked: list[Any], made: list[Any], place: str) -> Iterator[str]:
    if len(made) != len(asked):
        yield f"{place} has {len(made)} entries instead of {len(asked)}"
        return
    for at, (wanted, found) in enumerate(zip(asked, made, strict=True)):
        yield from changes(wanted, found, f"{place}[{at}]")


def _additions(asked: Any, made: Any, place: str) -> Iterator[str]:
    """What nobody asked for, however deep it is; a list with more entries is a change already."""
    if isinstance(asked, dict) and isinstance(made, dict):
        wanted, found = cast(JsonObject, asked), cast(JsonObject, made)
        for name, value in found.items():
            inner = f"{place}.{name}"
            if name in wanted:
                yield from _additions(wanted[name], value, inner)
            elif value not in EMPTY and not _is_filled_in(inner, value):
                yield f"{inner} was added: {SHORT.repr(value)}"
    elif isinstance(asked, list) and isinstance(made, list):
        pairs = zip(cast(list[Any], asked), cast(list[Any], made), strict=False)
        for at, (wanted, found) in enumerate(pairs):
            yield from _additions(wanted, found, f"{place}[{at}]")


def _is_filled_in(place: str, value: object) -> bool:
    """Whether it is the cluster's own to say, and nothing that matters to a sandbox."""
    known = re.sub(r"\[\d+\]", "[]", place)
    return known in FILLED_IN or (known in DEFAULTS and DEFAULTS[known] == value)
