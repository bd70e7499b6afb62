"""A program that writes to an audit log until it is killed: prints each number that is on the disk.

python writer_process.py FOLDER MAX_FILE_BYTES
"""

import asyncio
import sys
from pathlib import Path

from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.records import Killed, Subject
from raptorflow.sandbox.audit.settings import AuditSettings

AT_ONCE = 20


async def main(folder: Path, max_file_bytes: int) -> None:
    """Write for ever."""
    log = AuditLog(folder, AuditSettings(max_file_bytes=max_file_bytes))
    await log.start()
    while log.head:
        await asyncio.gather(
            *(log.add(Subject(sandbox=f"s{number}"), Killed(reason="timeout")) for number in range(AT_ONCE))
        )
        await log.flush()
        print(log.head.chain, log.head.seq, log.head.hash, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
