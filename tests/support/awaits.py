"""Giving up exactly there: a coroutine that is cancelled at one of its awaits."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


class CancelledAt:
    """Awaits a coroutine, and cancels the task that does so when it waits for the so-manieth time.

    Args:
        work: the coroutine.
        at: the awaits at which, counted from 1; those after the first may be within its clean-up.

    Attributes:
        awaits: how often it has waited.
    """

    def __init__(self, work: Coroutine[Any, Any, Any], *at: int) -> None:
        self._work = work
        self._at = at
        self.awaits = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        error: BaseException | None = None
        while True:
            try:
                waited = self._work.throw(error) if error else self._work.send(None)
            except StopIteration as end:
                return end.value
            self.awaits += 1
            task = asyncio.current_task()
            if task and self.awaits in self._at:
                task.cancel()
            error = None
            try:
                yield waited
            except BaseException as thrown:
                error = thrown
