"""`python -m raptorflow.cli.first_steps`: what a start does besides server and worker, at the same time.

Makes the administrator once, connects this machine's command line, and prints a one-time sign-in URL. It
is a program of its own so that `raptorflow run` itself stays light, and all of them load side by side.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from raptorflow.accounts.service import AccountsService
from raptorflow.base.errors import RaptorFlowError
from raptorflow.cli.connection import Connection, write_connection
from raptorflow.core.db import Database
from raptorflow.core.programs import end_with
from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.core.valkey import open_valkey
from raptorflow.settings import Settings, load_settings

ADMIN_EMAIL = "admin@localhost"
ADMIN_NAME = "Administrator"
COMMAND_LINE = "command line of this machine"


@asynccontextmanager
async def open_accounts(settings: Settings) -> AsyncGenerator[AccountsService]:
    """The accounts room on connections of its own."""
    database, valkey = Database(settings.database_url(), pool_size=1), open_valkey(settings.valkey_url())
    try:
        accounts = AccountsService(database, valkey, settings.accounts)
        await accounts.open()
        yield accounts
    finally:
        await database.close()
        await valkey.aclose()


async def let_administrator_in(settings: Settings, url: str) -> str:
    """Make the administrator once, connect this machine's command line, and return a sign-in URL.

    The command line's token is made anew with every start, and replaces the last one.
    """
    async with open_accounts(settings) as accounts:
        admin = await accounts.ensure_user(ADMIN_EMAIL, ADMIN_NAME, admin=True)
        token = await accounts.local_token(admin, COMMAND_LINE)
        write_connection(Connection.model_validate({"url": url, "token": token}))
        return f"{url}/sign-in?token={await accounts.one_time_link(admin)}"


def main(url: str) -> None:
    """Do it for the server at `url`, with the settings of the environment."""
    configure_telemetry(TelemetrySettings(log_level="WARNING"), service="cli")
    try:
        print(asyncio.run(let_administrator_in(load_settings(), url)))
    except RaptorFlowError as error:
        end_with(error)


if __name__ == "__main__":
    main(sys.argv[1])
