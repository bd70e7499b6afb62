"""Streams that break, lag and lie: whatever happens to a connection, no word is lost or doubled."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.core.valkey import open_valkey
from raptorflow.orchestrator.streams.channels import stream_of

Piece = str | dict[int, DeltaToolCall]
WORDS = [f"word{number} " for number in range(120)]
TEXT = "".join(WORDS)
BETWEEN_WORDS = 0.004
LONGEST_READ = 0.08
RECONNECTS = 40
CLOSED_SECONDS = 60.0
A_LOT, PIECES = "0123456789" * 1000, 2000
TRY_AGAIN_LATER = 1013
ENDS = {"RUN_FINISHED", "RUN_ERROR"}


class Reader:
    """A client that knows the rules of events.py and nothing else."""

    def __init__(self) -> None:
        self.last = 0
        self.texts: dict[str, str] = {}
        self.numbered: list[JsonObject] = []
        self.closed_texts: dict[str, str] = {}

    @property
    def ended(self) -> bool:
        return bool(self.numbered) and self.numbered[-1]["type"] in ENDS

    def apply(self, event: JsonObject) -> None:
        number = event.get("seq")
        if number is not None:
            if number <= self.last:
                return
            assert number == self.last + 1, f"number {number} after {self.last}"
            self.last = number
            self.numbered.append(event)
        message = event.get("messageId", "")
        if event["type"] == "TEXT_MESSAGE_START":
            self.texts[message] = ""
        elif event["type"] == "TEXT_MESSAGE_CONTENT":
            if event["offset"] == len(self.texts.get(message, "")):
                self.texts[message] = self.texts.get(message, "") + event["delta"]
        elif event["type"] == "TEXT_MESSAGE_END":
            self.closed_texts[message] = self.texts.get(message, "")
            self.texts[message] = event["content"]


def slow_writer() -> FunctionModel:
    async def write(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
        for word in WORDS:
            yield word
            await asyncio.sleep(BETWEEN_WORDS)

    return FunctionModel(stream_function=write, model_name="slow")


async def read_for(connection: ClientConnection, reader: Reader, seconds: float) -> None:
    """Apply what comes, for a while or until the run has ended."""
    try:
        async with asyncio.timeout(seconds):
            async for frame in connection:
                event = loads(frame)
                if "runId" in event:
                    reader.apply(event)
                if reader.ended:
                    return
    except TimeoutError:
        return


async def test_reconnect_storm(house: Any) -> None:
    await house.start_worker(slow_writer())
    person = await house.person()
    session_id = await house.session(person)
    run_id = await house.send(person, session_id, "Write")
    readers = [Reader() for _ in range(4)]

    async def storm(reader: Reader) -> None:
        for _ in range(RECONNECTS):
            query = f"?after={reader.last}&run_id={run_id}"
            async with house.socket(person, session_id, query) as connection:
                await read_for(connection, reader, random.uniform(0, LONGEST_READ))
            if reader.ended:
                return
        async with house.socket(person, session_id, f"?after={reader.last}") as connection:
            await read_for(connection, reader, 30.0)

    await asyncio.gather(*(storm(reader) for reader in readers))
    for reader in readers:
        assert [event["seq"] for event in reader.numbered] == list(range(1, reader.last + 1))
        assert list(reader.texts.values()) == [TEXT]
        assert reader.ended


async def test_deltas_alone_spell_the_text_for_clients_that_know_no_more(house: Any) -> None:
    await house.start_worker(slow_writer())
    person = await house.person()
    run_id = await house.send(person, await house.session(person), "Write")
    events = await house.ended(person, run_id)
    spelled = "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")
    assert spelled == TEXT
    assert sum(event["type"] == "TEXT_MESSAGE_CONTENT" for event in events) > 5
    late = await house.ended(person, run_id)
    assert "".join(event["delta"] for event in late if event["type"] == "TEXT_MESSAGE_CONTENT") == TEXT
    assert await house.ended(person, run_id, after=events[-1]["seq"] - 1) == events[-1:]


async def test_lost_live_events_are_made_up_for(house: Any, valkey_url: str) -> None:
    """Valkey forgets the stream again and again while the model writes."""
    await house.start_worker(slow_writer())
    person = await house.person()
    session_id = await house.session(person)
    valkey = open_valkey(valkey_url)
    reader = Reader()
    async with house.socket(person, session_id) as connection:
        run_id = await house.send(person, session_id, "Write")

        async def forget() -> None:
            while True:
                await valkey.delete(stream_of(run_id))
                await asyncio.sleep(BETWEEN_WORDS)

        forgetting = asyncio.create_task(forget())
        await read_for(connection, reader, 30.0)
        forgetting.cancel()
    await valkey.aclose()
    assert reader.ended
    assert list(reader.texts.values()) == [TEXT]
    assert list(reader.closed_texts.values()) == [TEXT]


async def test_every_window_of_a_session_sees_every_run(house: Any, make_house: Any) -> None:
    """Also windows at another server process."""
    other = await make_house()
    await house.start_worker(slow_writer())
    person = await house.person()
    session_id = await house.session(person)
    async with house.socket(person, session_id) as one, other.socket(person, session_id) as two:
        assert loads(await two.recv())["type"] == "MESSAGES_SNAPSHOT"
        await one.send(dumps({"type": "message", "text": "Write"}))
        readers = Reader(), Reader()
        await asyncio.gather(read_for(one, readers[0], 30.0), read_for(two, readers[1], 30.0))
    for reader in readers:
        assert list(reader.texts.values()) == [TEXT]


async def test_a_slow_client_is_dropped_and_resumes(make_house: Any) -> None:
    """A client that does not read is let go, with a code that says to come back; the run is not held up."""
    # Two frames: on a busy machine pieces travel together, and there are few frames altogether.
    house = await make_house(socket_queue=2, delta_seconds=0)
    await house.start_worker(FunctionModel(stream_function=many_words, model_name="many"))
    person = await house.person()
    session_id = await house.session(person)
    reader = Reader()
    async with house.socket(person, session_id) as connection:
        run_id = await house.send(person, session_id, "Write a lot")
        await house.until(person, run_id, "succeeded")
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(read_until_closed(connection, reader), CLOSED_SECONDS)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == TRY_AGAIN_LATER
    assert not reader.ended
    async with house.socket(person, session_id, f"?after={reader.last}") as connection:
        await read_for(connection, reader, 30.0)
    assert list(reader.texts.values()) == [A_LOT * PIECES]


async def read_until_closed(connection: ClientConnection, reader: Reader) -> None:
    while True:
        event = loads(await connection.recv())
        if "runId" in event:
            reader.apply(event)


async def many_words(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[Piece]:
    for _piece in range(PIECES):
        yield A_LOT
        await asyncio.sleep(0)
