"""Which files a chain has: `chain-1.000001.jsonl`, `chain-1.000002.jsonl`, ...

A process takes the first chain that no other holds, and goes on where it ended: there are as many chains as
there ever were processes at once, and one that is killed leaves none behind that nobody continues.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from raptorflow.sandbox.audit.chain import NAME
from raptorflow.sandbox.audit.errors import AuditUnavailable

SUFFIX = ".jsonl"
MOST_CHAINS = 999


def chain_names(folder: Path) -> list[str]:
    """The chains of a folder."""
    names = {path.name.partition(".")[0] for path in folder.glob(f"chain-*{SUFFIX}")}
    return sorted(name for name in names if NAME.fullmatch(name))


def chain_files(folder: Path, chain: str) -> list[Path]:
    """A chain's files in order."""
    return sorted(path for path in folder.glob(f"{chain}.*{SUFFIX}") if path.name.count(".") == 2)


def next_file(folder: Path, chain: str) -> Path:
    """What the next file is called."""
    files = chain_files(folder, chain)
    number = int(files[-1].name.split(".")[1]) + 1 if files else 1
    return folder / f"{chain}.{number:06d}{SUFFIX}"


def create_file(path: Path) -> int:
    """Open a new file to append to; its name is on the disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    sync_folder(path.parent)
    return descriptor


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lines_of(path: Path) -> Iterator[bytes]:
    """Its lines with their ends; the last may have none."""
    with path.open("rb") as file:
        yield from file


def take_chain(folder: Path, key_id: str | None) -> tuple[str, int]:
    """The first chain that is free, and the lock that keeps it ours while the process lives.

    Raises:
        AuditUnavailable: the folder cannot be used, or all chains are taken.
    """
    prefix = f"chain-{key_id}-" if key_id else "chain-"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for slot in range(1, MOST_CHAINS + 1):
            lock = os.open(folder / f"{prefix}{slot}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return f"{prefix}{slot}", lock
            os.close(lock)
    except OSError as error:
        raise AuditUnavailable(f"The audit log cannot be written: {error}.") from error
    raise AuditUnavailable(f"{MOST_CHAINS} processes write the audit log in {folder} already.")
