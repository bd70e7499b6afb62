"""Whether the cluster made the pod that was asked for.

An old API server drops a field it does not know, and an admission webhook may add a container. Both would
lower a sandbox in silence, so what exists is compared with what was asked before anything runs in it.
"""

from collections.abc import Iterator
from reprlib import Repr
from typing import Any, cast

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.objects.quantity import quantity

# The API server writes amounts in its own way: 1000m is 1.
AMOUNTS = {"cpu", "memory", "ephemeral-storage", "sizeLimit"}
# What may not be there at all unless we put it there.
NEVER = ("initContainers", "ephemeralContainers")
SHORT = Repr()
EMPTY: tuple[object, ...] = (None, "", [], {})
# Fields that mean false when they are missing. Most mean true: a token is mounted unless that is denied.
OFF_UNLESS_SAID = {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "privileged"}


def differences(asked: JsonObject, made: JsonObject) -> list[str]:
    """What a pod's spec has otherwise than asked, each with its place; empty when it is what it must be."""
    added = [f"{name} were added" for name in NEVER if made.get(name)]
    return [*_compare(asked, made, "spec"), *added]


def _compare(asked: Any, made: Any, place: str) -> Iterator[str]:
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
        yield from _compare(asked, made, place)


def _compare_items(asked: list[Any], made: list[Any], place: str) -> Iterator[str]:
    if len(made) != len(asked):
        yield f"{place} has {len(made)} entries instead of {len(asked)}"
        return
    for at, (wanted, found) in enumerate(zip(asked, made, strict=True)):
        yield from _compare(wanted, found, f"{place}[{at}]")
