"""Ending background tasks for certain."""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

AGAIN_SECONDS = 2.0
T = TypeVar("T")


async def end_tasks(tasks: Collection[asyncio.Task[Any]], again_seconds: float = AGAIN_SECONDS) -> None:
    """Cancel tasks and wait until they have ended.

    A cancellation may be swallowed on its way: before Python 3.12 `asyncio.wait_for`, which psycopg waits
    with, drops one that arrives together with its result (https://github.com/python/cpython/issues/81839).
    A loop would then go on for ever; so a task that goes on is cancelled again.

    Args:
        tasks: what is to end; what they raise is not looked at.
        again_seconds: how long a task may take to clean up.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again_seconds)
    await asyncio.gather(*tasks, return_exceptions=True)


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Do it, however often whoever waits for it is cancelled; that is told at the end.

    Returns:
        What it returns.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:
            # Of the work itself; told below.
            break
    if cancelled:
        if not task.cancelled():
            # Whoever was cancelled hears of that alone.
            task.exception()
        raise cancelled
    return task.result()
