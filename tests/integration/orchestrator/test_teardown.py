"""What a test leaves open ends with it: one that failed must not hold up all that follow."""

import asyncio
from contextlib import suppress
from typing import Any

import httpx

LEFT: set[asyncio.Task[None]] = set()


async def test_a_stream_that_is_left_open_does_not_keep_the_server(house: Any) -> None:
    """What is proved is that the tear-down ends: nobody plays this run, so its stream stays open."""
    person = await house.person()
    run_id = await house.send(person, await house.session(person), "Count the words")
    connected = asyncio.Event()

    async def listen() -> None:
        with suppress(httpx.HTTPError):
            async with (
                house.http(person) as http,
                http.stream("GET", f"/api/v1/orchestrator/runs/{run_id}/events", timeout=None) as answer,
            ):
                connected.set()
                await answer.aread()

    LEFT.add(asyncio.create_task(listen()))
    async with asyncio.timeout(30):
        await connected.wait()


async def test_the_server_has_let_go_of_it() -> None:
    async with asyncio.timeout(30):
        await asyncio.gather(*LEFT)
