"""Snapshots on disk: what they were made from is noted beside them, and nothing else is started from them."""

import os
from functools import lru_cache
from pathlib import Path

from raptorflow.base.json import dumps, loads
from raptorflow.sandbox.driver import Snapshot
from raptorflow.sandbox.drivers.microvm.image.manifest import file_digest
from raptorflow.sandbox.drivers.microvm.machine import Machine
from raptorflow.sandbox.errors import SandboxStartFailed

DRIVER = "microvm"
ORIGIN = "origin.json"


def frozen_from(folder: Path, machine: Machine, version: str) -> Snapshot:
    """The snapshot whose files a monitor has just written.

    Args:
        folder: has them.
        machine: what was frozen.
        version: of the monitor.
    """
    (folder / ORIGIN).write_text(_origin(machine, version))
    return Snapshot(DRIVER, folder, _digests(folder))


def check_frozen(snapshot: Snapshot, machine: Machine, version: str) -> None:
    """Refuse a snapshot that is not what it was, or from which another machine would come.

    Raises:
        SandboxStartFailed: says why.
    """
    try:
        found = _digests(snapshot.folder)
        origin = (snapshot.folder / ORIGIN).read_text()
    except OSError as error:
        raise SandboxStartFailed(f"The snapshot in {snapshot.folder} cannot be read: {error}") from error
    if snapshot.driver != DRIVER or found != dict(snapshot.digests):
        raise SandboxStartFailed(f"The snapshot in {snapshot.folder} was changed.", hint="Make a new one.")
    if loads(origin) != loads(_origin(machine, version)):
        raise SandboxStartFailed(
            "The snapshot is of another monitor, image or blueprint.",
            hint="Make a new one for this blueprint.",
        )


def _digests(folder: Path) -> dict[str, str]:
    """The digest of each file; one that was not written to since is not read again."""
    return {file.name: _digest(file, *_written(file)) for file in sorted(folder.iterdir())}


def _written(file: Path) -> tuple[int, int, int]:
    """Which file it is, and when it was last written to.

    Where monitors are the manager's own user, by the time that no program can set. Root's are others, who
    may not write to it; links to it, which a jail has, change that time.
    """
    facts = file.stat()
    return facts.st_ino, facts.st_size, facts.st_ctime_ns if os.geteuid() else facts.st_mtime_ns


@lru_cache(maxsize=256)
def _digest(file: Path, _inode: int, _size: int, _changed: int) -> str:
    return file_digest(file)


def _origin(machine: Machine, version: str) -> str:
    return dumps(
        {
            "monitor": version,
            "image": machine.image.manifest.digest,
            "disks": [disk.file.name for disk in machine.disks],
            "memory": machine.memory_bytes,
            "processors": machine.processors,
        }
    )
