"""Every query of the accounts room. Sign-in has no organisation yet, so these run in a system session."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.models import (
    AccessToken,
    Membership,
    OneTimeLink,
    Organisation,
    RefreshToken,
    SigningKey,
    User,
)

# Keys are made once for an installation, however many processes start at once.
SIGNING_KEY_LOCK = 7_246_002


class AccountsRepository:
    """The queries, over one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def user(self, user_id: UUID) -> User | None:
        """A user by id."""
        return await self._session.get(User, user_id)

    async def user_by_email(self, email: str) -> User | None:
        """A user by address."""
        return await self._session.scalar(select(User).where(User.email == email.lower()))

    async def first_admin(self) -> User | None:
        """The oldest administrator of the installation."""
        return await self._session.scalar(select(User).where(User.is_admin).order_by(User.id).limit(1))

    async def add(self, row: Any) -> None:
        """Write a new row."""
        self._session.add(row)
        await self._session.flush()

    async def set_password(self, user_id: UUID, password_hash: str) -> None:
        """Replace a user's password hash."""
        await self._session.execute(
            update(User).where(User.id == user_id).values(password_hash=password_hash)
        )

    async def end_sessions(self, user_id: UUID, moment: datetime) -> None:
        """Let no session issued before `moment` go on."""
        await self._session.execute(update(User).where(User.id == user_id).values(tokens_valid_after=moment))
        await self._session.execute(
            update(RefreshToken)
            .where(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
            .values(revoked_at=moment)
        )

    async def organisation_by_slug(self, slug: str) -> Organisation | None:
        """An organisation by its name in URLs."""
        return await self._session.scalar(select(Organisation).where(Organisation.slug == slug))

    async def organisation(self, org_id: UUID) -> Organisation | None:
        """An organisation by id."""
        return await self._session.get(Organisation, org_id)

    async def organisations_of(self, user_id: UUID) -> Sequence[tuple[Organisation, str]]:
        """A user's organisations, each with the user's role, the personal one first."""
        found = await self._session.execute(
            select(Organisation, Membership.role)
            .join(Membership, Membership.org_id == Organisation.org_id)
            .where(Membership.user_id == user_id)
            .order_by(Organisation.is_personal.desc(), Organisation.slug)
        )
        return [(organisation, role) for organisation, role in found]

    async def membership(self, org_id: UUID, user_id: UUID) -> Membership | None:
        """A user's membership in an organisation."""
        return await self._session.scalar(
            select(Membership).where(Membership.org_id == org_id, Membership.user_id == user_id)
        )

    async def standing(self, org_id: UUID, user_id: UUID) -> tuple[str, datetime] | None:
        """A member's role, and since when sessions are valid."""
        found = await self._session.execute(
            select(Membership.role, User.tokens_valid_after)
            .join(User, User.id == Membership.user_id)
            .where(Membership.org_id == org_id, Membership.user_id == user_id)
        )
        row = found.first()
        return (row[0], row[1]) if row else None

    async def members(self, org_id: UUID) -> Sequence[tuple[User, str]]:
        """The members of an organisation, each with the role."""
        found = await self._session.execute(
            select(User, Membership.role)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.org_id == org_id)
            .order_by(User.email)
        )
        return [(user, role) for user, role in found]

    async def owners(self, org_id: UUID) -> int:
        """How many owners an organisation has; locks its memberships until the transaction ends."""
        found = await self._session.execute(
            select(Membership.role).where(Membership.org_id == org_id).with_for_update()
        )
        return sum(role == "owner" for (role,) in found)

    async def remove_member(self, org_id: UUID, user_id: UUID) -> None:
        """End a membership, and the tokens that spoke for it."""
        for table in (Membership, AccessToken):
            await self._session.execute(delete(table).where(table.org_id == org_id, table.user_id == user_id))

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
        """A refresh token, locked until the transaction ends."""
        return await self._session.scalar(
            select(RefreshToken).where(RefreshToken.token_hash == token_hash).with_for_update()
        )

    async def revoke_family(self, family: UUID, now: datetime) -> None:
        """Revoke every refresh token of one sign-in."""
        await self._session.execute(
            update(RefreshToken)
            .where(RefreshToken.family == family, RefreshToken.revoked_at.is_(None))
            .values(revoked_at=now)
        )

    async def access_tokens(self, org_id: UUID, user_id: UUID) -> Sequence[AccessToken]:
        """A user's personal access tokens in an organisation, the newest first."""
        found = await self._session.scalars(
            select(AccessToken)
            .where(AccessToken.org_id == org_id, AccessToken.user_id == user_id)
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

    async def signing_keys(self) -> Sequence[SigningKey]:
        """All keys, the oldest first; waits for another process that makes the first one."""
        await self._session.execute(select(func.pg_advisory_xact_lock(SIGNING_KEY_LOCK)))
        found = await self._session.scalars(select(SigningKey).order_by(SigningKey.id))
        return found.all()

    async def add_organisation_once(self, organisation: Organisation) -> None:
        """Write an organisation unless its slug is there."""
        values = {
            "org_id": organisation.org_id,
            "slug": organisation.slug,
            "name": organisation.name,
            "is_personal": organisation.is_personal,
        }
        await self._session.execute(
            insert(Organisation).values(**values).on_conflict_do_nothing(index_elements=["slug"])
        )
