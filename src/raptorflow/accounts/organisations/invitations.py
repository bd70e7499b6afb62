"""Invitations: a role in an organisation that waits behind a one-time link.

The link signs nobody in to an account that exists: the one who invites hands it over and may keep a copy.
A person with an account signs in first and then accepts; a new person's account is made on redeeming.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.errors import (
    AccountNotFound,
    AlreadyMember,
    InvitationForAccount,
    LinkSpent,
    RoleTooLow,
)
from raptorflow.accounts.identity import Caller, Role
from raptorflow.accounts.models import Invitation
from raptorflow.accounts.organisations.repository import OrganisationsRepository
from raptorflow.accounts.organisations.views import organisation_view
from raptorflow.accounts.parts import Parts
from raptorflow.accounts.schemas import (
    InvitationView,
    MadeInvitation,
    NewInvitation,
    OrganisationView,
    TokenPair,
)
from raptorflow.accounts.sessions.chain import open_chain
from raptorflow.accounts.tokens.secrets import INVITATION_PREFIX, new_token, token_hash
from raptorflow.accounts.users.repository import UsersRepository
from raptorflow.base.clock import utc_now
from raptorflow.core.telemetry import logger

log = logger(__name__)


class Invitations:
    """Invitations. Each call is one transaction."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def invite(self, caller: Caller, new: NewInvitation) -> MadeInvitation:
        """Invite somebody into the caller's organisation; only this answer shows the link's token.

        Raises:
            RoleTooLow: the caller would give a role above their own.
            AlreadyMember: the person is a member.
        """
        role = Role(new.role)
        if not caller.role.at_least(role):
            raise RoleTooLow(f"A {caller.role} cannot make somebody {role}.")
        token = new_token(INVITATION_PREFIX)
        row = Invitation(
            org_id=caller.org_id,
            invited_by=caller.user_id,
            email=new.email,
            name=new.name or new.email.partition("@")[0],
            role=role,
            token_hash=token_hash(token),
            expires_at=utc_now() + timedelta(seconds=self._parts.settings.invitation_seconds),
        )
        async with self._parts.database.session(caller.org_id) as session:
            repository = OrganisationsRepository(session)
            if any(user.email == new.email for user, _ in await repository.members(caller.org_id)):
                raise AlreadyMember(f"{new.email} is a member already.")
            await repository.add_invitation(row)
        log.info("invited", org_id=str(caller.org_id), invitation_id=str(row.id), role=role.value)
        return MadeInvitation(**InvitationView.model_validate(row).model_dump(), link_token=token)

    async def waiting(self, caller: Caller) -> list[InvitationView]:
        """The invitations of the caller's organisation that wait."""
        async with self._parts.database.session(caller.org_id) as session:
            found = await OrganisationsRepository(session).invitations(caller.org_id, utc_now())
        return [InvitationView.model_validate(row) for row in found]

    async def take_back(self, caller: Caller, invitation_id: UUID) -> None:
        """Let an invitation's link work no more.

        Raises:
            AccountNotFound: none of this id waits.
        """
        async with self._parts.database.session(caller.org_id) as session:
            if not await OrganisationsRepository(session).delete_invitation(caller.org_id, invitation_id):
                raise AccountNotFound("There is no such invitation.")

    async def redeem(self, token: str) -> TokenPair:
        """Make the invited person's account and sign in to the organisation.

        Raises:
            LinkSpent: the link does not work any more.
            InvitationForAccount: the address has an account; the invitation is not used up.
        """
        async with open_chain(self._parts) as (session, chain):
            invitation = await _spend(session, token)
            user_id = await UsersRepository(session).add_user(invitation.email, invitation.name)
            if user_id is None:
                raise InvitationForAccount("There is an account with the invitation's address.")
            await OrganisationsRepository(session).add_member(
                invitation.org_id, user_id, Role(invitation.role)
            )
            pair = await chain.begin(user_id, invitation.org_id)
        log.info("invitation redeemed", org_id=str(invitation.org_id), user_id=str(user_id))
        return pair

    async def accept(self, caller: Caller, token: str) -> OrganisationView:
        """Take the signed-in caller into the organisation of an invitation to the caller's address.

        Raises:
            LinkSpent: the link does not work any more, or is for another address.
            AlreadyMember: the caller is a member.
        """
        async with self._parts.database.system_session() as session:
            repository = OrganisationsRepository(session)
            invitation = await _spend(session, token)
            user = await repository.user(caller.user_id)
            organisation = await repository.organisation(invitation.org_id)
            if user is None or organisation is None or user.email != invitation.email:
                raise LinkSpent("This invitation is not for your address.")
            if not await repository.add_member(invitation.org_id, user.id, Role(invitation.role)):
                raise AlreadyMember("You are a member already.")
        log.info("invitation accepted", org_id=str(invitation.org_id), user_id=str(caller.user_id))
        return organisation_view(organisation, invitation.role)


async def _spend(session: AsyncSession, token: str) -> Invitation:
    """Use an invitation up, when the one who invited may still give its role."""
    repository = OrganisationsRepository(session)
    invitation = await repository.spend_invitation(token_hash(token), utc_now())
    giver = await repository.membership(invitation.org_id, invitation.invited_by) if invitation else None
    least = max((Role.ADMIN, Role(invitation.role)), key=list(Role).index) if invitation else Role.ADMIN
    if invitation is None or giver is None or not Role(giver.role).at_least(least):
        raise LinkSpent("This invitation does not work any more.", hint="Ask for a new one.")
    return invitation
