"""Counts sign-ins in Valkey: so many for an account and for a network address, then 429.

An attempt is counted before the password is looked at, so that a hundred sent at once count a hundred, and
taken back when it was right. Whoever knows an address can thereby keep its owner from signing in by
password for a while; one-time links and sessions go on working.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address, ip_network

from redis.exceptions import RedisError

from raptorflow.accounts.errors import TooManySignIns
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.accounts.tokens.secrets import token_hash
from raptorflow.core.errors import ValkeyUnavailable
from raptorflow.core.valkey import Valkey

IPV6_NETWORK_BITS = 64


class Attempts:
    """Attempts at signing in.

    Args:
        valkey: where they are counted.
        settings: how many in which time.
    """

    def __init__(self, valkey: Valkey, settings: AccountsSettings) -> None:
        self._valkey = valkey
        self._settings = settings

    @asynccontextmanager
    async def counted(self, account: str, address: str | None) -> AsyncGenerator[None]:
        """Count an attempt that the block makes; a block that does not raise was no failure.

        Args:
            account: what is being guessed at.
            address: the network address it comes from; none when the caller is signed in.

        Raises:
            TooManySignIns: too many failed; `details` say when to come back.
            ValkeyUnavailable: they cannot be counted, and uncounted ones are not allowed.
        """
        limits = {_key("account", account): self._settings.sign_in_attempts}
        if address:
            limits[_key("address", _network(address))] = self._settings.sign_in_attempts_per_address
        try:
            await self._count(limits)
            yield
            await self._take_back(limits)
        except RedisError as error:
            raise ValkeyUnavailable("Sign-ins cannot be counted: Valkey does not answer.") from error

    async def _count(self, limits: dict[str, int]) -> None:
        window = self._settings.sign_in_window_seconds
        async with self._valkey.pipeline() as pipe:
            for key in limits:
                pipe.incr(key).expire(key, window, nx=True).ttl(key)
            answers = await pipe.execute()
        counts = zip(limits.values(), answers[0::3], answers[2::3], strict=True)
        waits = [int(seconds) for limit, count, seconds in counts if count > limit]
        if waits:
            wait = max(1, *waits)
            raise TooManySignIns(
                f"Too many failed sign-ins; the next is possible in {wait} seconds.",
                details={"retry_after_seconds": wait},
            )

    async def _take_back(self, limits: dict[str, int]) -> None:
        account, *address = limits
        async with self._valkey.pipeline() as pipe:
            pipe.delete(account)
            # Somebody's right password does not clear what others from there got wrong.
            for key in address:
                pipe.decr(key)
            await pipe.execute()


def _key(kind: str, text: str) -> str:
    return f"accounts:sign-in:{kind}:{token_hash(text)}"


def _network(address: str) -> str:
    """One machine has a whole IPv6 network to send from."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        return str(ip_network((known, IPV6_NETWORK_BITS), strict=False))
    return address
