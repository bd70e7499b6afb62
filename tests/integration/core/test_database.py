"""Row-level security: what one organisation writes, no other one sees or changes, whoever asks."""

from collections.abc import AsyncGenerator
from uuid import UUID

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.errors import DatabaseUnavailable
from raptorflow.core.jobs import Job, enqueue
from raptorflow.stack.postgres import PostgresUrls

REFUSED = "row-level security"


@pytest.fixture
async def single(migrated_database: PostgresUrls) -> AsyncGenerator[Database]:
    """A pool of one connection: what one transaction leaves behind, the next one would have."""
    single = Database(migrated_database.app_url, pool_size=1)
    yield single
    await single.close()


@pytest.fixture
async def theirs(database: Database) -> tuple[UUID, UUID]:
    """A row of another organisation: whose, and its id."""
    org_id = new_id()
    async with database.session(org_id) as session:
        return org_id, await enqueue(session, org_id=org_id, name="test.theirs", payload={})


async def visible(session: AsyncSession, job_id: UUID) -> bool:
    return await session.scalar(select(func.count()).where(Job.id == job_id)) == 1


async def test_another_organisations_rows_are_neither_seen_nor_changed(
    database: Database, theirs: tuple[UUID, UUID]
) -> None:
    _, job_id = theirs
    async with database.session(new_id()) as session:
        assert not await visible(session, job_id)
        changed = await session.execute(update(Job).where(Job.id == job_id).values(name="mine").returning(1))
        removed = await session.execute(delete(Job).where(Job.id == job_id).returning(1))
        assert (changed.all(), removed.all()) == ([], [])
    async with database.session(theirs[0]) as session:
        assert await visible(session, job_id)


async def test_a_row_cannot_be_written_for_another_organisation(
    database: Database, theirs: tuple[UUID, UUID]
) -> None:
    mine = new_id()
    values: JsonObject = {"id": new_id(), "org_id": theirs[0], "name": "test.forged", "payload": {}}
    with pytest.raises(ProgrammingError, match=REFUSED):
        async with database.session(mine) as session:
            await session.execute(insert(Job).values(values))
    async with database.session(mine) as session:
        own = await enqueue(session, org_id=mine, name="test.mine", payload={})
    with pytest.raises(ProgrammingError, match=REFUSED):
        async with database.session(mine) as session:
            await session.execute(update(Job).where(Job.id == own).values(org_id=theirs[0]))


async def test_without_an_organisation_nothing_is_seen_and_nothing_can_be_written(
    database: Database, theirs: tuple[UUID, UUID]
) -> None:
    values: JsonObject = {"id": new_id(), "org_id": theirs[0], "name": "test.nobody", "payload": {}}
    async with AsyncSession(database.engine) as session:
        assert await session.scalar(select(func.count()).select_from(Job)) == 0
        with pytest.raises(ProgrammingError, match=REFUSED):
            await session.execute(insert(Job).values(values))


async def test_the_tables_owner_is_held_too(
    migrated_database: PostgresUrls, theirs: tuple[UUID, UUID]
) -> None:
    owner = create_async_engine(migrated_database.owner_url)
    async with AsyncSession(owner) as session:
        assert await session.scalar(text("select current_user")) == "raptorflow_owner"
        assert await session.scalar(select(func.count()).select_from(Job)) == 0
        removed = await session.execute(delete(Job).where(Job.id == theirs[1]).returning(1))
        assert removed.all() == []
    await owner.dispose()


async def test_what_a_transaction_may_see_ends_with_it(single: Database, theirs: tuple[UUID, UUID]) -> None:
    org_id, job_id = theirs
    async with single.system_session() as session:
        assert await visible(session, job_id)
    async with single.session(org_id) as session:
        assert await visible(session, job_id)
    async with AsyncSession(single.engine) as session:
        assert not await visible(session, job_id)
    async with single.session(new_id()) as session:
        assert not await visible(session, job_id)


async def test_a_session_commits_on_leaving_and_rolls_back_on_an_error(single: Database) -> None:
    org_id, job_id = new_id(), new_id()

    async def add_and_fail() -> None:
        async with single.session(org_id) as session:
            await enqueue(session, org_id=org_id, name="test.failed", payload={}, job_id=job_id)
            raise LookupError

    with pytest.raises(LookupError):
        await add_and_fail()
    async with single.session(org_id) as session:
        assert not await visible(session, job_id)
        await enqueue(session, org_id=org_id, name="test.kept", payload={}, job_id=job_id)
    async with single.session(org_id) as session:
        assert await visible(session, job_id)


async def test_every_table_with_an_organisation_is_protected(database: Database) -> None:
    tenants = text(
        "select c.relname, c.relrowsecurity and c.relforcerowsecurity, count(p.polname) "
        "from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid "
        "left join pg_catalog.pg_policy p on p.polrelid = c.oid "
        "where a.attname = 'org_id' and not a.attisdropped and c.relkind in ('r', 'p') "
        "and c.relnamespace = 'public'::regnamespace group by c.oid, 1, 2"
    )
    async with database.system_session() as session:
        tables = (await session.execute(tenants)).all()
    assert {"jobs", "outbox"} <= {name for name, _, _ in tables}
    assert [name for name, forced, policies in tables if not forced or policies == 0] == []


@pytest.mark.parametrize(
    "statement",
    [
        "create table public.mine (id int)",
        "alter table jobs disable row level security",
        "drop policy tenant on jobs",
        "create table dbos.mine (id int)",
        "set role raptorflow_owner",
    ],
)
async def test_the_programs_role_cannot_undo_it(database: Database, statement: str) -> None:
    async with AsyncSession(database.engine) as session:
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            await session.execute(text(statement))


async def test_a_database_that_is_away_is_named_as_such(tmp_path_factory: pytest.TempPathFactory) -> None:
    nowhere = Database(f"postgresql+psycopg://nobody@/nothing?host={tmp_path_factory.getbasetemp()}")
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        await nowhere.check()
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        async with nowhere.session(new_id()):
            pytest.fail("There is no database.")
    await nowhere.close()


async def test_a_database_that_answers_and_holds_its_role_passes_the_check(database: Database) -> None:
    await database.check()
