"""Skills of another RaptorFlow, with all that they build on."""

import asyncio
import os
from collections.abc import Sequence

from pydantic import SecretStr

from raptorflow.cli.connection import Connection, NoServerKnown, read_connection
from raptorflow.cli.skill.export import fetch
from raptorflow.cli.skill.sources.errors import SourceUnreachable, TokenMissing
from raptorflow.cli.skill.sources.exports import keep_exported
from raptorflow.cli.skill.sources.site import site_of
from raptorflow.cli.skill.supply import supply
from raptorflow.skills.sources.basket import Basket

VARIABLE = "RAPTORFLOW_SOURCE_TOKEN"
LIMIT_SECONDS = 900.0


def gather_server(url: str, wishes: Sequence[str], basket: Basket) -> None:
    """The skills that were wished for (`namespace/name`, `namespace/name@^1.2`) and what they build on.

    Raises:
        TokenMissing: nothing says who asks.
        AnswerUnreadable: it is no RaptorFlow.
        SourceUnreachable: it takes too long.
        DependenciesUnsolvable: nothing fits.
    """
    site = site_of(url)
    connection = Connection(url=site, token=_token(site))

    async def fetched() -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            for skill in await fetch(supply(connection, ()), wishes):
                keep_exported(skill, site, basket)

    try:
        asyncio.run(fetched())
    except TimeoutError as error:
        raise SourceUnreachable(f"{site} took over {LIMIT_SECONDS:g} s.") from error


def _token(site: str) -> SecretStr:
    """The token for this server: that of another one is never sent to it."""
    if given := os.environ.get(VARIABLE):
        return SecretStr(given)
    try:
        known = read_connection()
    except NoServerKnown:
        known = None
    if known is None or known.url != site:
        raise TokenMissing(f"Nothing says who asks {site}.")
    return known.token
