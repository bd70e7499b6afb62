"""Programs that the host asks for: started, fed, listened to, ended, and reaped."""

import errno
import os
import resource
from _collections_abc import Callable

from . import kernel, wire
from .host import Host
from .landlock import Landlock
from .light import signal
from .loop import READABLE, WRITABLE, Loop

NOBODY = 65534
FIRST, NOT_SEEN = 1, 0
READ_BYTES = 64 * 1024
# What a pipe may hold (/proc/sys/fs/pipe-max-size, as it is for every user).
MOST_IN_PIPE = 1024 * 1024
OUTPUTS = (wire.STDOUT, wire.STDERR, wire.SIDE)
MOST_LIKELY_TO_BE_KILLED = b"1000"
NOT_FOUND, NOT_STARTED = 127, 126


class Programs:
    """Every program that was asked for, by its stream.

    Args:
        loop: waits for them.
        host: is told of them.
        alone: whether this agent has a process namespace to itself. Only then everything in it is ended when
            programs end; elsewhere that would be everything on the machine.
        calls: the filter for their system calls; None for none.
    """

    def __init__(self, loop: Loop, host: Host, *, alone: bool, calls: bytes | None) -> None:
        self._loop, self._host = loop, host
        # Whoever says so may be wrong; its parent is then an ordinary process, not the first of a namespace
        # and not one outside of it.
        self._alone = alone and (os.getpid() == FIRST or os.getppid() in (FIRST, NOT_SEEN))
        self._calls = calls
        self._landlock = Landlock()
        self.landlock = self._landlock.version
        self._running: dict[int, Program] = {}
        woken, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _nothing)
        loop.watch(woken, READABLE, lambda: self._reap(woken))

    def start(self, stream: int, payload: bytes) -> None:
        """Start one, with standard input and output and errors, and descriptor 3 if it was asked for."""
        folder, descriptors, file_bytes, outputs, count, *words = wire.unpacked(payload)
        arguments, variables = words[: wire.number(count)], words[wire.number(count) :]
        inner: list[int] = []
        outer: list[int] = []
        try:
            _pipes(wire.number(outputs), inner, outer)
            child = os.fork()
        except OSError as error:
            _close(inner + outer)
            self._refuse(stream, arguments[0], error)
            return
        if child == 0:
            limits = (wire.number(descriptors), wire.number(file_bytes))
            self._become(arguments, dict(_split(variables)), folder, (inner, limits))
        _close(inner)
        self._host.send(wire.STARTED, stream)
        self._running[stream] = Program(self._loop, self._host, stream, child, outer)

    def _refuse(self, stream: int, name: bytes, error: OSError) -> None:
        """There is no room for one more: to the host that is a program that failed at once."""
        self._host.send(wire.STARTED, stream)
        self._host.send(wire.STDERR, stream, _complaint(name, error))
        self._host.send(wire.EXITED, stream, wire.packed([b"%d" % NOT_STARTED]))

    def feed(self, stream: int, payload: bytes) -> None:
        """Give a program its next input; none ends it."""
        if program := self._running.get(stream):
            program.feed(payload)

    def kill(self) -> None:
        """End every process inside but this one (and the sandbox's first)."""
        if self._alone:
            kernel.call("kill", -1, signal.SIGKILL)
        else:
            for program in self._running.values():
                program.kill()

    def _become(
        self,
        arguments: list[bytes],
        variables: dict[bytes, bytes],
        folder: bytes,
        given: tuple[list[int], tuple[int, int]],
    ) -> None:
        """Turn this copy of the agent into the program, with no more rights than that may have."""
        try:
            os.setsid()
            for target, descriptor in enumerate(given[0]):
                os.dup2(descriptor, target)
            self._limit(*given[1])
            os.chdir(folder)
            if self._calls is not None:
                kernel.filter_calls(self._calls)
            _exec(arguments, variables)
        except OSError as error:
            os.write(2, _complaint(error.filename or arguments[0], error))
            os._exit(NOT_FOUND if error.errno == errno.ENOENT else NOT_STARTED)
        finally:
            os._exit(NOT_STARTED)

    def _limit(self, descriptors: int, file_bytes: int) -> None:
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        for limit, value in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, descriptors),
            (resource.RLIMIT_FSIZE, file_bytes),
        ):
            highest = resource.getrlimit(limit)[1]
            lower = value if highest == resource.RLIM_INFINITY else min(value, highest)
            resource.setrlimit(limit, (lower, lower))
        _prefer_to_kill()
        if os.getuid() == 0:
            kernel.become(NOBODY)
        kernel.keep_powerless()
        self._landlock.restrict()

    def _reap(self, woken: int) -> None:
        """Take the end of every process that has ended, also of those whose parents did not."""
        os.read(woken, READ_BYTES)
        ended = dict(_ended())
        for stream, program in list(self._running.items()):
            if program.pid in ended:
                del self._running[stream]
                program.kill()
                if not self._running:
                    self.kill()
                program.end(ended[program.pid])


