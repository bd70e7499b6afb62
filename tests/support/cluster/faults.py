"""Faults that a test orders: which requests, how often, and what goes wrong."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["status", "cut", "cut-after", "slow", "gone-event"]


@dataclass
class Fault:
    """One thing that goes wrong.

    Attributes:
        method: of the requests that are hit; `WATCH` and `EXEC` are methods of their own.
        path: what their path contains.
        kind: `status` answers it; `cut` closes the connection before anything is done; `cut-after` does what
            is asked and then closes it; `slow` answers after some seconds; `gone-event` ends a watch.
        status: for `status`.
        message: for `status`.
        retry_after: seconds for the header, or None.
        seconds: for `slow`.
        times: how many requests are hit.
    """

    method: str
    path: str
    kind: Kind = "status"
    status: int = 500
    message: str = "made to fail"
    retry_after: int | None = None
    seconds: float = 0.0
    times: int = 1
    hits: int = 0


@dataclass
class Faults:
    """The faults of a test; whoever waits is woken by each that happens."""

    ordered: list[Fault] = field(default_factory=list[Fault])
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, fault: Fault) -> Fault:
        self.ordered.append(fault)
        return fault

    def hit(self, method: str, path: str) -> Fault | None:
        for fault in self.ordered:
            if fault.method == method and fault.path in path and fault.hits < fault.times:
                fault.hits += 1
                self.happened.set()
                self.happened = asyncio.Event()
                return fault
        return None
