"""Where the server is, and as whom to call it."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from raptorflow_sdk.errors import ConnectionUnknown


@dataclass(frozen=True)
class Connection:
    """A server's URL and a personal access token for it."""

    url: str
    token: str = field(repr=False)


def find_connection(url: str | None = None, token: str | None = None) -> Connection:
    """What is given, then RAPTORFLOW_URL and RAPTORFLOW_TOKEN, then what `raptorflow run` left for its user.

    Raises:
        ConnectionUnknown: none of them names a server and a token.
    """
    url = url or os.environ.get("RAPTORFLOW_URL")
    token = token or os.environ.get("RAPTORFLOW_TOKEN")
    if not (url and token):
        kept = _kept()
        # The token that was left is for the server that left it, and is sent to no other.
        token = token or (kept.get("token") if url in {None, kept.get("url")} else None)
        url = url or kept.get("url")
    if not (url and token):
        raise ConnectionUnknown(
            "No RaptorFlow server is known.", "Start one with `raptorflow run`, or give a URL and a token."
        )
    return Connection(url.rstrip("/"), token)


def _kept() -> dict[str, Any]:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    try:
        found: Any = json.loads((Path(base) / "raptorflow" / "connection.json").read_text())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
