"""Containers that nobody would remove any more.

A killed manager's agents end with their channels, and then the engine removes their containers. But nothing
ends a container that was never started, or that is paused; nor one that the engine made after all, when its
answer was no longer waited for.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

from raptorflow.sandbox.born import born
from raptorflow.sandbox.drivers.docker.request import LABEL, MANAGER

CREATED, ENDED = "created", {"exited", "dead"}
# How long a container may still come that was asked for without an answer.
LATE_SECONDS = 600.0
NAMESPACE = "/proc/self/ns/pid"
# Of a manager's name, the words that say where its number counts.
PLACE = slice(2, None)


class Leftovers:
    """Tells them from those that somebody uses.

    Args:
        start_seconds: how long a manager may take to start what it has made.

    Attributes:
        manager: this process, as the label of what it makes.
    """

    def __init__(self, start_seconds: float) -> None:
        self.manager = _named(os.getpid())
        self._start_seconds = start_seconds
        self._looked = False
        self._doubted: dict[str, float] = {}

    @property
    def expected(self) -> bool:
        """Whether there may be some: before the first look, and while one of our own is in doubt."""
        return not self._looked or self.doubted

    @property
    def doubted(self) -> bool:
        """Whether one of our own is in doubt."""
        now = time.monotonic()
        self._doubted = {sandbox_id: until for sandbox_id, until in self._doubted.items() if until > now}
        return bool(self._doubted)

    def doubt(self, sandbox_id: str) -> None:
        """One of our own that must go may be there, or may yet come."""
        self._doubted[sandbox_id] = time.monotonic() + LATE_SECONDS

    def settle(self, sandbox_id: str) -> None:
        """What this one's container is, is known."""
        self._doubted.pop(sandbox_id, None)

    def among(self, containers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those to be removed, of all that the engine has with our label."""
        self._looked = True
        return [one for one in containers if one["Labels"][LABEL] in self._doubted or self._is_left(one)]

    def _is_left(self, container: Mapping[str, Any]) -> bool:
        """Whether its manager is dead; where that cannot be known, whether it runs and may yet run."""
        manager: str = container["Labels"].get(MANAGER, "")
        if manager.split(" ")[PLACE] == self.manager.split(" ")[PLACE]:
            number = manager.split(" ")[0]
            return not number.isdecimal() or _named(int(number)) != manager
        if container["State"] == CREATED:
            return time.time() - container["Created"] > self._start_seconds
        return container["State"] in ENDED


def _named(pid: int) -> str:
    """A process for good. An engine may serve other machines and namespaces, each with numbers of its own."""
    return " ".join([*born(pid), os.readlink(NAMESPACE)])
