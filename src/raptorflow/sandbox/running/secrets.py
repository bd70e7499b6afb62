"""The operator's secrets, a file each. The gateway's vault takes their place when it is connected."""

import asyncio
import re
from pathlib import Path

from raptorflow.skills.capabilities import SECRET

TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
MOST_BYTES = 64 * 1024


class FolderSecrets:
    """The secrets of one organisation: `<folder>/<organisation id>/<NAME>`.

    Read anew for each request, so a new value holds at once and a removed file revokes.

    Args:
        folder: of all organisations; None holds none.
        tenant: whose.
    """

    def __init__(self, folder: Path | None, tenant: str) -> None:
        self._folder = folder / tenant if folder and TENANT.fullmatch(tenant) else None

    async def value(self, name: str) -> str | None:
        """The value, without a line's end; None when there is no such file."""
        if self._folder is None or not SECRET.fullmatch(name):
            return None
        return await asyncio.to_thread(_read, self._folder / name)


def _read(file: Path) -> str | None:
    try:
        content = file.read_bytes()
    except OSError:
        return None
    return content.decode(errors="replace").rstrip("\r\n") if len(content) <= MOST_BYTES else None
