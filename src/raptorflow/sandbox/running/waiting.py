"""Sandboxes that are kept ready hold an interpreter that has started, and waits to be told its program."""

import asyncio
from collections.abc import Mapping, Sequence

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.launch import AGENT
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.agent.programs import OutputTaker, Program, Running, end_all, start
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.errors import SandboxGone
from raptorflow.sandbox.running.commands import PAGE, base_variables, interpreter_of
from raptorflow.sandbox.spec import WORK

START = f"import sys; sys.path.insert(0, {AGENT!r}); from guest.waiting import main; main()"
PROGRAM_ITSELF = "-c"
READ_AT_START = ("PYTHON", "LC_", "LANG", "LOCPATH", "TZ", "LD_", "GLIBC_", "MALLOC_", "GCONV_PATH")
# What does not fit into one frame is refused for a new interpreter too, which says so.
MOST_ORDERS = wire.MAX_PAYLOAD - 1024

# What an agent may take to end an interpreter that does nothing.
LEAVE_SECONDS = 5.0


class Waiting:
    """An interpreter without a program. Whoever has it gives it one, once.

    Args:
        running: the interpreter.
        program: how it was started.
    """

    def __init__(self, running: Running, program: Program) -> None:
        self._running = running
        self._program = program

    def suits(self, wanted: Program) -> bool:
        """Whether it can become this program, and a new interpreter would do nothing otherwise."""
        own, other = self._program, wanted
        return (
            not self._running.ended
            and len(_orders(other)) <= MOST_ORDERS
            and _names_a_program(other.arguments)
            and own.arguments[0] == other.arguments[0]
            and _of_start(own.variables) == _of_start(other.variables)
            and (own.folder, own.open_files, own.file_bytes, own.side)
            == (other.folder, other.open_files, other.file_bytes, other.side)
        )

    async def leave(self, link: Link) -> None:
        """End it: nobody has a program for it, and beside another one it would be one too many.

        Raises:
            SandboxGone: the sandbox has ended.
        """
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await end_all(link)
                await self._running.wait()
        except TimeoutError:
            raise SandboxGone("The sandbox is gone: its agent did not end what waited in it.") from None

    async def become(self, wanted: Program, output: OutputTaker) -> Running:
        """Be this program from now on.

        Raises:
            SandboxGone: the sandbox has ended.
        """
        orders = _orders(wanted)
        self._running.output = output
        await self._running.feed(wire.FIELD.pack(len(orders)) + orders, end=False)
        return self._running


async def wait_in(link: Link, blueprint: Blueprint, open_files: int) -> Waiting:
    """Start an interpreter that waits.

    Raises:
        SandboxGone: the sandbox has ended.
    """
    program = waiting_program(blueprint, open_files)
    running = await start(link, program, _ignore)
    await running.started
    return Waiting(running, program)


def waiting_program(blueprint: Blueprint, open_files: int) -> Program:
    """How the interpreter of a sandbox is started before its program is known."""
    return Program(
        arguments=[interpreter_of(blueprint), PROGRAM_ITSELF, START],
        variables=base_variables(blueprint),
        folder=WORK,
        open_files=open_files,
        file_bytes=blueprint.workspace_bytes + PAGE,
    )


def _names_a_program(arguments: Sequence[str]) -> bool:
    """`python -c TEXT ...` or `python FILE ...`, without options of the interpreter."""
    if len(arguments) < 2:
        return False
    first = arguments[1]
    return (first == PROGRAM_ITSELF and len(arguments) > 2) or not first.startswith("-")


def _orders(wanted: Program) -> bytes:
    arguments = wanted.arguments[1:]
    settings = [f"{name}={value}" for name, value in wanted.variables.items()]
    words = [str(len(arguments)), *arguments, *settings]
    return wire.packed([word.encode("utf-8", "surrogateescape") for word in words])


def _of_start(variables: Mapping[str, str]) -> dict[str, str]:
    """What the loader, the C library and an interpreter read when they start, and never again."""
    return {name: value for name, value in variables.items() if name.startswith(READ_AT_START)}


def _ignore(_kind: int, _payload: bytes) -> None:
    """It says nothing before it has a program."""
