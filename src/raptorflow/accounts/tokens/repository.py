"""Queries on tokens, their owners' standing, and signing keys. They run before an organisation is known."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.models import AccessToken, Membership, RefreshToken, SigningKey, User

# Keys are made once for an installation, however many processes start at once.
SIGNING_KEY_LOCK = 7_246_002


class TokensRepository:
    """The queries, over one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, row: AccessToken | SigningKey) -> None:
        """Write a new row."""
        self._session.add(row)
        await self._session.flush()

    async def standing(self, org_id: UUID, user_id: UUID, family: UUID) -> tuple[str, datetime, bool] | None:
        """A member's role, since when sessions are valid, and whether this one was not ended."""
        is_live = exists().where(
            RefreshToken.family == family, RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None)
        )
        found = await self._session.execute(
            select(Membership.role, User.tokens_valid_after, is_live)
            .join(User, User.id == Membership.user_id)
            .where(Membership.org_id == org_id, Membership.user_id == user_id)
        )
        row = found.first()
        return (row[0], row[1], row[2]) if row else None

    async def access_tokens(self, org_id: UUID, user_id: UUID) -> Sequence[AccessToken]:
        """A user's personal access tokens in an organisation, the newest first."""
        found = await self._session.scalars(
            select(AccessToken)
            .where(AccessToken.org_id == org_id, AccessToken.user_id == user_id, AccessToken.build.is_(None))
            .order_by(AccessToken.id.desc())
        )
        return found.all()

    async def access_token(self, token_hash: str, now: datetime) -> tuple[AccessToken, str] | None:
        """A personal access token that is still valid, with its owner's role."""
        found = await self._session.execute(
            select(AccessToken, Membership.role)
            .join(
                Membership,
                (Membership.org_id == AccessToken.org_id) & (Membership.user_id == AccessToken.user_id),
            )
            .where(
                AccessToken.token_hash == token_hash,
                or_(AccessToken.expires_at.is_(None), AccessToken.expires_at > now),
            )
        )
        row = found.first()
        return (row[0], row[1]) if row else None

    async def note_use(self, token_id: UUID, now: datetime, interval: timedelta) -> None:
        """Note that a token was used, unless that was noted within the interval."""
        await self._session.execute(
            update(AccessToken)
            .where(
                AccessToken.id == token_id,
                or_(AccessToken.last_used_at.is_(None), AccessToken.last_used_at < now - interval),
            )
            .values(last_used_at=now)
            .execution_options(synchronize_session=False)
        )

    async def delete_access_token(self, org_id: UUID, user_id: UUID, token_id: UUID) -> bool:
        """Forget one of a user's tokens; False when there is no such one."""
        found = await self._session.scalar(
            delete(AccessToken)
            .where(AccessToken.id == token_id, AccessToken.org_id == org_id, AccessToken.user_id == user_id)
            .returning(AccessToken.id)
        )
        return found is not None

    async def delete_tokens_named(self, org_id: UUID, user_id: UUID, name: str) -> None:
        """Forget a user's tokens of a name."""
        await self._session.execute(
            delete(AccessToken).where(
                AccessToken.org_id == org_id, AccessToken.user_id == user_id, AccessToken.name == name
            )
        )

    async def lock_signing_keys(self) -> None:
        """Wait for another process that makes a key; held until the transaction ends."""
        await self._session.execute(select(func.pg_advisory_xact_lock(SIGNING_KEY_LOCK)))

    async def signing_keys(self) -> Sequence[SigningKey]:
        """All keys, the oldest first."""
        return (await self._session.scalars(select(SigningKey).order_by(SigningKey.id))).all()

    async def delete_signing_key(self, key_id: UUID) -> None:
        """Forget a key."""
        await self._session.execute(delete(SigningKey).where(SigningKey.id == key_id))
