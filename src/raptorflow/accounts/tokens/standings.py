"""Whether a session still stands: known for seconds, so that a request costs no query.

What ends a session (sign-out, a removed member, a revoked family) is seen at once by the process that
did it and within `BELIEVED_SECONDS` by every other.
"""

from dataclasses import dataclass
from uuid import UUID

from raptorflow.accounts.errors import TokenRefused
from raptorflow.accounts.identity import Caller, Role
from raptorflow.accounts.tokens.issuer import Session
from raptorflow.accounts.tokens.recent import Recent, believed_until
from raptorflow.accounts.tokens.repository import TokensRepository
from raptorflow.core.db import Database


@dataclass(frozen=True)
class Standing:
    """The caller with today's role, and since when sessions are valid (Unix seconds)."""

    caller: Caller
    valid_after: float


class Standings:
    """The sessions' standings, a few seconds old at most."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recent = Recent[tuple[UUID, UUID, UUID, frozenset[str]], Standing]()

    async def caller(self, session: Session) -> Caller:
        """The caller with the role of this moment.

        Raises:
            TokenRefused: the session was ended, or the user is no member any more.
        """
        caller = session.caller
        key = (session.family, caller.user_id, caller.org_id, caller.scopes)
        standing = self._recent.get(key)
        if standing is None:
            deadline = believed_until()
            standing = await self._look_up(session)
            self._recent.put(key, standing, deadline)
        if session.issued_at < standing.valid_after:
            raise _signed_out()
        return standing.caller

    def forget(self) -> None:
        """Ask the database again from now on."""
        self._recent.forget()

    async def _look_up(self, session: Session) -> Standing:
        caller = session.caller
        async with self._database.system_session() as transaction:
            found = await TokensRepository(transaction).standing(
                caller.org_id, caller.user_id, session.family
            )
        if found is None:
            raise TokenRefused("You are not a member of this organisation any more.", hint="Sign in again.")
        role, valid_after, is_live = found
        if not is_live:
            raise _signed_out()
        now = Caller(caller.user_id, caller.org_id, Role(role), caller.scopes, "session")
        return Standing(now, valid_after.timestamp())


def _signed_out() -> TokenRefused:
    return TokenRefused("This session was signed out.", hint="Sign in again.")
