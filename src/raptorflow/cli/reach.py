"""Whether the parts that the settings name can be reached, found by connecting to them."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from pydantic import SecretStr

from raptorflow.base.errors import RaptorFlowError
from raptorflow.cli.machine import Check
from raptorflow.core.db import Database
from raptorflow.core.valkey import check_valkey, open_valkey
from raptorflow.orchestrator.language_models.factory import build_model
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.settings import Settings

ANSWER_SECONDS = 5.0
EMBEDDED = {"Database": "PostgreSQL", "Valkey": "Valkey"}

Reach = Callable[[str], Awaitable[None]]
"""Connects to a URL, or raises."""


async def reach_parts(settings: Settings) -> list[Check]:
    """Database and Valkey: embedded, or where they are and whether they answer there."""
    return list(
        await asyncio.gather(
            _part("Database", settings.database.url, _reach_database),
            _part("Valkey", settings.valkey.url, _reach_valkey),
        )
    )


def model_check(settings: OrchestratorSettings) -> Check:
    """Whether the model's name and key are usable; nobody is asked for an answer, which would cost."""
    try:
        build_model(settings)
    except RaptorFlowError as error:
        return Check("Language model", "missing", error.message, error.hint)
    return Check("Language model", "ok", settings.model)


async def _part(name: str, url: SecretStr | None, reach: Reach) -> Check:
    title = f"{name} in use"
    if url is None:
        return Check(title, "ok", f"embedded: {EMBEDDED[name]} from its wheel")
    shown = shown_url(url.get_secret_value())
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await reach(url.get_secret_value())
    except TimeoutError:
        remedy = f"Is the address right? RAPTORFLOW_{name.upper()}__URL"
        return Check(title, "missing", f"{shown}: no answer within {ANSWER_SECONDS:.0f} s", remedy)
    except RaptorFlowError as error:
        return Check(title, "missing", f"{shown}: {error.message}", _remedy(name, error))
    return Check(title, "ok", shown)


def _remedy(name: str, error: RaptorFlowError) -> str:
    """What the error says, but for the advice to run what is running."""
    variable = f"Start it, or correct RAPTORFLOW_{name.upper()}__URL."
    return variable if not error.hint or "raptorflow doctor" in error.hint else error.hint


async def _reach_database(url: str) -> None:
    database = Database(url, pool_size=1)
    try:
        await database.check()
    finally:
        await database.close()


async def _reach_valkey(url: str) -> None:
    valkey = open_valkey(url)
    try:
        await check_valkey(valkey)
    finally:
        await valkey.aclose()


def shown_url(url: str) -> str:
    """An address without its user and password."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}" if parts.scheme else "the URL"
    except ValueError:
        return "the URL"
