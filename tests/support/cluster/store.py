"""What the fake API server keeps: objects by their place, a version that counts up, and the changes since."""

import asyncio
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from raptorflow.base.json import JsonObject

FIRST_VERSION = 100


@dataclass(frozen=True)
class Key:
    """Where an object is: the path of its resource, and its name."""

    path: str
    name: str

    @property
    def resource(self) -> str:
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Change:
    version: int
    kind: str
    key: Key
    thing: JsonObject


@dataclass
class Store:
    """Objects and their history; whoever waits is woken by each change."""

    things: dict[Key, JsonObject] = field(default_factory=dict[Key, JsonObject])
    history: list[Change] = field(default_factory=list[Change])
    forgotten: int = 0
    version: int = FIRST_VERSION
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, key: Key, thing: JsonObject) -> JsonObject:
        thing["metadata"] |= {
            "uid": str(uuid4()),
            "creationTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.things[key] = thing
        return self._changed("ADDED", key)

    def change(self, key: Key) -> JsonObject:
        """Tell that an object was changed in place."""
        return self._changed("MODIFIED", key)

    def remove(self, key: Key) -> None:
        if key in self.things:
            self._changed("DELETED", key)
            del self.things[key]

    def of(self, resource: str) -> list[JsonObject]:
        """Every object of a resource, whatever its group."""
        return [thing for key, thing in self.things.items() if key.resource == resource]

    def names(self, resource: str) -> set[str]:
        return {thing["metadata"]["name"] for thing in self.of(resource)}

    def since(self, version: int, path: str, name: str | None) -> Iterator[Change]:
        for change in self.history:
            if change.version > version and change.key.path == path and name in {None, change.key.name}:
                yield change

    def forget(self) -> None:
        """Lose the history, as a server does after some minutes."""
        self.forgotten = self.version
        self.history.clear()

    def _changed(self, kind: str, key: Key) -> JsonObject:
        self.version += 1
        thing = self.things[key]
        thing["metadata"]["resourceVersion"] = str(self.version)
        self.history.append(Change(self.version, kind, key, copy.deepcopy(thing)))
        self.woken.set()
        self.woken = asyncio.Event()
        return thing
