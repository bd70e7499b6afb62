"""Appends records to a chain's files. Synchronous: it waits for the disk, so it runs in a thread."""

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from raptorflow.base.clock import utc_now
from raptorflow.base.json import JsonObject
from raptorflow.sandbox.audit.chain import START, Head, Seal, read_line
from raptorflow.sandbox.audit.files import (
    chain_files,
    create_file,
    lines_of,
    next_file,
    sync_folder,
    take_chain,
)
from raptorflow.sandbox.audit.records import Record, Torn


def fields_of(at: datetime, *records: Record) -> JsonObject:
    """Records as the fields of one line; what is None is left out."""
    fields: JsonObject = {"at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
    for record in records:
        fields |= record.model_dump(mode="json", exclude_none=True)
    return fields


class ChainWriter:
    """One chain, held by this process.

    Args:
        folder: where its files are.
        seal: how records are hashed.
        max_file_bytes: when the next file begins.
        clock: for the record of a torn write.

    Raises:
        AuditUnavailable: the folder cannot be used.
    """

    def __init__(
        self, folder: Path, seal: Seal, max_file_bytes: int, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._folder = folder
        self._seal = seal
        self._max_file_bytes = max_file_bytes
        self._busy = threading.Lock()
        self._file: int | None = None
        chain, self._lock = take_chain(folder, seal.key_id)
        self.head = Head(chain, 0, START)
        try:
            torn = self._go_on()
            if torn:
                self.append([fields_of(clock(), torn)])
        except BaseException:
            self.close()
            raise

    def append(self, records: Sequence[JsonObject]) -> None:
        """Write records; they are on the disk when this returns. When it fails, none of them is in the file.

        Raises:
            OSError: the disk did not take them.
        """
        with self._busy:
            file = self._current_file()
            lines, head = bytearray(), self.head
            for record in records:
                line, head = self._seal.line(record, head)
                lines += line
            self._write(file, bytes(lines))
            self.head = head

    def close(self) -> None:
        """Let another process go on with the chain."""
        with self._busy:
            for descriptor in (self._file, self._lock):
                if descriptor is not None:
                    os.close(descriptor)
            self._file, self._lock = None, None

    def _current_file(self) -> int:
        if self._lock is None:
            raise OSError("the chain was let go")
        if self._file is not None and os.fstat(self._file).st_size >= self._max_file_bytes:
            os.close(self._file)
            self._file = None
        if self._file is None:
            self._file = create_file(next_file(self._folder, self.head.chain))
        return self._file

    def _write(self, file: int, lines: bytes) -> None:
        before = os.fstat(file).st_size
        try:
            left = memoryview(lines)
            while left:
                left = left[os.write(file, left) :]
            os.fdatasync(file)
        except OSError:
            os.ftruncate(file, before)
            raise

    def _go_on(self) -> Torn | None:
        """Find where the chain ended; keep aside what follows its last whole record."""
        torn = None
        for path in reversed(chain_files(self._folder, self.head.chain)):
            end, head = self._end_of(path)
            if end < path.stat().st_size:
                torn = self._keep_aside(path, end, head or self.head)
            if head:
                self.head = head
                self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
                break
            path.unlink()
        return torn

    def _end_of(self, path: Path) -> tuple[int, Head | None]:
        """How many bytes of a file are the chain's, and its last record."""
        offset, end, head = 0, 0, None
        for line in lines_of(path):
            offset += len(line)
            record = read_line(line)
            if record and self._seal.holds(record):
                end, head = offset, Head(self.head.chain, record["seq"], record["hash"])
        return end, head

    def _keep_aside(self, path: Path, end: int, head: Head) -> Torn:
        with path.open("rb") as file:
            file.seek(end)
            rest = file.read()
        aside = path.with_name(f"{path.stem}.torn-{head.seq}-{hashlib.sha256(rest).hexdigest()[:12]}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as copy:
            copy.write(rest)
            copy.flush()
            os.fsync(copy.fileno())
        sync_folder(path.parent)
        os.truncate(path, end)
        digest = hashlib.sha256(rest).hexdigest()
        return Torn(file=path.name, kept_in=aside.name, size=len(rest), sha256=digest)
