"""Reading what an API server sent: any field may be missing, and null means missing."""

from raptorflow.base.json import JsonObject


def part(thing: JsonObject, *names: str) -> JsonObject:
    """The object at the end of a path of fields; empty when it is not there."""
    for name in names:
        thing = thing.get(name) or {}
    return thing


def entries(thing: JsonObject, name: str) -> list[JsonObject]:
    """A list of objects; empty when it is not there."""
    found: list[JsonObject] = thing.get(name) or []
    return found


def annotations(thing: JsonObject) -> dict[str, str]:
    """Of any object."""
    return part(thing, "metadata", "annotations")


def labels(thing: JsonObject) -> dict[str, str]:
    """Of any object."""
    return part(thing, "metadata", "labels")
