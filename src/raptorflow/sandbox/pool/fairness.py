"""Whose turn it is: the tenant that has least for its weight. Pure; the clock and the waiting are elsewhere.

Places go to the waiting tenant with the fewest running for its weight (max-min fairness). Between equals
goes the one that was served least, by start-time fair queueing: each place costs a tenant 1 / weight of
virtual time, and a tenant that comes back starts at the present, so that idleness saves nothing up, or
where its last place ended, so that it frees nobody of what was had. When nobody wants anything all are even.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
MOST_AHEAD = 1024


@dataclass
class _Tenant(Generic[Item]):
    weight: float
    served: float
    running: int = 0
    waiting: deque[Item] = field(default_factory=deque[Item])


class FairLine(Generic[Item]):
    """Who waits and who runs.

    Args:
        places: how many run at once.
        tenant_places: how many of one tenant run at once.
        weight_of: a tenant's weight, above 0.
    """

    def __init__(self, places: int, tenant_places: int, weight_of: Callable[[str], float]) -> None:
        self._places = places
        self._tenant_places = tenant_places
        self._weight_of = weight_of
        self._tenants: dict[str, _Tenant[Item]] = {}
        self._now = 0.0
        # Of tenants that want nothing: up to where they were served, where that is after now.
        self._ahead: dict[str, float] = {}
        self.running = 0
        self.waiting = 0

    def waiting_of(self, tenant: str) -> int:
        """How many of a tenant wait."""
        return len(self._tenants[tenant].waiting) if tenant in self._tenants else 0

    def join(self, tenant: str, item: Item) -> None:
        """Stand in line."""
        if tenant not in self._tenants:
            self._tenants[tenant] = _Tenant(self._weight_of(tenant), self._start(tenant))
        self._tenants[tenant].waiting.append(item)
        self.waiting += 1

    def quit(self, tenant: str, item: Item) -> None:
        """Leave the line without having had a turn."""
        self._tenants[tenant].waiting.remove(item)
        self.waiting -= 1
        self._forget_idle(tenant)

    def next(self) -> Item | None:
        """Give the next place; None when none is free, or nobody waits who may have one."""
        if self.running >= self._places:
            return None
        entitled = [
            each for each in self._tenants.values() if each.waiting and each.running < self._tenant_places
        ]
        if not entitled:
            return None
        chosen = min(entitled, key=lambda each: (each.running / each.weight, each.served))
        self._now = max(self._now, chosen.served)
        chosen.served += 1 / chosen.weight
        chosen.running += 1
        self.running += 1
        self.waiting -= 1
        return chosen.waiting.popleft()

    def done(self, tenant: str) -> None:
        """A tenant gives a place back."""
        self._tenants[tenant].running -= 1
        self.running -= 1
        self._forget_idle(tenant)

    def all_waiting(self) -> list[Item]:
        """Everybody in line."""
        return [item for each in self._tenants.values() for item in each.waiting]

    @property
    def kept(self) -> int:
        """Tenants of which something is known."""
        return len(self._tenants) + len(self._ahead)

    def _start(self, tenant: str) -> float:
        return max(self._now, self._ahead.pop(tenant, self._now))

    def _forget_idle(self, tenant: str) -> None:
        """Tenants are as many as there are organisations; of those who want nothing only a number is kept."""
        idle = self._tenants[tenant]
        if idle.running or idle.waiting:
            return
        del self._tenants[tenant]
        self._ahead[tenant] = idle.served
        if not self._tenants:
            self._now = max(self._now, *self._ahead.values())
            self._ahead.clear()
        elif len(self._ahead) > MOST_AHEAD:
            self._forget_most()

    def _forget_most(self) -> None:
        """Those that are least ahead lose least by it; half of them, so that it is seldom done."""
        still = sorted((served, name) for name, served in self._ahead.items() if served > self._now)
        self._ahead = {name: served for served, name in still[-(MOST_AHEAD // 2) :]}
