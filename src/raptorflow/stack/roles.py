"""The roles, the database and the extensions that a fresh cluster gets."""

import hashlib
from collections.abc import Iterable
from typing import LiteralString

import psycopg
from psycopg import sql

from raptorflow.stack.cluster import PORT, SUPERUSER
from raptorflow.stack.errors import EmbeddedPartFailed, SecretsLost
from raptorflow.stack.places import Place
from raptorflow.stack.secrets import FILE_NAME, StackSecrets
from raptorflow.stack.stamps import ENDING, has_stamp, put_stamp

OWNER = "raptorflow_owner"
APP = "raptorflow_app"
DATABASE = "raptorflow"
EXTENSIONS = ("vector", "pg_trgm")
ROLES_STAMP = "roles"
MAKE_ROLE = sql.SQL(
    "do $$ begin if not exists (select from pg_roles where rolname = {}) then create role {}; end if; end $$"
)
SET_PASSWORD = sql.SQL("alter role {} login nosuperuser nobypassrls nocreaterole nocreatedb password {}")


def refuse_other_passwords(place: Place, passwords: StackSecrets) -> None:
    """Fail before the start when the passwords are not those that the database was made with.

    Raises:
        SecretsLost: they are not.
    """
    done = place.servers / f"{ROLES_STAMP}{ENDING}"
    if done.exists() and not has_stamp(place.servers, ROLES_STAMP, _fingerprint(passwords)):
        raise SecretsLost(
            f"{place.data / FILE_NAME} is not the one that the database of this folder was made with.",
            hint="Put the file back from a backup, or start with an empty folder: `--data DIR`.",
        )


def _fingerprint(passwords: StackSecrets) -> str:
    # The password is 256 random bits: its plain digest gives nothing away.
    return hashlib.sha256(passwords.superuser.encode()).hexdigest()


async def prepare_database(place: Place, passwords: StackSecrets) -> None:
    """Make the roles, the database and the extensions, once; a start that was cut short goes on here."""
    if has_stamp(place.servers, ROLES_STAMP, _fingerprint(passwords)):
        return
    try:
        async with await _connect(place, "postgres", passwords) as connection:
            await _execute(connection, _role_statements(passwords))
            row = await (
                await connection.execute("select 1 from pg_database where datname = %s", [DATABASE])
            ).fetchone()
            if row is None:
                await _execute(connection, [_statement("create database {} owner {}", DATABASE, OWNER)])
        async with await _connect(place, DATABASE, passwords) as connection:
            await _execute(connection, map(_extension, EXTENSIONS))
            await _execute(connection, [_statement("revoke connect on database {} from public", DATABASE)])
            await _execute(connection, [_statement("grant connect on database {} to {}", DATABASE, APP)])
    except psycopg.Error as error:
        raise EmbeddedPartFailed(f"The database could not be prepared: {error}") from error
    put_stamp(place.servers, ROLES_STAMP, _fingerprint(passwords))


def _role_statements(passwords: StackSecrets) -> list[sql.Composed]:
    statements: list[sql.Composed] = []
    for role, secret in ((OWNER, passwords.owner), (APP, passwords.app)):
        statements.append(MAKE_ROLE.format(sql.Literal(role), sql.Identifier(role)))
        statements.append(SET_PASSWORD.format(sql.Identifier(role), sql.Literal(secret)))
    # The owner may act as the program's role: migrations grant to it and tests step down to it.
    statements.append(_statement("grant {} to {}", APP, OWNER))
    return statements


def _extension(name: str) -> sql.Composed:
    return _statement("create extension if not exists {}", name)


def _statement(template: LiteralString, *names: str) -> sql.Composed:
    return sql.SQL(template).format(*(sql.Identifier(name) for name in names))


async def _execute(connection: psycopg.AsyncConnection, statements: Iterable[sql.Composed]) -> None:
    for statement in statements:
        await connection.execute(statement)


async def _connect(place: Place, database: str, passwords: StackSecrets) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(
        host=str(place.sockets),
        port=PORT,
        dbname=database,
        user=SUPERUSER,
        password=passwords.superuser,
        autocommit=True,
    )
