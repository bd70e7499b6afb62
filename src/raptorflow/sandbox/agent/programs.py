"""Running a program inside, over a link."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.errors import SandboxSpecInvalid

OUTPUT_KINDS = frozenset({wire.STDOUT, wire.STDERR, wire.SIDE})
MOST_CODE, MOST_SIGNAL = 255, 64
OutputTaker = Callable[[int, bytes], None]


@dataclass(frozen=True)
class Program:
    """What to start.

    Attributes:
        arguments: the program and its arguments.
        variables: its whole environment.
        folder: its working folder.
        open_files: how many descriptors it may have.
        file_bytes: how large a file may become.
        side: whether it has descriptor 3 as one more output.
    """

    arguments: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: str = "/workspace"
    open_files: int = 512
    file_bytes: int = 2**40
    side: bool = False

    def packed(self) -> bytes:
        """For the agent.

        Raises:
            SandboxSpecInvalid: arguments and variables are too long together, or no text.
        """
        words = [_bytes(argument) for argument in self.arguments]
        variables = [_bytes(f"{name}={value}") for name, value in self.variables.items()]
        numbers = (self.open_files, self.file_bytes, 3 if self.side else 2, len(words))
        payload = wire.packed(
            [_bytes(self.folder), *(b"%d" % number for number in numbers), *words, *variables]
        )
        if len(payload) > wire.MAX_PAYLOAD:
            raise SandboxSpecInvalid(
                f"The command and its variables have {len(payload)} bytes, at most {wire.MAX_PAYLOAD} fit.",
                hint="Hand larger data over on standard input or in a file.",
            )
        return payload


class Running:
    """A program that was started. Make it with `start`.

    Args:
        link: to its sandbox.
        program: what it is.
        output: called with `wire.STDOUT`, `STDERR` or `SIDE` and bytes as they come.
    """

    def __init__(self, link: Link, program: Program, output: OutputTaker) -> None:
        self._link = link
        self._program = program.packed()
        self._outputs = OUTPUT_KINDS if program.side else OUTPUT_KINDS - {wire.SIDE}
        self.output = output
        self._begun = False
        self._credit = wire.CREDIT_BYTES
        self._granted = asyncio.Event()
        self._exit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._stream = link.stream(self)
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def ended(self) -> bool:
        """Whether it has ended, or its sandbox has."""
        return self._exit.done()

    async def begin(self) -> None:
        """Have it started.

        Raises:
            SandboxGone: the sandbox has ended.
        """
        await self._link.send(wire.EXEC, self._stream, self._program)

    async def feed(self, content: bytes, *, end: bool = True) -> None:
        """Give it input; waits while it does not read, and gives up when it has ended.

        Raises:
            SandboxGone: the sandbox has ended.
        """
        view = memoryview(content)
        while view and not self._exit.done():
            if self._credit <= 0:
                self._granted.clear()
                await self._granted.wait()
                continue
            part = view[: min(self._credit, wire.MAX_PAYLOAD)]
            view = view[len(part) :]
            self._credit -= len(part)
            await self._link.send(wire.STDIN, self._stream, bytes(part))
        if end and not self._exit.done():
            await self._link.send(wire.STDIN, self._stream, b"")

    async def wait(self) -> int:
        """Its exit code, or minus the signal that ended it.

        Raises:
            SandboxGone: the sandbox ended before it.
        """
        return await asyncio.shield(self._exit)

    def take(self, kind: int, payload: bytes) -> None:
        """A frame of the agent's."""
        if kind != wire.STARTED and not self._begun:
            raise wire.WireError(f"a frame of kind {kind} from a program that has not started")
        if kind in self._outputs and payload:
            self.output(kind, payload)
        elif kind == wire.STARTED and not self._begun:
            self._begun = True
            # Whoever waited for it may have been cancelled.
            if not self.started.done():
                self.started.set_result(None)
        elif kind == wire.CREDIT:
            self._credit += wire.granted(payload)
            if self._credit > wire.CREDIT_BYTES:
                raise wire.WireError("more credit than there can be")
            self._granted.set()
        elif kind == wire.EXITED:
            self._end(_code(payload))
        else:
            raise wire.WireError(f"a frame of kind {kind} from a program")

    def lost(self, error: Exception) -> None:
        """The sandbox has ended."""
        for future in (self._exit, self.started):
            if not future.done():
                future.set_exception(error)
                # Whether anybody waits for it or not: the reason is told once, by the link.
                future.exception()
        self._granted.set()

    def _end(self, code: int) -> None:
        self._link.forget(self._stream)
        if not self._exit.done():
            self._exit.set_result(code)
        self._granted.set()


async def start(link: Link, program: Program, output: OutputTaker) -> Running:
    """Start a program.

    Raises:
        SandboxGone: the sandbox has ended.
        SandboxSpecInvalid: its arguments are too long.
    """
    running = Running(link, program, output)
    await running.begin()
    return running


async def end_all(link: Link) -> None:
    """End every process inside but the agent.

    Raises:
        SandboxGone: the sandbox has ended.
    """
    await link.send(wire.KILL)


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise SandboxSpecInvalid(f"{text!r} is no text that a program can be given.") from error


def _code(payload: bytes) -> int:
    """How a program ended: an exit code, or minus a signal."""
    code = wire.number(*wire.unpacked(payload, 1))
    if not -MOST_SIGNAL <= code <= MOST_CODE:
        raise wire.WireError(f"an exit code of {code}")
    return code
