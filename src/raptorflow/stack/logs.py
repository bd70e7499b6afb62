"""Keeps the logs of programs that write to one open file from growing without end."""

import asyncio
import shutil
from pathlib import Path

LIMIT_BYTES = 10 * 1024 * 1024
CHECK_SECONDS = 60.0


def trim_logs(folder: Path, limit_bytes: int = LIMIT_BYTES) -> list[Path]:
    """Keep each log's content as `NAME.1` and empty it, when it is too long; which ones were.

    Programs hold their log open for appending, so it is emptied in place; a line written in between is lost.
    """
    trimmed = [log for log in sorted(folder.glob("*.log")) if log.stat().st_size > limit_bytes]
    for log in trimmed:
        old = log.with_name(f"{log.name}.1")
        shutil.copyfile(log, old)
        old.chmod(0o600)
        with log.open("r+b") as opened:
            opened.truncate(0)
    return trimmed


async def keep_logs_short(folder: Path) -> None:
    """Trim a folder's logs once a minute, for ever."""
    while True:
        await asyncio.to_thread(trim_logs, folder)
        await asyncio.sleep(CHECK_SECONDS)
