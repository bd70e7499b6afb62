"""`AccountsService`: users, organisations, sessions and tokens.

How long what was ended may go on, at worst: a session that was signed out (everywhere or here), a removed
member, a changed role and a deleted personal access token are seen at once by the process that did it, and
within five seconds by the others (`tokens/recent.py`).
"""

from uuid import UUID

from raptorflow.accounts.identity import Caller
from raptorflow.accounts.organisations.invitations import Invitations
from raptorflow.accounts.organisations.service import Organisations
from raptorflow.accounts.parts import Parts
from raptorflow.accounts.publishers.service import TrustedPublishing
from raptorflow.accounts.schemas import (
    MadeAccessToken,
    MadeInvitation,
    MemberView,
    NewAccessToken,
    NewInvitation,
    OrganisationView,
    TokenPair,
)
from raptorflow.accounts.sessions.passwords import Passwords
from raptorflow.accounts.sessions.service import Sessions
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.accounts.tokens.keyring import Keyring
from raptorflow.accounts.tokens.secrets import INVITATION_PREFIX
from raptorflow.accounts.tokens.service import Tokens
from raptorflow.accounts.tokens.standings import Standings
from raptorflow.accounts.users.service import Users
from raptorflow.core.db import Database
from raptorflow.core.valkey import Valkey


class AccountsService:
    """The facade of the accounts room; other rooms need only its own methods.

    Args:
        database: where everything is.
        valkey: counts failed sign-ins.
        settings: lifetimes and the secret.

    Attributes:
        sessions: signing in and out.
        tokens: personal access tokens.
        users: accounts.
        organisations: organisations and members.
        invitations: who may become a member.
        publishers: repositories whose builds may publish.
        keyring: the signing keys.
    """

    def __init__(self, database: Database, valkey: Valkey, settings: AccountsSettings) -> None:
        self.settings = settings
        self.keyring = Keyring(database, settings)
        parts = Parts(database, valkey, settings, self.keyring, Standings(database))
        self.sessions = Sessions(parts, Passwords())
        self.tokens = Tokens(parts)
        self.users = Users(parts)
        self.organisations = Organisations(parts)
        self.invitations = Invitations(parts)
        self.publishers = TrustedPublishing(parts)

    async def open(self) -> None:
        """Load the signing keys and forget what has expired, before the first request.

        Raises:
            SigningKeysUnreadable: no secret is set, or the keys were encrypted under another.
        """
        await self.keyring.issuer()
        await self.sessions.forget_expired()

    async def authenticate(self, bearer: str) -> Caller:
        """Who a bearer token speaks for; a session's JWT or a personal access token.

        Raises:
            TokenRefused: it is not valid, or not any more.
        """
        return await self.tokens.authenticate(bearer)

    async def ensure_user(self, email: str, name: str, *, admin: bool = False) -> UUID:
        """The id of the user with an address; made, with a personal organisation, when there is none."""
        return await self.users.ensure(email, name, admin=admin)

    async def create_user(self, email: str, name: str, *, admin: bool = False) -> UUID:
        """Make a user and a personal organisation.

        Raises:
            EmailTaken: the address has an account.
        """
        return await self.users.create(email, name, admin=admin)

    async def personal_organisation(self, user_id: UUID) -> UUID:
        """The organisation that a user has of their own.

        Raises:
            AccountNotFound: there is no such user.
        """
        return await self.users.personal_organisation(user_id)

    async def name_of(self, user_id: UUID) -> str | None:
        """A user's display name; None when there is no such user (any more)."""
        return await self.users.name_of(user_id)

    async def ensure_organisation(self, slug: str, name: str) -> UUID:
        """The id of the organisation with a slug; made when there is none."""
        return await self.organisations.ensure(slug, name)

    async def slug_of(self, org_id: UUID) -> str:
        """An organisation's slug: the namespace of its skills.

        Raises:
            AccountNotFound: there is no such organisation.
        """
        return await self.organisations.slug_of(org_id)

    async def one_time_link(self, user_id: UUID) -> str:
        """A token that signs a user in once.

        Raises:
            AccountNotFound: there is no such user.
        """
        return await self.sessions.make_link(user_id)

    async def redeem_link(self, token: str) -> TokenPair:
        """Sign in by the token of a one-time link or an invitation.

        Raises:
            LinkSpent: it does not work any more.
            InvitationForAccount: an invitation's address has an account.
        """
        if token.startswith(INVITATION_PREFIX):
            return await self.invitations.redeem(token)
        return await self.sessions.redeem_link(token)

    async def local_token(self, user_id: UUID, name: str) -> str:
        """A fresh token for the command line of this machine; those of the same name are forgotten."""
        org_id = await self.users.personal_organisation(user_id)
        return await self.tokens.renew_local(user_id, org_id, name)

    async def create_access_token(self, caller: Caller, new: NewAccessToken) -> MadeAccessToken:
        """Make a personal access token; only this answer shows it.

        Raises:
            ScopeMissing: a scope is unknown or not the caller's own.
        """
        return await self.tokens.create(caller, new)

    async def switch_organisation(self, caller: Caller, org_id: UUID) -> TokenPair:
        """A session that acts for another of the caller's organisations.

        Raises:
            AccountNotFound: the caller has no such organisation.
        """
        return await self.sessions.switch(caller, org_id)

    async def members(self, caller: Caller) -> list[MemberView]:
        """The members of the caller's organisation."""
        return await self.organisations.members(caller)

    async def invite(self, caller: Caller, new: NewInvitation) -> MadeInvitation:
        """Invite somebody into the caller's organisation; only this answer shows the link's token.

        Raises:
            RoleTooLow: the caller would give a role above their own.
            AlreadyMember: the person is a member.
        """
        return await self.invitations.invite(caller, new)

    async def accept_invitation(self, caller: Caller, token: str) -> OrganisationView:
        """Take the signed-in caller into the organisation of an invitation to the caller's address.

        Raises:
            LinkSpent: the link does not work any more, or is for another address.
            AlreadyMember: the caller is a member.
        """
        return await self.invitations.accept(caller, token)
