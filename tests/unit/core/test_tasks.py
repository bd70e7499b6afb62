"""Background tasks end, also when a cancellation is swallowed on its way."""

import asyncio

from raptorflow.core.tasks import end_tasks

SOON = 0.01


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    swallowed = 0

    async def loop() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end_tasks([task], SOON)
    assert task.cancelled()
    assert swallowed == 2


async def test_what_a_task_raises_is_not_raised() -> None:
    async def breaks() -> None:
        raise ZeroDivisionError

    await end_tasks([asyncio.create_task(breaks())])
    await end_tasks([])
