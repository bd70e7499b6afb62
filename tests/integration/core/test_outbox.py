"""News: delivered once with its effect, whatever a subscriber or the database does."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.clock import utc_now
from raptorflow.base.ids import new_id
from raptorflow.core import outbox
from raptorflow.core.db import Database
from raptorflow.core.jobs import Job, enqueue
from raptorflow.core.outbox import Event, OutboxRelay, OutboxRow, emit
from raptorflow.stack.postgres import PostgresUrls

LIMIT_SECONDS = 30.0
LOOK_SECONDS = 0.02


@pytest.fixture
async def relay(database: Database, migrated_database: PostgresUrls) -> AsyncGenerator[OutboxRelay]:
    relay = OutboxRelay(database, migrated_database.app_url)
    yield relay
    await relay.stop()


@pytest.fixture
def news() -> str:
    """A name of the test's own."""
    return f"Happened-{new_id()}"


async def tell(database: Database, org_id: UUID, name: str, *numbers: int) -> None:
    async with database.session(org_id) as session:
        for number in numbers:
            await emit(session, org_id=org_id, name=name, payload={"n": number})


async def delivered(database: Database, name: str, count: int) -> None:
    waiting = select(OutboxRow).where(OutboxRow.name == name, OutboxRow.delivered_at.is_not(None))
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            async with database.system_session() as session:
                if len((await session.scalars(waiting)).all()) == count:
                    return
            await asyncio.sleep(LOOK_SECONDS)


async def test_an_event_tells_what_was_emitted_and_one_rolled_back_never_happened(
    database: Database, relay: OutboxRelay, news: str
) -> None:
    seen: list[Event] = []

    async def note(session: AsyncSession, event: Event) -> None:
        seen.append(event)

    relay.subscribe(news, note)
    await relay.start()
    org_id = new_id()
    async with database.session(org_id) as session:
        savepoint = await session.begin_nested()
        await emit(session, org_id=org_id, name=news, payload={"n": 0})
        await savepoint.rollback()
    await tell(database, org_id, news, 1)
    await delivered(database, news, 1)
    assert [(event.org_id, event.name, event.payload) for event in seen] == [(org_id, news, {"n": 1})]
    assert isinstance(seen[0].created_at, datetime)
    assert seen[0].created_at <= utc_now()


async def test_a_failing_subscriber_is_asked_again_holds_up_nobody_and_leaves_no_half_effect(
    database: Database, relay: OutboxRelay, news: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The retry has its own time, not that of the next look, which does not come in this test.
    monkeypatch.setattr(outbox, "POLL_SECONDS", 10 * LIMIT_SECONDS)
    seen: list[int] = []

    async def subscriber(session: AsyncSession, event: Event) -> None:
        number = int(event.payload["n"])
        seen.append(number)
        await enqueue(session, org_id=event.org_id, name=news, payload=event.payload)
        if number == 1 and 3 not in seen:
            raise AttributeError("An error that nobody thought of.")
        if number == 2 and seen.count(2) == 1:
            await session.execute(text("select * from no_such_table"))

    relay.subscribe(news, subscriber)
    await relay.start()
    await tell(database, new_id(), news, 1, 2, 3)
    await delivered(database, news, 3)
    assert seen.count(1) >= 2
    assert seen.count(2) == 2
    assert seen.count(3) == 1
    async with database.system_session() as session:
        effects = (await session.scalars(select(Job.payload).where(Job.name == news))).all()
    assert sorted(effect["n"] for effect in effects) == [1, 2, 3]


async def test_two_relays_deliver_each_event_once(
    database: Database, migrated_database: PostgresUrls, news: str
) -> None:
    relays = [OutboxRelay(database, migrated_database.app_url) for _ in range(2)]
    seen: list[tuple[int, int]] = []

    def subscriber_of(number: int) -> None:
        async def note(session: AsyncSession, event: Event) -> None:
            # Long enough for the other relay to look for work.
            await session.execute(text("select pg_sleep(0.02)"))
            seen.append((event.payload["n"], number))

        relays[number].subscribe(news, note)

    for number, relay in enumerate(relays):
        subscriber_of(number)
        await relay.start()
    await tell(database, new_id(), news, *range(20))
    await delivered(database, news, 20)
    for relay in relays:
        await relay.stop()
    assert sorted(n for n, _ in seen) == list(range(20))
    assert {relay for _, relay in seen} == {0, 1}


async def test_a_relay_stops_although_a_cancellation_was_swallowed(
    database: Database, migrated_database: PostgresUrls, news: str
) -> None:
    """As Python 3.11 does in the middle of a query: the loop goes on as if nobody had asked it to end."""
    relay = OutboxRelay(database, migrated_database.app_url)
    waiting = asyncio.Event()

    async def subscriber(session: AsyncSession, event: Event) -> None:
        waiting.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    relay.subscribe(news, subscriber)
    await relay.start()
    await tell(database, new_id(), news, 1)
    async with asyncio.timeout(LIMIT_SECONDS):
        await waiting.wait()
        await relay.stop()
