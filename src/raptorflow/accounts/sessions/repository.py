"""Queries on one-time links and refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.models import Membership, OneTimeLink, RefreshToken, User


class SessionsRepository:
    """The queries, over one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, row: OneTimeLink | RefreshToken) -> None:
        """Write a new row."""
        self._session.add(row)
        await self._session.flush()

    async def user(self, user_id: UUID) -> User | None:
        """A user by id."""
        return await self._session.get(User, user_id)

    async def user_by_email(self, email: str) -> User | None:
        """A user by address."""
        return await self._session.scalar(select(User).where(User.email == email.lower()))

    async def role(self, org_id: UUID, user_id: UUID) -> str | None:
        """A user's role in an organisation."""
        return await self._session.scalar(
            select(Membership.role).where(Membership.org_id == org_id, Membership.user_id == user_id)
        )

    async def spend_link(self, token_hash: str, now: datetime) -> UUID | None:
        """Use up a one-time link; the user it signs in, or None when it is spent or unknown."""
        return await self._session.scalar(
            update(OneTimeLink)
            .where(
                OneTimeLink.token_hash == token_hash,
                OneTimeLink.used_at.is_(None),
                OneTimeLink.expires_at > now,
            )
            .values(used_at=now)
            .returning(OneTimeLink.user_id)
        )

    async def refresh_token(self, token_hash: str) -> RefreshToken | None:
        """A refresh token, locked until the transaction ends.

        Its user is locked first, as `end_sessions` does: a renewal either comes before a sign-out
        everywhere, which then ends what it gave, or after it and is refused.
        """
        found = select(RefreshToken).where(RefreshToken.token_hash == token_hash)
        row = await self._session.scalar(found)
        if row is None:
            return None
        await self._session.execute(select(User.id).where(User.id == row.user_id).with_for_update(read=True))
        fresh = found.with_for_update().execution_options(populate_existing=True)
        return await self._session.scalar(fresh)

    async def child_was_used(self, token: RefreshToken) -> bool:
        """Whether a token given in exchange for this one has been exchanged in turn."""
        used = exists().where(
            RefreshToken.family == token.family,
            RefreshToken.parent_id == token.id,
            RefreshToken.used_at.is_not(None),
        )
        return bool(await self._session.scalar(select(used)))

    async def revoke_siblings(self, token: RefreshToken, now: datetime) -> None:
        """Revoke the other tokens that were given in exchange for the same one."""
        await self._session.execute(
            update(RefreshToken)
            .where(
                RefreshToken.family == token.family,
                RefreshToken.parent_id == token.parent_id,
                RefreshToken.id != token.id,
                RefreshToken.revoked_at.is_(None),
            )
            .values(revoked_at=now)
        )

    async def revoke_family(self, family: UUID, now: datetime) -> bool:
        """Revoke every refresh token of one sign-in; whether one was left."""
        revoked = await self._session.scalars(
            update(RefreshToken)
            .where(RefreshToken.family == family, RefreshToken.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(RefreshToken.id)
        )
        return bool(revoked.all())

    async def end_sessions(self, user_id: UUID, moment: datetime) -> None:
        """Let no session issued before `moment` go on."""
        await self._session.execute(update(User).where(User.id == user_id).values(tokens_valid_after=moment))
        await self._session.execute(
            update(RefreshToken)
            .where(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
            .values(revoked_at=moment)
        )

    async def still_has_password(self, user_id: UUID, known_hash: str) -> bool:
        """Whether a password's hash is the same as before; it stays so until the transaction ends."""
        same = select(User.id).where(User.id == user_id, User.password_hash == known_hash)
        return await self._session.scalar(same.with_for_update(read=True)) is not None

    async def set_password_hash(self, user_id: UUID, old_hash: str | None, new_hash: str) -> bool:
        """Replace a password's hash; False when another change came first."""
        changed = await self._session.scalar(
            update(User)
            .where(User.id == user_id, User.password_hash.is_not_distinct_from(old_hash))
            .values(password_hash=new_hash)
            .returning(User.id)
        )
        return changed is not None

    async def forget_expired(self, moment: datetime) -> None:
        """Delete links and refresh tokens that ended before `moment`."""
        for table in (OneTimeLink, RefreshToken):
            await self._session.execute(delete(table).where(table.expires_at < moment))
