"""What a session does, written to the audit log as a run's is."""

import hashlib
from collections.abc import Sequence

from raptorflow.sandbox.audit.records import Executed, FileMoved
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.journal import Journal, Place, code_of, executed_of
from raptorflow.sandbox.sessions.result import CellResult
from raptorflow.sandbox.sessions.telling import ENDED
from raptorflow.sandbox.spec import SandboxSpec

CELL = "cell"


class Notes:
    """Of one session.

    Args:
        journal: where they are written.
        spec: whose session it is.
        place: its sandbox.
    """

    def __init__(self, journal: Journal, spec: SandboxSpec, place: Place) -> None:
        self._journal, self._spec, self._place = journal, spec, place

    def check(self) -> None:
        """Verify that what happens is being written; nothing is done otherwise.

        Raises:
            AuditUnavailable: it is not.
        """
        self._journal.check()

    async def cell(self, code: bytes, result: CellResult) -> None:
        """A cell ended; its code is known by its digest."""
        entry = Executed(
            program=CELL,
            arguments=hashlib.sha256(code).hexdigest(),
            status=code_of(result.status),
            wall_ms=result.wall_ms,
            stdout_bytes=result.stdout_bytes,
            stderr_bytes=result.stderr_bytes,
            stdout=result.stdout_sha256,
        )
        forced = result.error is not None and result.error.name == ENDED
        await self._journal.executed(self._spec, self._place, entry, forced=forced)

    async def program(self, command: Sequence[str], result: SandboxResult) -> None:
        """A program beside the interpreter ended."""
        entry, forced = executed_of(command, result), result.exit_code is None
        await self._journal.executed(self._spec, self._place, entry, forced=forced)

    async def cancelled(self) -> None:
        """A program beside the interpreter is ended, because nobody waits for it any more."""
        await self._journal.cancelled(self._spec, self._place)

    async def came_in(self, name: str, size: int) -> None:
        """A file was put in."""
        await self._journal.add(self._spec, self._place, FileMoved(direction="in", name=name, size=size))

    async def went_out(self, name: str, size: int) -> None:
        """A file was taken out."""
        await self._journal.add(self._spec, self._place, FileMoved(direction="out", name=name, size=size))
