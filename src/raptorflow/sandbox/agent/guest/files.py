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


class Put:
    """A new file that is being written."""

    def __init__(self, path: bytes, mode: int) -> None:
        *above, self._name = _parts(path)
        self._folder = _folder(b"/" + b"/".join(above), create=True)
        try:
            self._file = os.open(self._name, WRITE, mode, dir_fd=self._folder)
        except OSError:
            os.close(self._folder)
            raise
        try:
            os.fchmod(self._file, mode)
            if os.getuid() == 0:
                os.fchown(self._file, NOBODY, NOBODY)
        except OSError:
            self.drop()
            raise

    def write(self, payload: bytes) -> None:
        """Its next bytes."""
        view = memoryview(payload)
        while view:
            view = view[os.write(self._file, view) :]

    def close(self) -> None:
        """It is complete."""
        os.close(self._file)
        os.close(self._folder)

    def drop(self) -> None:
        """Remove it: half a file helps nobody and takes room."""
        try:
            os.unlink(self._name, dir_fd=self._folder)
        except OSError:
            # Somebody else has removed it, or will have to live with it.
            return
        finally:
            self.close()


class Get:
    """A file that is being sent."""

    def __init__(self, file: int) -> None:
        self.file = file
        self.credit = wire.CREDIT_BYTES


class Files:
    """The files that are on their way, by stream."""

    def __init__(self, loop: Loop, host: Host) -> None:
        self._loop, self._host = loop, host
        # None: it has failed, and the host may not know that yet.
        self._puts: dict[int, Put | None] = {}
        self._gets: dict[int, Get] = {}

    def put(self, stream: int, payload: bytes) -> None:
        """Make a new file; its bytes follow."""
        path, mode = wire.unpacked(payload, 2)
        self._puts[stream] = None
        with self._telling(stream):
            self._puts[stream] = Put(path, wire.number(mode))

    def write(self, stream: int, payload: bytes) -> bool:
        """Take bytes for a file; none ends it. Whether this stream is a file at all."""
        if stream not in self._puts:
            return False
        put = self._puts[stream]
        if not payload:
            del self._puts[stream]
        if put and payload:
            self._puts[stream] = None
            with self._telling(stream, put.drop):
                put.write(payload)
                self._puts[stream] = put
        elif put:
            put.close()
            self._host.send(wire.DONE, stream)
        return True

    def get(self, stream: int, payload: bytes) -> None:
        """Send a file: its entry, its bytes, and that it is done."""
        (path,) = wire.unpacked(payload, 1)
        with self._telling(stream):
            file = _opened(path)
            self._gets[stream] = Get(file)
            size = os.fstat(file).st_size
            self._host.send(wire.ENTRY, stream, wire.packed([b"f", b"%d" % size, path]))
            self._watch(stream)

    def grant(self, stream: int, count: int) -> None:
        """The host can take more of a file."""
        if get := self._gets.get(stream):
            get.credit += count
            self._watch(stream)

    def names(self, stream: int, payload: bytes) -> None:
        """Send the entries below a folder, sorted, up to a number and a depth."""
        path, most, levels = wire.unpacked(payload, 3)
        left = wire.number(most)

        def visit(folder: int, prefix: bytes, depth: int) -> None:
            nonlocal left
            for name in _listed(folder, left):
                if left <= 0:
                    return
                if len(prefix) + len(name) > wire.MOST_PATH:
                    continue
                left -= 1
                kind, size = _facts(folder, name)
                self._host.send(wire.ENTRY, stream, wire.packed([kind, b"%d" % size, prefix + name]))
                if kind == b"d" and depth > 1:
                    _within(
                        folder, name, lambda opened, at=prefix + name: visit(opened, at + b"/", depth - 1)
                    )

        with self._telling(stream):
            opened = _folder(path)
            try:
                visit(opened, b"", wire.number(levels))
            finally:
                os.close(opened)
            self._host.send(wire.DONE, stream)

    def close(self, stream: int) -> None:
        """The host wants no more of it; it hears when that is so."""
        if put := self._puts.pop(stream, None):
            put.drop()
            self._host.send(wire.DONE, stream)
        if stream in self._gets:
            self._leave(stream)
            self._host.send(wire.DONE, stream)

    def _leave(self, stream: int) -> None:
        get = self._gets.pop(stream)
        self._loop.forget(get.file)
        os.close(get.file)

    def _watch(self, stream: int) -> None:
        """Read on when the host can take it; a regular file is always ready."""
        get = self._gets[stream]
        events = READABLE if get.credit > 0 else 0
        self._loop.watch(get.file, events, lambda: self._send(stream), source=True)

    def _send(self, stream: int) -> None:
        get = self._gets[stream]
        with self._telling(stream, lambda: self._leave(stream)):
            if chunk := os.read(get.file, min(READ_BYTES, get.credit)):
                get.credit -= len(chunk)
                self._host.send(wire.DATA, stream, chunk)
                self._watch(stream)
            else:
                self._leave(stream)
                self._host.send(wire.DONE, stream)

    def _telling(self, stream: int, failed: Callable[[], None] | None = None) -> "Telling":
        return Telling(self._host, stream, failed)


class Telling:
    """Tells the host about an error of a block (a `with` of its own: `contextlib` is slow to import)."""

    def __init__(self, host: Host, stream: int, failed: Callable[[], None] | None) -> None:
        self._host, self._stream, self._failed = host, stream, failed

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, OSError):
            return False
        if self._failed:
            self._failed()
        number = error.errno or errno.EIO
        words = os.strerror(number).encode()
        self._host.send(wire.FAILED, self._stream, wire.packed([b"%d" % number, words]))
        return True


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
    for name in _plain(path):
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


def _plain(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    if b".." in parts or b"." in parts or b"\0" in path:
        raise OSError(errno.EINVAL, "no plain path")
    return [part for part in parts if part]


def _parts(path: bytes) -> list[bytes]:
    """The steps to a file; there is one at least."""
    parts = _plain(path)
    if not parts or path.endswith(b"/"):
        raise OSError(errno.EINVAL, "no file's path")
    return parts


def _listed(folder: int, most: int) -> list[bytes]:
    """So many names in a folder, sorted; which ones, if it has more, is the kernel's choice."""
    found: list[bytes] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(found) >= most:
                break
            found.append(os.fsencode(entry.name))
    return sorted(found)


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
    except OSError:
        return
    finally:
        os.close(opened)
