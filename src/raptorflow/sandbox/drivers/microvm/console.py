"""A machine's console: read so that it never fills, kept only at its end.

Its first process writes one line with what was refused inside; everything else is the guest's kernel talking
before it dies. A guest that lies here lies about itself only.
"""

import asyncio
import re

from raptorflow.sandbox.errors import SandboxStartFailed

READ_BYTES = 4096
KEPT_BYTES = 8192
SAID_BYTES = 400
FACTS = re.compile(rb"raptorflow: oom=(\d{1,9}) pids=(\d{1,9}) full=([01])\r?\n")
UP = b"raptorflow: the agent is up"
WORDS = re.compile(rb"raptorflow: (the guest cannot be built: [^\r\n]*)")


class Console:
    """Follows what a machine prints.

    Args:
        stream: its output and the monitor's.

    Attributes:
        out_of_memory: how often a program was ended for lack of memory.
        tasks_refused: how often one more process was refused.
        disk_full: whether a writable folder was full when it was last looked at.
    """

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self._kept = b""
        self._told, self._up = asyncio.Event(), asyncio.Event()
        self.out_of_memory = 0
        self.tasks_refused = 0
        self.disk_full = False
        self._following = asyncio.create_task(self._follow())

    async def built(self) -> None:
        """Wait until the first process has built the guest and started the agent.

        Raises:
            SandboxStartFailed: the machine ended instead; the words are the last that it said.
        """
        await self._heard(self._told)

    async def up(self) -> None:
        """Wait until the agent can be talked to.

        Raises:
            SandboxStartFailed: the machine ended instead.
        """
        await self._heard(self._up)

    async def _heard(self, word: asyncio.Event) -> None:
        telling = asyncio.create_task(word.wait())
        try:
            await asyncio.wait({telling, self._following}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            telling.cancel()
        if not word.is_set():
            raise SandboxStartFailed(f"The machine ended before its agent was started: {self.said()}")

    async def ended(self) -> None:
        """Wait until nothing can be printed any more: every process of the machine has ended."""
        await asyncio.shield(self._following)

    def said(self) -> str:
        """The reason that the first process gave, or the last lines."""
        found = WORDS.search(self._kept)
        words = found[1] if found else self._kept[-SAID_BYTES:]
        return words.decode("utf-8", "backslashreplace").strip() or "it said nothing"

    async def _follow(self) -> None:
        while chunk := await self._stream.read(READ_BYTES):
            self._kept = (self._kept + chunk)[-KEPT_BYTES:]
            for killed, refused, full in FACTS.findall(self._kept):
                self.out_of_memory, self.tasks_refused = int(killed), int(refused)
                self.disk_full = full == b"1"
                self._told.set()
            if UP in self._kept:
                self._up.set()