class Program:
    """One program, and the pipes to it."""

    def __init__(self, loop: Loop, host: Host, stream: int, pid: int, pipes: list[int]) -> None:
        self.pid = pid
        self._loop, self._host, self._stream = loop, host, stream
        self._stdin = pipes[0]
        self._unread = bytearray()
        self._fed = False
        self._outputs = dict(zip(pipes[1:], OUTPUTS, strict=False))
        for descriptor in self._outputs:
            loop.watch(descriptor, READABLE, _bound(self._listen, descriptor), source=True)

    def kill(self) -> None:
        """End it and what is left of its group."""
        kernel.call("kill", -self.pid, signal.SIGKILL)

    def feed(self, payload: bytes) -> None:
        """Take input for it; what it will not read any more is dropped, so that the host need not wait."""
        if self._stdin < 0:
            self._grant(len(payload))
            return
        self._unread += payload
        self._fed = self._fed or not payload
        self._write()

    def end(self, status: int) -> None:
        """It has ended: tell what it had written, and how it ended."""
        for descriptor in list(self._outputs):
            self._drain(descriptor)
            self._shut(descriptor)
        self._close_input()
        code = os.waitstatus_to_exitcode(status)
        self._host.send(wire.EXITED, self._stream, wire.packed([b"%d" % code]))

    def _drain(self, descriptor: int) -> None:
        """Tell what is in a pipe now. Its other end may be held by others, who may never stop writing."""
        left = MOST_IN_PIPE
        while left > 0 and descriptor in self._outputs and (count := self._listen(descriptor)):
            left -= count

    def _listen(self, descriptor: int) -> int:
        """Tell the next output; how many bytes there were."""
        try:
            chunk = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return 0
        if chunk:
            self._host.send(self._outputs[descriptor], self._stream, chunk)
        else:
            self._shut(descriptor)
        return len(chunk)

    def _shut(self, descriptor: int) -> None:
        if self._outputs.pop(descriptor, None):
            self._loop.forget(descriptor)
            os.close(descriptor)

    def _write(self) -> None:
        try:
            done = os.write(self._stdin, self._unread) if self._unread else 0
        except BlockingIOError:
            done = 0
        except OSError:
            # It reads no more; that is its right.
            self._close_input()
            return
        del self._unread[:done]
        self._grant(done)
        if self._unread:
            self._loop.watch(self._stdin, WRITABLE, self._write)
        elif self._fed:
            self._close_input()
        else:
            self._loop.forget(self._stdin)

    def _close_input(self) -> None:
        if self._stdin >= 0:
            self._loop.forget(self._stdin)
            os.close(self._stdin)
            self._stdin = -1
            self._grant(len(self._unread))
            self._unread.clear()

    def _grant(self, count: int) -> None:
        """So many bytes of input are dealt with."""
        if count:
            self._host.send(wire.CREDIT, self._stream, wire.packed([b"%d" % count]))


def _pipes(outputs: int, inner: list[int], outer: list[int]) -> None:
    """Make the program's ends and ours, of standard input and so many outputs."""
    for number in range(outputs + 1):
        ends = os.pipe2(os.O_CLOEXEC)
        # Of standard input the program has the end that is read.
        inner.append(ends[min(number, 1)])
        outer.append(ends[1 - min(number, 1)])
        os.set_blocking(outer[-1], False)


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _exec(arguments: list[bytes], variables: dict[bytes, bytes]) -> None:
    """Become a program, found like a shell finds it (`os.execvpe` would import more than the agent has)."""
    name = arguments[0]
    if b"/" in name:
        os.execve(name, arguments, variables)
    refused: OSError = FileNotFoundError(errno.ENOENT, "", name)
    for folder in variables.get(b"PATH", b"/usr/bin:/bin").split(b":"):
        try:
            os.execve((folder or b".") + b"/" + name, arguments, variables)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused = error
    raise refused


def _complaint(name: bytes, error: OSError) -> bytes:
    return name + b": " + os.strerror(error.errno or 0).encode() + b"\n"


def _ended() -> list[tuple[int, int]]:
    ended: list[tuple[int, int]] = []
    try:
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended.append(found)
    except ChildProcessError:
        pass
    return ended


def _prefer_to_kill() -> None:
    """When memory runs out, the kernel shall take the program and not the agent."""
    try:
        file = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        os.write(file, MOST_LIKELY_TO_BE_KILLED)
        os.close(file)
    except OSError:
        return


def _split(variables: list[bytes]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, _, value in (variable.partition(b"=") for variable in variables)]


def _bound(call: Callable[[int], int], descriptor: int) -> Callable[[], None]:
    return lambda: (call(descriptor), None)[1]


def _nothing(_number: int, _frame: object) -> None:
    """The wake-up descriptor tells; a handler must be there for that."""
