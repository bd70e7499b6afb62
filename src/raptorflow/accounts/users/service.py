"""People and their accounts."""

from uuid import UUID

from raptorflow.accounts.errors import AccountNotFound, EmailTaken, ServerAdminNeeded
from raptorflow.accounts.identity import Caller
from raptorflow.accounts.models import User
from raptorflow.accounts.organisations.views import organisation_view
from raptorflow.accounts.parts import Parts
from raptorflow.accounts.schemas import Me, MeChange, NewUser
from raptorflow.accounts.users.repository import UsersRepository
from raptorflow.core.telemetry import logger

log = logger(__name__)


class Users:
    """Accounts. Each call is one transaction."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.database

    async def ensure(self, email: str, name: str, *, admin: bool = False) -> UUID:
        """The id of the user with an address; made when there is none, also when two processes do it.

        An account that exists stays as it is, administrator or not.

        Raises:
            AccountNotFound: the account was deleted just then.
        """
        async with self._database.system_session() as session:
            repository = UsersRepository(session)
            made = await repository.add_user(email, name, admin=admin)
            if made:
                return made
            known = await repository.user_by_email(email)
        if known is None:
            raise AccountNotFound(f"The account of {email} was deleted a moment ago.")
        return known.id

    async def create(self, email: str, name: str, *, admin: bool = False) -> UUID:
        """Make a user and a personal organisation.

        Raises:
            EmailTaken: the address has an account.
        """
        async with self._database.system_session() as session:
            user_id = await UsersRepository(session).add_user(email, name, admin=admin)
        if user_id is None:
            raise EmailTaken(f"{email} has an account already.")
        log.info("account made", user_id=str(user_id))
        return user_id

    async def create_by(self, caller: Caller, new: NewUser) -> UUID:
        """Make an account for somebody, as an administrator of the server.

        Raises:
            ServerAdminNeeded: the caller is none.
            EmailTaken: the address has an account.
        """
        await self._need_admin(caller)
        return await self.create(new.email, new.name)

    async def find_by(self, caller: Caller, email: str) -> UUID:
        """The id of the user with an address, for an administrator of the server.

        Raises:
            ServerAdminNeeded: the caller is none.
            AccountNotFound: nobody has the address.
        """
        await self._need_admin(caller)
        async with self._database.system_session() as session:
            user = await UsersRepository(session).user_by_email(email)
        if user is None:
            raise AccountNotFound(f"Nobody has the address {email}.")
        return user.id

    async def personal_organisation(self, user_id: UUID) -> UUID:
        """The organisation that a user has of their own.

        Raises:
            AccountNotFound: there is no such user.
        """
        return (await self._known(user_id)).personal_org_id

    async def name_of(self, user_id: UUID) -> str | None:
        """A user's display name; None when there is no such user (any more)."""
        async with self._database.system_session() as session:
            user = await UsersRepository(session).user(user_id)
        return user.name if user else None

    async def me(self, caller: Caller) -> Me:
        """The caller, with all organisations."""
        async with self._database.system_session() as session:
            repository = UsersRepository(session)
            user = await repository.user(caller.user_id)
            found = await repository.organisations(caller.user_id)
        if user is None:
            raise AccountNotFound("There is no such user.")
        return Me(
            id=user.id,
            email=user.email,
            name=user.name,
            is_admin=user.is_admin,
            has_password=user.password_hash is not None,
            organisation_id=caller.org_id,
            organisations=[organisation_view(organisation, role) for organisation, role in found],
        )

    async def change(self, caller: Caller, change: MeChange) -> Me:
        """Change what people may change about themselves."""
        async with self._database.system_session() as session:
            await UsersRepository(session).rename(caller.user_id, change.name)
        return await self.me(caller)

    async def _need_admin(self, caller: Caller) -> None:
        if not (await self._known(caller.user_id)).is_admin:
            raise ServerAdminNeeded("Only an administrator of the server may do this.")

    async def _known(self, user_id: UUID) -> User:
        async with self._database.system_session() as session:
            user = await UsersRepository(session).user(user_id)
        if user is None:
            raise AccountNotFound("There is no such user.")
        return user
