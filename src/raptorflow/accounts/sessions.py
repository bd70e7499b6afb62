"""Sign-in sessions: one-time links, passwords, and refresh tokens that rotate."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.errors import LinkSpent, RefreshReused, SignInRefused, TokenRefused
from raptorflow.accounts.identity import ALL_SCOPES, Caller, Role
from raptorflow.accounts.issuer import Issuer
from raptorflow.accounts.models import OneTimeLink, RefreshToken, User
from raptorflow.accounts.passwords import verify_password
from raptorflow.accounts.repository import AccountsRepository
from raptorflow.accounts.schemas import TokenPair
from raptorflow.accounts.secrets import new_token, token_hash
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.clock import utc_now
from raptorflow.base.ids import new_id


class Sessions:
    """The rules of signing in, over one transaction."""

    def __init__(self, session: AsyncSession, issuer: Issuer, settings: AccountsSettings) -> None:
        self._repository = AccountsRepository(session)
        self._issuer = issuer
        self._settings = settings

    async def make_link(self, user_id: UUID) -> str:
        """A one-time link's token for a user."""
        token = new_token()
        expires_at = utc_now() + timedelta(seconds=self._settings.link_seconds)
        await self._repository.add(
            OneTimeLink(user_id=user_id, token_hash=token_hash(token), expires_at=expires_at)
        )
        return token

    async def redeem_link(self, token: str) -> TokenPair:
        """Sign in by a one-time link.

        Raises:
            LinkSpent: it was used, is too old, or was never made.
        """
        user_id = await self._repository.spend_link(token_hash(token), utc_now())
        user = await self._repository.user(user_id) if user_id else None
        if user is None:
            raise LinkSpent("This sign-in link does not work any more.")
        return await self._begin(user)

    async def sign_in(self, email: str, password: str) -> TokenPair:
        """Sign in by a password.

        Raises:
            SignInRefused: the address or the password is wrong.
        """
        user = await self._repository.user_by_email(email)
        if not await verify_password(user.password_hash if user else None, password) or user is None:
            raise SignInRefused("The address or the password is wrong.")
        return await self._begin(user)

    async def switch(self, user_id: UUID, org_id: UUID) -> TokenPair:
        """A session of the same user that acts for another organisation.

        Raises:
            TokenRefused: the user is no member.
        """
        return await self._pair(user_id, org_id, new_id())

    async def refresh(self, token: str) -> TokenPair | RefreshReused:
        """Renew a session. A reuse is returned, not raised, so that the revocation it caused is kept.

        A token that was rotated within the last seconds is taken once more: the answer may have been lost.

        Raises:
            TokenRefused: it is unknown, too old or revoked.
        """
        now = utc_now()
        row = await self._repository.refresh_token(token_hash(token))
        if row is None or row.revoked_at or row.expires_at <= now:
            raise TokenRefused("The refresh token is not valid any more.", hint="Sign in again.")
        grace = timedelta(seconds=self._settings.refresh_grace_seconds)
        if row.used_at and row.used_at + grace < now:
            await self._repository.revoke_family(row.family, now)
            return RefreshReused("A refresh token was used a second time; the session has been ended.")
        row.used_at = row.used_at or now
        return await self._pair(row.user_id, row.active_org_id, row.family)

    async def sign_out(self, token: str) -> None:
        """End the session of a refresh token; an unknown one is fine."""
        row = await self._repository.refresh_token(token_hash(token))
        if row:
            await self._repository.revoke_family(row.family, utc_now())

    async def _begin(self, user: User) -> TokenPair:
        return await self._pair(user.id, user.personal_org_id, new_id())

    async def _pair(self, user_id: UUID, org_id: UUID, family: UUID) -> TokenPair:
        membership = await self._repository.membership(org_id, user_id)
        if membership is None:
            raise TokenRefused("You are not a member of this organisation.", hint="Choose another one.")
        token = new_token()
        await self._repository.add(
            RefreshToken(
                user_id=user_id,
                active_org_id=org_id,
                family=family,
                token_hash=token_hash(token),
                expires_at=utc_now() + timedelta(seconds=self._settings.refresh_seconds),
            )
        )
        caller = Caller(user_id, org_id, Role(membership.role), ALL_SCOPES, "session")
        return TokenPair(
            access_token=self._issuer.issue(caller),
            refresh_token=token,
            expires_in=self._settings.access_seconds,
        )
