"""Organisations and who is in them."""

from uuid import UUID

from raptorflow.accounts.errors import AccountNotFound, LastOwner, RoleTooLow, SlugTaken
from raptorflow.accounts.identity import Caller, Role
from raptorflow.accounts.models import Membership, Organisation
from raptorflow.accounts.organisations.repository import OrganisationsRepository
from raptorflow.accounts.organisations.views import organisation_view
from raptorflow.accounts.parts import Parts
from raptorflow.accounts.schemas import MemberView, NewOrganisation, OrganisationView
from raptorflow.accounts.users.repository import UsersRepository
from raptorflow.base.ids import new_id
from raptorflow.core.telemetry import logger

log = logger(__name__)

# The product's own namespace; its skills come with the product.
RESERVED_SLUGS = frozenset({"raptorflow"})


class Organisations:
    """Organisations and members. Each call is one transaction."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._slugs: dict[UUID, str] = {}

    async def ensure(self, slug: str, name: str) -> UUID:
        """The id of the organisation with a slug; made when there is none, also when two processes do it.

        Raises:
            AccountNotFound: it was deleted just then.
        """
        made = Organisation(org_id=new_id(), slug=slug, name=name, is_personal=False)
        async with self._parts.database.system_session() as session:
            repository = OrganisationsRepository(session)
            if await repository.add_organisation(made):
                return made.org_id
            known = await repository.organisation_by_slug(slug)
        if known is None:
            raise AccountNotFound(f"There is no organisation {slug}.")
        return known.org_id

    async def slug_of(self, org_id: UUID) -> str:
        """An organisation's slug: the namespace of its skills. It never changes.

        Raises:
            AccountNotFound: there is no such organisation.
        """
        if org_id not in self._slugs:
            async with self._parts.database.system_session() as session:
                organisation = await OrganisationsRepository(session).organisation(org_id)
            if organisation is None:
                raise AccountNotFound("There is no such organisation.")
            self._slugs[org_id] = organisation.slug
        return self._slugs[org_id]

    async def mine(self, caller: Caller) -> list[OrganisationView]:
        """The caller's organisations, the personal one first."""
        async with self._parts.database.system_session() as session:
            found = await UsersRepository(session).organisations(caller.user_id)
        return [organisation_view(organisation, role) for organisation, role in found]

    async def create(self, caller: Caller, new: NewOrganisation) -> OrganisationView:
        """Make an organisation whose owner is the caller.

        Raises:
            SlugTaken: the slug is in use, or kept for the product.
        """
        if new.slug in RESERVED_SLUGS:
            raise SlugTaken(f"The slug {new.slug} is kept for the product.")
        organisation = Organisation(org_id=new_id(), slug=new.slug, name=new.name, is_personal=False)
        async with self._parts.database.system_session() as session:
            repository = OrganisationsRepository(session)
            if not await repository.add_organisation(organisation):
                raise SlugTaken(f"There is an organisation {new.slug} already.")
            await repository.add_member(organisation.org_id, caller.user_id, Role.OWNER)
        return organisation_view(organisation, Role.OWNER)

    async def members(self, caller: Caller) -> list[MemberView]:
        """The members of the caller's organisation."""
        async with self._parts.database.session(caller.org_id) as session:
            found = await OrganisationsRepository(session).members(caller.org_id)
        return [
            MemberView.model_validate(
                {"user_id": user.id, "email": user.email, "name": user.name, "role": role}
            )
            for user, role in found
        ]

    async def change_role(self, caller: Caller, user_id: UUID, role: Role) -> None:
        """Give a member another role.

        Raises:
            AccountNotFound: there is no such member.
            RoleTooLow: the change reaches above the caller's own role.
            LastOwner: the organisation would be left without an owner.
        """
        async with self._parts.database.session(caller.org_id) as session:
            repository = OrganisationsRepository(session)
            membership = await _changeable(repository, caller, user_id, role)
            membership.role = role
        self._parts.forget()
        log.info("role changed", org_id=str(caller.org_id), user_id=str(user_id), role=role.value)

    async def remove_member(self, caller: Caller, user_id: UUID) -> None:
        """End a membership: an administrator anybody's up to the own role, everybody the own.

        Raises:
            AccountNotFound: there is no such member.
            RoleTooLow: the caller may not remove this member.
            LastOwner: the organisation would be left without an owner.
        """
        async with self._parts.database.session(caller.org_id) as session:
            repository = OrganisationsRepository(session)
            if user_id != caller.user_id and not caller.role.at_least(Role.ADMIN):
                raise RoleTooLow(f"A {caller.role} can remove nobody else.")
            await _changeable(repository, caller, user_id, None)
            await repository.remove_member(caller.org_id, user_id)
        self._parts.forget()
        log.info("member removed", org_id=str(caller.org_id), user_id=str(user_id))


async def _changeable(
    repository: OrganisationsRepository, caller: Caller, user_id: UUID, role: Role | None
) -> Membership:
    """The membership that a caller may change to a role (none: remove)."""
    membership = await repository.membership(caller.org_id, user_id)
    if membership is None:
        raise AccountNotFound("There is no such member.")
    now = Role(membership.role)
    if not (caller.role.at_least(now) and caller.role.at_least(role or Role.MEMBER)):
        raise RoleTooLow(f"A {caller.role} cannot change this role.")
    if now is Role.OWNER and role is not Role.OWNER:
        user = await repository.user(user_id)
        if user and user.personal_org_id == caller.org_id:
            raise LastOwner("This is the member's personal organisation.", hint="It stays theirs.")
        if await repository.owners(caller.org_id) == 1:
            raise LastOwner("This is the organisation's last owner.")
    return membership
