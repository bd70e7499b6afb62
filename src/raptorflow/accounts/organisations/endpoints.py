"""Organisations, members and invitations over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from raptorflow.accounts.browser import API_PATH
from raptorflow.accounts.identity import Role
from raptorflow.accounts.permissions import (
    Accounts,
    AccountsAdmin,
    AccountsAdminSession,
    AccountsRead,
    AccountsSession,
    AccountsWrite,
)
from raptorflow.accounts.schemas import (
    InvitationView,
    LinkRedemption,
    MadeInvitation,
    MemberView,
    NewInvitation,
    NewOrganisation,
    OrganisationView,
    RoleChange,
)

router = APIRouter(prefix=API_PATH, tags=["accounts"])
NO_CONTENT = 204


@router.get("/organisations")
async def organisations(caller: AccountsRead, accounts: Accounts) -> list[OrganisationView]:
    """The caller's organisations."""
    return await accounts.organisations.mine(caller)


@router.post("/organisations", status_code=201)
async def create_organisation(
    new: NewOrganisation, caller: AccountsSession, accounts: Accounts
) -> OrganisationView:
    """Make an organisation; the caller becomes its owner."""
    return await accounts.organisations.create(caller, new)


@router.get("/members")
async def members(caller: AccountsRead, accounts: Accounts) -> list[MemberView]:
    """The members of the caller's organisation."""
    return await accounts.organisations.members(caller)


@router.put("/members/{user_id}", status_code=NO_CONTENT)
async def change_role(user_id: UUID, change: RoleChange, caller: AccountsAdmin, accounts: Accounts) -> None:
    """Give a member another role."""
    await accounts.organisations.change_role(caller, user_id, Role(change.role))


@router.delete("/members/{user_id}", status_code=NO_CONTENT)
async def remove_member(user_id: UUID, caller: AccountsWrite, accounts: Accounts) -> None:
    """End a membership: one's own, or, as an administrator, another's."""
    await accounts.organisations.remove_member(caller, user_id)


@router.get("/invitations")
async def invitations(caller: AccountsAdmin, accounts: Accounts) -> list[InvitationView]:
    """The invitations that wait."""
    return await accounts.invitations.waiting(caller)


@router.post("/invitations", status_code=201)
async def invite(
    new: NewInvitation, caller: AccountsAdminSession, accounts: Accounts, response: Response
) -> MadeInvitation:
    """Invite somebody into the caller's organisation; hand the one-time link over."""
    response.headers["Cache-Control"] = "no-store"
    return await accounts.invitations.invite(caller, new)


@router.post("/invitations/accept")
async def accept(link: LinkRedemption, caller: AccountsSession, accounts: Accounts) -> OrganisationView:
    """Join an organisation, signed in to the account that the invitation is for."""
    return await accounts.invitations.accept(caller, link.token.get_secret_value())


@router.delete("/invitations/{invitation_id}", status_code=NO_CONTENT)
async def take_back(invitation_id: UUID, caller: AccountsAdmin, accounts: Accounts) -> None:
    """Take an invitation back."""
    await accounts.invitations.take_back(caller, invitation_id)
