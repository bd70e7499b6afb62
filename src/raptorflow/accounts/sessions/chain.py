"""Refresh tokens: each is exchanged once for the next, and one that comes twice ends the session.

An answer may be lost on its way, so for `refresh_grace_seconds` a token is taken again and gets another
successor, as long as none of its successors was used. The first successor to be used revokes the others:
when a thief and the owner both hold one, the second to come is found out, and the whole family ends.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.errors import RefreshReused, TokenRefused
from raptorflow.accounts.identity import ALL_SCOPES, Caller, Role
from raptorflow.accounts.models import RefreshToken
from raptorflow.accounts.parts import Parts
from raptorflow.accounts.schemas import TokenPair
from raptorflow.accounts.sessions.repository import SessionsRepository
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.accounts.tokens.issuer import Issuer
from raptorflow.accounts.tokens.secrets import new_token, token_hash
from raptorflow.base.clock import utc_now
from raptorflow.base.ids import new_id


class RefreshChain:
    """Begins, renews and ends sessions, over one transaction."""

    def __init__(self, repository: SessionsRepository, issuer: Issuer, settings: AccountsSettings) -> None:
        self._repository = repository
        self._issuer = issuer
        self._settings = settings

    async def begin(self, user_id: UUID, org_id: UUID) -> TokenPair:
        """A new session that acts for an organisation.

        Raises:
            TokenRefused: the user is no member.
        """
        first = RefreshToken(user_id=user_id, active_org_id=org_id, family=new_id(), parent_id=None)
        return await self._give(first)

    async def renew(self, token: str) -> TokenPair | RefreshReused:
        """Exchange a refresh token. A reuse is returned, not raised, so that the revocation is kept.

        Raises:
            TokenRefused: it is unknown, too old, or its session has ended.
        """
        now = utc_now()
        row = await self._repository.refresh_token(token_hash(token))
        if row is None or row.expires_at <= now:
            raise _not_valid()
        if row.revoked_at or await self._is_reuse(row):
            if await self._repository.revoke_family(row.family, now):
                return RefreshReused("A refresh token was used a second time; the session has been ended.")
            raise _not_valid()
        if row.used_at is None:
            row.used_at = now
            if row.parent_id:
                await self._repository.revoke_siblings(row, now)
        following = RefreshToken(
            user_id=row.user_id, active_org_id=row.active_org_id, family=row.family, parent_id=row.id
        )
        return await self._give(following)

    async def end(self, token: str) -> None:
        """End the session of a refresh token; an unknown one is fine."""
        row = await self._repository.refresh_token(token_hash(token))
        if row:
            await self._repository.revoke_family(row.family, utc_now())

    async def _is_reuse(self, row: RefreshToken) -> bool:
        if row.used_at is None:
            return False
        grace = timedelta(seconds=self._settings.refresh_grace_seconds)
        return row.used_at + grace < utc_now() or await self._repository.child_was_used(row)

    async def _give(self, row: RefreshToken) -> TokenPair:
        role = await self._repository.role(row.active_org_id, row.user_id)
        if role is None:
            raise TokenRefused("You are not a member of this organisation.", hint="Choose another one.")
        token = new_token()
        row.token_hash = token_hash(token)
        row.expires_at = utc_now() + timedelta(seconds=self._settings.refresh_seconds)
        await self._repository.add(row)
        caller = Caller(row.user_id, row.active_org_id, Role(role), ALL_SCOPES, "session")
        return TokenPair(
            access_token=self._issuer.issue(caller, row.family),
            refresh_token=token,
            expires_in=self._settings.access_seconds,
        )


@asynccontextmanager
async def open_chain(parts: Parts) -> AsyncGenerator[tuple[AsyncSession, RefreshChain]]:
    """One transaction for a session's affairs; commits on leaving."""
    # Before the transaction: loading keys takes a connection of its own, and a pool may have only one.
    issuer = await parts.keyring.issuer()
    async with parts.database.system_session() as session:
        yield session, RefreshChain(SessionsRepository(session), issuer, parts.settings)


def _not_valid() -> TokenRefused:
    return TokenRefused("The refresh token is not valid any more.", hint="Sign in again.")
