"""Whether the server that was started is ready, and if it never will be, which part is to blame."""

import asyncio
import time
from contextlib import suppress

from raptorflow.base.json import JsonObject, loads
from raptorflow.stack.address import Address
from raptorflow.stack.errors import ProgramFailed

ANSWER_SECONDS = 5.0
PATIENCE_SECONDS = 5.0
"""How long a server may say that a part does not answer: what it needs was started before it."""
OK = b"200"


class ServerReadiness:
    """Asks `/readyz` of the server at an address."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._unready_since: float | None = None

    async def __call__(self, _pid: int) -> bool:
        """Whether every part answers.

        Raises:
            ProgramFailed: the server answers, and has said for seconds that one of its parts does not.
        """
        missing = await self._missing_part()
        if not missing:
            self._unready_since = None
            return missing is not None
        now = time.monotonic()
        self._unready_since = self._unready_since or now
        if now - self._unready_since < PATIENCE_SECONDS:
            return False
        self._unready_since = None
        raise ProgramFailed(missing)

    async def _missing_part(self) -> JsonObject | None:
        """The problem of a part that does not answer; empty when all do, None when the server does not."""
        with suppress(OSError, TimeoutError, ValueError, LookupError):
            async with asyncio.timeout(ANSWER_SECONDS):
                head, _, body = (await self._answer()).partition(b"\r\n\r\n")
            if head.split()[1:2] == [OK]:
                return {}
            parts: dict[str, JsonObject] = loads(body)["parts"]
            return next((_as_problem(part) for part in parts.values() if part["status"] != "ok"), None)
        return None

    async def _answer(self) -> bytes:
        reader, writer = await asyncio.open_connection(self._address.local_host, self._address.port)
        try:
            # HTTP/1.0: the body is never cut into chunks, and ends with the connection.
            writer.write(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return await reader.read()
        finally:
            writer.close()


def _as_problem(part: JsonObject) -> JsonObject:
    known = {"code": part.get("code"), "detail": part.get("problem"), "hint": part.get("hint")}
    return {key: value for key, value in known.items() if value is not None}
