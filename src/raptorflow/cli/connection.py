"""Which server the command line talks to, and as whom."""

import os
from pathlib import Path

from pydantic import BaseModel, SecretStr, ValidationError

from raptorflow.base.errors import PartUnavailable
from raptorflow.base.json import dumps

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


class NoServerKnown(PartUnavailable):
    """Nobody said where the server is."""

    code = "no-server-known"
    default_hint = (
        "Start one with `make run` (or `raptorflow run`), or set RAPTORFLOW_URL and RAPTORFLOW_TOKEN; "
        "`raptorflow demo` needs no server."
    )


class Connection(BaseModel):
    """A server's URL and a personal access token for it."""

    url: str
    token: SecretStr


def user_folder() -> Path:
    """Where the command line keeps what is its user's: below `$XDG_CONFIG_HOME`."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "raptorflow"


def connection_file() -> Path:
    """Where `raptorflow run` leaves the connection for its user."""
    return user_folder() / "connection.json"


def read_connection(url: str | None = None, token: str | None = None) -> Connection:
    """The connection to use: arguments first, then the environment, then what `run` left.

    Raises:
        NoServerKnown: none of them names a server and a token.
    """
    url = (url or os.environ.get("RAPTORFLOW_URL") or "").rstrip("/")
    token = token or os.environ.get("RAPTORFLOW_TOKEN")
    if url and token:
        return Connection(url=url, token=SecretStr(token))
    try:
        kept = Connection.model_validate_json(connection_file().read_text())
    except (OSError, ValidationError) as error:
        raise NoServerKnown("No RaptorFlow server is known on this machine.") from error
    place = kept.url.rstrip("/")
    # The token that was kept is for the server that it was kept with, and sent to no other.
    if url not in ("", place):
        raise NoServerKnown(f"No token for {url} is known.", hint="Set RAPTORFLOW_TOKEN.")
    return Connection(url=place, token=SecretStr(token) if token else kept.token)


def write_connection(connection: Connection) -> Path:
    """Leave the connection, readable by this user alone, and return where."""
    path = connection_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "w") as file:
        file.write(dumps({"url": connection.url, "token": connection.token.get_secret_value()}))
    fresh.replace(path)
    return path
