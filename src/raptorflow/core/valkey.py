"""Valkey: live deltas, counters and wake-up calls. It may lose them; PostgreSQL may not."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from raptorflow.core.errors import ValkeyUnavailable, ValkeyUrlInvalid

Fields = Mapping[str, str | int | float]
StreamEntry = tuple[str, dict[str, str]]
"""An entry's id and its fields."""


class Valkey(Protocol):
    """The commands the product uses, with their types (redis-py leaves them open)."""

    async def ping(self) -> bool:
        """Answer, when alive."""
        ...

    async def get(self, name: str) -> str | None:
        """A key's text."""
        ...

    async def set(self, name: str, value: str, *, ex: int | None = None, nx: bool = False) -> bool | None:
        """Set a key, for `ex` seconds, only when absent with `nx`."""
        ...

    async def delete(self, *names: str) -> int:
        """Forget keys; how many there were."""
        ...

    async def incr(self, name: str) -> int:
        """Count up."""
        ...

    async def expire(self, name: str, time: int) -> bool:
        """Let a key end in `time` seconds."""
        ...

    async def rpush(self, name: str, *values: str) -> int:
        """Append to a list."""
        ...

    async def lpop(self, name: str, count: int) -> list[str] | None:
        """Take a list's first elements, `count` at most."""
        ...

    async def blpop(self, keys: Sequence[str], seconds: float = 0, /) -> tuple[str, str] | None:
        """Wait for a list's first element, `seconds` at most (0: for ever)."""
        ...

    async def xadd(
        self, name: str, fields: Fields, *, maxlen: int | None = None, approximate: bool = True
    ) -> str:
        """Append to a stream, trimmed to about `maxlen`; the entry's id."""
        ...

    async def xread(
        self, streams: Mapping[str, str], *, count: int | None = None, block: int | None = None
    ) -> list[tuple[str, list[StreamEntry]]]:
        """Entries after the given ids, waiting `block` milliseconds at most."""
        ...

    async def publish(self, channel: str, message: str) -> int:
        """Tell a channel's listeners."""
        ...

    def pubsub(self, **options: Any) -> Any:
        """Listen on channels (redis-py's PubSub)."""
        ...

    def pipeline(self, transaction: bool = True) -> Any:
        """Send several commands at once (redis-py's Pipeline)."""
        ...

    async def aclose(self) -> None:
        """Close the pool."""
        ...


def open_valkey(url: str) -> Valkey:
    """A client over its own pool; text answers are `str`.

    Args:
        url: `redis://:password@host:port/0`, `rediss://...` or `unix://:password@/path`.

    Raises:
        ValkeyUrlInvalid: it is none of these.
    """
    # RESP2 keeps XREAD's answer a list of pairs on every server version.
    factory: Any = Redis
    try:
        return factory.from_url(url, decode_responses=True, protocol=2)
    except ValueError as error:
        raise ValkeyUrlInvalid("Valkey's URL cannot be read.") from error


async def check_valkey(client: Valkey) -> None:
    """Verify that Valkey answers.

    Raises:
        ValkeyUnavailable: it does not, or it refuses the password.
    """
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        raise ValkeyUnavailable(f"Valkey does not answer: {error}") from error
