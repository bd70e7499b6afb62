"""The one module that imports the interpreter, which is an optional extra of the wheel."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic_monty import (
    AsyncMonty,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    OSPolicy,
    ResourceLimits,
)

from raptorflow.sandbox.drivers.monty.outcome import TOO_MUCH
from raptorflow.sandbox.drivers.monty.worker import Allowed, Failure, Kind, Printed

# Its own words for its own limits; a script that raises the like only misreports itself.
_OUT_OF_TIME = ("feed time limit exceeded", "sleep limit exceeded")
_OUT_OF_MEMORY = ("memory limit exceeded", "the worker exceeded its memory limit")
_LONGEST_SLEEP = float("inf")


class MontyWorker:
    """A process with an interpreter, for one run.

    Args:
        program: what starts it.
    """

    def __init__(self, program: Path) -> None:
        self._pool = AsyncMonty(binary_path=program, min_processes=1, max_processes=1)

    async def start(self) -> None:
        """Start the process.

        Raises:
            Failure: it does not start (`crashed`).
        """
        try:
            await self._pool.__aenter__()
            await self.ping()
        except (MontyError, OSError) as error:
            await self.stop()
            raise Failure("crashed", f"The interpreter does not start: {error}") from error

    async def ping(self) -> None:
        """Whether it answers.

        Raises:
            Failure: it does not.
        """
        try:
            async with self._pool.checkout() as session:
                await session.feed_run("None")
        except MontyError as error:
            raise Failure("crashed", str(error)) from error

    async def run(
        self, scripts: Sequence[str], given: Mapping[str, object], allowed: Allowed, printed: Printed
    ) -> None:
        """Run scripts one after the other in the same name space.

        Raises:
            Failure: one did not end well.
        """
        limits = ResourceLimits(
            max_memory=allowed.memory_bytes,
            max_feed_duration_secs=allowed.seconds,
            max_total_sleep_secs=allowed.seconds,
            max_recursion_depth=allowed.recursion,
        )
        policy = OSPolicy(sleep="system", sleep_system_max=_LONGEST_SLEEP)
        session = self._pool.checkout(limits=limits, os_policy=policy, assert_message_annotations=False)
        loop = asyncio.get_running_loop()
        try:
            # Sleep does not count for the interpreter, and a script that prints too much would go on until
            # its time is up; leaving the block ends the process in any case.
            async with asyncio.timeout(allowed.seconds) as clock, session:
                printed.when_over(lambda: loop.call_soon_threadsafe(clock.reschedule, loop.time()))
                for script in scripts:
                    # The last value would be handed over, whatever its size: there is none.
                    await session.feed_run(f"{script}\nNone", inputs=dict(given), print_callback=printed)
        except TimeoutError as error:
            raise _out_of_time(printed) from error
        except MontyError as error:
            raise _failure(error, printed) from error

    async def stop(self) -> None:
        """End the process."""
        with suppress(MontyError):
            await self._pool.__aexit__(None, None, None)


def _out_of_time(printed: Printed) -> Failure:
    if printed.over:
        return Failure("output_limit", TOO_MUCH)
    return Failure("timeout", "the time was up")


def _failure(error: MontyError, printed: Printed) -> Failure:
    if printed.over:
        return _out_of_time(printed)
    inner, message = error.exception(), str(error.exception())
    trace = error.display() if isinstance(error, MontyRuntimeError) else str(error)
    return Failure(_kind(error, inner), message, trace)


def _kind(error: MontyError, inner: BaseException) -> Kind:
    words = str(inner)
    if isinstance(error, MontyCrashedError):
        return "crashed"
    if isinstance(inner, TimeoutError) and words.startswith(_OUT_OF_TIME):
        return "timeout"
    if isinstance(inner, MemoryError) and words.startswith(_OUT_OF_MEMORY):
        return "oom"
    if isinstance(inner, NotImplementedError) and words.startswith("The monty syntax parser"):
        return "unsupported"
    return "error"
