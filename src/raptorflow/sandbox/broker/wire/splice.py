"""Two streams made one, unread."""

import asyncio

from raptorflow.core.tasks import end_tasks
from raptorflow.sandbox.broker.ports import Stream


async def splice(one: Stream, other: Stream) -> None:
    """Pass bytes both ways until both directions have ended; each ends alone.

    Raises:
        ConnectionError: one side broke.
    """
    ways = [asyncio.create_task(pump(one, other)), asyncio.create_task(pump(other, one))]
    try:
        await asyncio.gather(*ways)
    finally:
        await end_tasks(ways)


async def pump(source: Stream, sink: Stream) -> None:
    """Pass bytes one way until it ends."""
    while data := await source.read():
        await sink.write(data)
    await sink.end()
