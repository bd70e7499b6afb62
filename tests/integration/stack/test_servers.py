"""The embedded servers work, and keep what they were given."""

import psycopg

from raptorflow.core.db import Database
from raptorflow.core.valkey import open_valkey
from raptorflow.stack.postgres import PostgresUrls


def libpq(url: str) -> str:
    return url.replace("+psycopg", "")


async def test_the_owner_may_migrate_and_the_program_may_not_own(migrated_database: PostgresUrls) -> None:
    async with await psycopg.AsyncConnection.connect(libpq(migrated_database.owner_url)) as connection:
        rows = await (await connection.execute("select extname from pg_extension")).fetchall()
        assert {"vector", "pg_trgm"} <= {row[0] for row in rows}
    await Database(migrated_database.app_url).check()


async def test_valkey_keeps_an_append_only_file(valkey_url: str) -> None:
    client = open_valkey(valkey_url)
    assert await client.ping()
    await client.aclose()
