"""Files in and out. No step of a path may be a link, and only regular files are read or written.

Whatever the programs inside do to the folders meanwhile, a path never leads out of what it names: each step
is opened from the one before, without following links.
"""

import errno
import os
import stat
from _collections_abc import Callable

from . import wire
from .host import Host
from .loop import READABLE, Loop
from .programs import NOBODY

READ_BYTES = 64 * 1024
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Non-blocking: what is no regular file after all must not make the agent wait.
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
FOLDER_MODE = 0o755
KINDS = {stat.S_IFREG: b"f", stat.S_IFDIR: b"d", stat.S_IFLNK: b"l", stat.S_IFIFO: b"p",
         stat.S_IFSOCK: b"s", stat.S_IFCHR: b"c", stat.S_IFBLK: b"c"}  # fmt: skip


class Files:
    """The files that are on their way, by stream."""

    def __init__(self, loop: Loop, host: Host) -> None:
        self._loop, self._host = loop, host
        self._open: dict[int, int] = {}

    def put(self, stream: int, payload: bytes) -> None:
        """Make a new file; its bytes follow."""
        path, mode = wire.unpacked(payload, 2)
        self._open[stream] = self._try(stream, lambda: _created(path, wire.number(mode)))

    def write(self, stream: int, payload: bytes) -> bool:
        """Take bytes for a file; none ends it. Whether this stream is a file at all."""
        if stream not in self._open:
            return False
        opened = self._open[stream]
        if opened >= 0 and self._try(stream, lambda: _write(opened, payload)) < 0:
            os.close(opened)
            self._open[stream] = -1
        if not payload and self._open.pop(stream) >= 0:
            os.close(opened)
            self._host.send(wire.DONE, stream)
        return True

    def get(self, stream: int, payload: bytes) -> None:
        """Send a file: its entry, its bytes, and that it is done."""
        (path,) = wire.unpacked(payload, 1)
        opened = self._try(stream, lambda: _opened(path))
        if opened < 0:
            return
        size = os.fstat(opened).st_size
        self._host.send(wire.ENTRY, stream, wire.packed([b"f", b"%d" % size, path]))
        self._open[stream] = opened
        self._loop.watch(opened, READABLE, lambda: self._send(stream), source=True)

    def names(self, stream: int, payload: bytes) -> None:
        """Send the entries below a folder, sorted, up to a number and a depth."""
        path, most, levels = wire.unpacked(payload, 3)
        left = wire.number(most)

        def visit(folder: int, prefix: bytes, depth: int) -> None:
            nonlocal left
            for name in sorted(os.fsencode(entry) for entry in os.listdir(folder)):
                if left <= 0:
                    return
                left -= 1
                kind, size = _facts(folder, name)
                self._host.send(wire.ENTRY, stream, wire.packed([kind, b"%d" % size, prefix + name]))
                if kind == b"d" and depth > 1:
                    _within(
                        folder, name, lambda opened, at=prefix + name: visit(opened, at + b"/", depth - 1)
                    )

        opened = self._try(stream, lambda: _folder(path))
        if opened >= 0:
            visit(opened, b"", wire.number(levels))
            os.close(opened)
            self._host.send(wire.DONE, stream)

    def close(self, stream: int) -> None:
        """The host wants no more of it."""
        opened = self._open.pop(stream, -1)
        if opened >= 0:
            self._loop.forget(opened)
            os.close(opened)

    def _send(self, stream: int) -> None:
        opened = self._open[stream]
        if chunk := os.read(opened, READ_BYTES):
            self._host.send(wire.DATA, stream, chunk)
        else:
            self.close(stream)
            self._host.send(wire.DONE, stream)

    def _try(self, stream: int, step: Callable[[], int]) -> int:
        """The step's descriptor, or -1 after telling the host what went wrong."""
        try:
            return step()
        except OSError as error:
            number = error.errno or errno.EIO
            self._host.send(wire.FAILED, stream, wire.packed([b"%d" % number, os.strerror(number).encode()]))
            return -1


def _created(path: bytes, mode: int) -> int:
    *above, name = _parts(path)
    folder = _folder(b"/" + b"/".join(above), create=True)
    try:
        opened = os.open(name, WRITE, mode, dir_fd=folder)
    finally:
        os.close(folder)
    os.fchmod(opened, mode)
    if os.getuid() == 0:
        os.fchown(opened, NOBODY, NOBODY)
    return opened


def _opened(path: bytes) -> int:
    *above, name = _parts(path)
    folder = _folder(b"/" + b"/".join(above))
    try:
        opened = os.open(name, READ, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(errno.EINVAL, "no regular file")
    return opened


def _folder(path: bytes, *, create: bool = False) -> int:
    """The folder, step by step; whoever gets it closes it."""
    folder = os.open("/", FOLDER)
    for name in _parts(path):
        above = folder
        try:
            if create:
                _make(name, above)
            folder = os.open(name, FOLDER, dir_fd=above)
        finally:
            os.close(above)
    return folder


def _make(name: bytes, above: int) -> None:
    try:
        os.mkdir(name, FOLDER_MODE, dir_fd=above)
    except OSError as error:
        # It may be there on a file system where nothing can be made.
        if error.errno not in {errno.EEXIST, errno.EROFS}:
            raise
        return
    if os.getuid() == 0:
        os.chown(name, NOBODY, NOBODY, dir_fd=above, follow_symlinks=False)


def _parts(path: bytes) -> list[bytes]:
    parts = [part for part in path.split(b"/") if part]
    if b".." in parts or b"." in parts or b"\0" in path:
        raise OSError(errno.EINVAL, "no plain path")
    return parts


def _facts(folder: int, name: bytes) -> tuple[bytes, int]:
    try:
        facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return b"o", 0
    kind = KINDS.get(stat.S_IFMT(facts.st_mode), b"o")
    if kind == b"d" and not os.access(name, os.R_OK | os.X_OK, dir_fd=folder):
        return b"o", 0
    return kind, facts.st_size if kind == b"f" else 0


def _within(folder: int, name: bytes, visit: Callable[[int], None]) -> None:
    """Visit a folder below, unless it has become something else or may not be read."""
    try:
        opened = os.open(name, FOLDER, dir_fd=folder)
    except OSError:
        return
    try:
        visit(opened)
    finally:
        os.close(opened)


def _write(opened: int, payload: bytes) -> int:
    view = memoryview(payload)
    while view:
        view = view[os.write(opened, view) :]
    return opened
