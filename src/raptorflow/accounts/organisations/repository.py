"""Queries on organisations, members and invitations."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.identity import Role
from raptorflow.accounts.models import (
    AccessToken,
    Invitation,
    Membership,
    Organisation,
    TrustedPublisher,
    User,
)


class OrganisationsRepository:
    """The queries, over one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def organisation(self, org_id: UUID) -> Organisation | None:
        """An organisation by id."""
        return await self._session.get(Organisation, org_id)

    async def organisation_by_slug(self, slug: str) -> Organisation | None:
        """An organisation by its name in URLs."""
        return await self._session.scalar(select(Organisation).where(Organisation.slug == slug))

    async def add_organisation(self, organisation: Organisation) -> bool:
        """Write an organisation unless its slug is there; whether it was written."""
        values = {
            "org_id": organisation.org_id,
            "slug": organisation.slug,
            "name": organisation.name,
            "is_personal": organisation.is_personal,
        }
        added = await self._session.scalar(
            insert(Organisation)
            .values(**values)
            .on_conflict_do_nothing(index_elements=["slug"])
            .returning(Organisation.org_id)
        )
        return added is not None

    async def user_by_email(self, email: str) -> User | None:
        """A user by address."""
        return await self._session.scalar(select(User).where(User.email == email))

    async def user(self, user_id: UUID) -> User | None:
        """A user by id."""
        return await self._session.get(User, user_id)

    async def add_member(self, org_id: UUID, user_id: UUID, role: Role) -> bool:
        """Write a membership unless there is one; whether it was written."""
        row = Membership(org_id=org_id, user_id=user_id, role=role)
        if await self.membership(org_id, user_id):
            return False
        self._session.add(row)
        await self._session.flush()
        return True

    async def membership(self, org_id: UUID, user_id: UUID) -> Membership | None:
        """A user's membership in an organisation."""
        return await self._session.scalar(
            select(Membership).where(Membership.org_id == org_id, Membership.user_id == user_id)
        )

    async def members(self, org_id: UUID) -> list[tuple[User, str]]:
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
            select(Membership.role)
            .where(Membership.org_id == org_id)
            .order_by(Membership.id)
            .with_for_update()
        )
        return sum(role == Role.OWNER for (role,) in found)

    async def remove_member(self, org_id: UUID, user_id: UUID) -> None:
        """End a membership, what spoke for it, and the invitations that came from it."""
        for table in (Membership, AccessToken, TrustedPublisher):
            await self._session.execute(delete(table).where(table.org_id == org_id, table.user_id == user_id))
        await self._session.execute(
            delete(Invitation).where(
                Invitation.org_id == org_id, Invitation.invited_by == user_id, Invitation.used_at.is_(None)
            )
        )

    async def add_invitation(self, invitation: Invitation) -> None:
        """Write an invitation; one that waits for the same address is replaced."""
        await self._session.execute(
            delete(Invitation).where(
                Invitation.org_id == invitation.org_id,
                Invitation.email == invitation.email,
                Invitation.used_at.is_(None),
            )
        )
        self._session.add(invitation)
        await self._session.flush()

    async def invitations(self, org_id: UUID, now: datetime) -> Sequence[Invitation]:
        """An organisation's invitations that wait, the newest first."""
        found = await self._session.scalars(
            select(Invitation)
            .where(Invitation.org_id == org_id, Invitation.used_at.is_(None), Invitation.expires_at > now)
            .order_by(Invitation.id.desc())
        )
        return found.all()

    async def delete_invitation(self, org_id: UUID, invitation_id: UUID) -> bool:
        """Take an invitation back; False when none of this id waits."""
        found = await self._session.scalar(
            delete(Invitation)
            .where(Invitation.id == invitation_id, Invitation.org_id == org_id, Invitation.used_at.is_(None))
            .returning(Invitation.id)
        )
        return found is not None

    async def spend_invitation(self, token_hash: str, now: datetime) -> Invitation | None:
        """Use up an invitation; None when it is spent, too old, taken back or unknown."""
        return await self._session.scalar(
            update(Invitation)
            .where(
                Invitation.token_hash == token_hash,
                Invitation.used_at.is_(None),
                Invitation.expires_at > now,
            )
            .values(used_at=now)
            .returning(Invitation)
        )
