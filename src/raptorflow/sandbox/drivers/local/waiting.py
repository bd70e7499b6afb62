"""Waiting for descriptors in whichever event loop runs."""

import asyncio


async def readable(descriptor: int) -> None:
    """Wait until reading would not block (for a pidfd: until the process has ended)."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(descriptor, tell)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
