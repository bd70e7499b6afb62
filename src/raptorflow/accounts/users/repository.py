"""Queries on users."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.identity import Role
from raptorflow.accounts.models import Membership, Organisation, User
from raptorflow.base.clock import utc_now
from raptorflow.base.ids import new_id

LONGEST_SLUG_OF_ADDRESS = 40


class UsersRepository:
    """The queries, over one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def user(self, user_id: UUID) -> User | None:
        """A user by id."""
        return await self._session.get(User, user_id)

    async def user_by_email(self, email: str) -> User | None:
        """A user by address."""
        return await self._session.scalar(select(User).where(User.email == email.lower()))

    async def rename(self, user_id: UUID, name: str) -> None:
        """Change a user's name."""
        await self._session.execute(update(User).where(User.id == user_id).values(name=name))

    async def organisations(self, user_id: UUID) -> list[tuple[Organisation, str]]:
        """A user's organisations, each with the user's role, the personal one first."""
        found = await self._session.execute(
            select(Organisation, Membership.role)
            .join(Membership, Membership.org_id == Organisation.org_id)
            .where(Membership.user_id == user_id)
            .order_by(Organisation.is_personal.desc(), Organisation.slug)
        )
        return [(organisation, role) for organisation, role in found]

    async def add_user(self, email: str, name: str, *, admin: bool = False) -> UUID | None:
        """Write a user with a personal organisation; None when the address has an account.

        A second process that adds the same address waits for the first one's transaction.
        """
        user_id, org_id = new_id(), new_id()
        added = await self._session.scalar(
            insert(User)
            .values(
                id=user_id,
                email=email.lower(),
                name=name,
                is_admin=admin,
                personal_org_id=org_id,
                tokens_valid_after=utc_now(),
            )
            .on_conflict_do_nothing(index_elements=["email"])
            .returning(User.id)
        )
        if added is None:
            return None
        # The id's end is random: a slug nobody else has, and no address in it.
        slug = f"{_slug_of(email)}-{user_id.hex[-8:]}"
        self._session.add(Organisation(org_id=org_id, slug=slug, name=name, is_personal=True))
        self._session.add(Membership(org_id=org_id, user_id=user_id, role=Role.OWNER))
        await self._session.flush()
        return user_id


def _slug_of(email: str) -> str:
    local = email.partition("@")[0].lower()
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in local)
    words = "-".join(part for part in kept.split("-") if part)
    return words[:LONGEST_SLUG_OF_ADDRESS].strip("-") or "user"
