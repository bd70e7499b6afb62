"""The calls of the accounts API. Written by `make api` from the API's document."""

from types import NoneType
from uuid import UUID

from raptorflow_sdk.api.accounts import models
from raptorflow_sdk.transport import AsyncTransport, Request, Transport


class Accounts:
    """The accounts API."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def exchange(self, body: models.BuildIdentity) -> models.BuildAccess:
        """Trade a CI provider's identity token, once, for a token that publishes for 15 minutes."""
        request = Request("POST", "/api/v1/accounts/ci/exchange", body=body)
        return self._transport.call(request, models.BuildAccess)

    def invitations(self) -> list[models.InvitationView]:
        """The invitations that wait."""
        request = Request("GET", "/api/v1/accounts/invitations")
        return self._transport.call(request, list[models.InvitationView])

    def invite(self, body: models.NewInvitation) -> models.MadeInvitation:
        """Invite somebody into the caller's organisation; hand the one-time link over."""
        request = Request("POST", "/api/v1/accounts/invitations", body=body)
        return self._transport.call(request, models.MadeInvitation)

    def accept(self, body: models.LinkRedemption) -> models.OrganisationView:
        """Join an organisation, signed in to the account that the invitation is for."""
        request = Request("POST", "/api/v1/accounts/invitations/accept", body=body)
        return self._transport.call(request, models.OrganisationView)

    def take_back(self, invitation_id: UUID) -> None:
        """Take an invitation back."""
        request = Request(
            "DELETE", "/api/v1/accounts/invitations/{invitation_id}", path={"invitation_id": invitation_id}
        )
        return self._transport.call(request, NoneType)

    def redeem_link(self, body: models.LinkRedemption) -> models.SignedInAnswer:
        """Sign in by a one-time link, or join by an invitation."""
        request = Request("POST", "/api/v1/accounts/links/redeem", body=body)
        return self._transport.call(request, models.SignedInAnswer)

    def me(self) -> models.Me:
        """The caller."""
        request = Request("GET", "/api/v1/accounts/me")
        return self._transport.call(request, models.Me)

    def change_me(self, body: models.MeChange) -> models.Me:
        """Change the caller's name."""
        request = Request("PATCH", "/api/v1/accounts/me", body=body)
        return self._transport.call(request, models.Me)

    def set_password(self, body: models.NewPassword) -> models.SignedInAnswer:
        """Set or change the caller's password. Every session ends; the answer is a new one."""
        request = Request("PUT", "/api/v1/accounts/me/password", body=body)
        return self._transport.call(request, models.SignedInAnswer)

    def members(self) -> list[models.MemberView]:
        """The members of the caller's organisation."""
        request = Request("GET", "/api/v1/accounts/members")
        return self._transport.call(request, list[models.MemberView])

    def remove_member(self, user_id: UUID) -> None:
        """End a membership: one's own, or, as an administrator, another's."""
        request = Request("DELETE", "/api/v1/accounts/members/{user_id}", path={"user_id": user_id})
        return self._transport.call(request, NoneType)

    def change_role(self, user_id: UUID, body: models.RoleChange) -> None:
        """Give a member another role."""
        request = Request("PUT", "/api/v1/accounts/members/{user_id}", path={"user_id": user_id}, body=body)
        return self._transport.call(request, NoneType)

    def organisations(self) -> list[models.OrganisationView]:
        """The caller's organisations."""
        request = Request("GET", "/api/v1/accounts/organisations")
        return self._transport.call(request, list[models.OrganisationView])

    def create_organisation(self, body: models.NewOrganisation) -> models.OrganisationView:
        """Make an organisation; the caller becomes its owner."""
        request = Request("POST", "/api/v1/accounts/organisations", body=body)
        return self._transport.call(request, models.OrganisationView)

    def switch_organisation(self, body: models.OrganisationChoice) -> models.SignedInAnswer:
        """Act for another of the caller's organisations, in a session of its own.

        A browser's session so far ends; a program keeps both.
        """
        request = Request("POST", "/api/v1/accounts/organisations/switch", body=body)
        return self._transport.call(request, models.SignedInAnswer)

    def publishers(self) -> list[models.PublisherView]:
        """The repositories whose builds may publish for the organisation."""
        request = Request("GET", "/api/v1/accounts/publishers")
        return self._transport.call(request, list[models.PublisherView])

    def trust_publisher(self, body: models.NewPublisher) -> models.PublisherView:
        """Let a repository's builds publish for the organisation."""
        request = Request("POST", "/api/v1/accounts/publishers", body=body)
        return self._transport.call(request, models.PublisherView)

    def distrust_publisher(self, publisher_id: UUID) -> None:
        """Trust a publisher no more; the organisation's tokens of builds end with it."""
        request = Request(
            "DELETE", "/api/v1/accounts/publishers/{publisher_id}", path={"publisher_id": publisher_id}
        )
        return self._transport.call(request, NoneType)

    def refresh(self, body: models.Refresh) -> models.SignedInAnswer:
        """Renew a session; each refresh token works once."""
        request = Request("POST", "/api/v1/accounts/refresh", body=body)
        return self._transport.call(request, models.SignedInAnswer)

    def sign_in(self, body: models.SignIn) -> models.SignedInAnswer:
        """Sign in by a password."""
        request = Request("POST", "/api/v1/accounts/sign-in", body=body)
        return self._transport.call(request, models.SignedInAnswer)

    def sign_out(self, body: models.Refresh) -> None:
        """End this session."""
        request = Request("POST", "/api/v1/accounts/sign-out", body=body)
        return self._transport.call(request, NoneType)

    def sign_out_everywhere(self) -> None:
        """End every session of the caller."""
        request = Request("POST", "/api/v1/accounts/sign-out-everywhere")
        return self._transport.call(request, NoneType)

    def access_tokens(self) -> list[models.AccessTokenView]:
        """The caller's personal access tokens in this organisation."""
        request = Request("GET", "/api/v1/accounts/tokens")
        return self._transport.call(request, list[models.AccessTokenView])

    def create_access_token(self, body: models.NewAccessToken) -> models.MadeAccessToken:
        """Make a personal access token; only this answer shows it."""
        request = Request("POST", "/api/v1/accounts/tokens", body=body)
        return self._transport.call(request, models.MadeAccessToken)

    def delete_access_token(self, token_id: UUID) -> None:
        """Forget one of the caller's tokens."""
        request = Request("DELETE", "/api/v1/accounts/tokens/{token_id}", path={"token_id": token_id})
        return self._transport.call(request, NoneType)

    def create_user(self, body: models.NewUser) -> models.UserLink:
        """Make an account (server administrators); hand the one-time link over."""
        request = Request("POST", "/api/v1/accounts/users", body=body)
        return self._transport.call(request, models.UserLink)

    def make_link(self, body: models.EmailChoice) -> models.UserLink:
        """Make a one-time link for somebody who cannot sign in any more (server administrators)."""
        request = Request("POST", "/api/v1/accounts/users/links", body=body)
        return self._transport.call(request, models.UserLink)


class AsyncAccounts:
    """The accounts API, not blocking."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def exchange(self, body: models.BuildIdentity) -> models.BuildAccess:
        """Trade a CI provider's identity token, once, for a token that publishes for 15 minutes."""
        request = Request("POST", "/api/v1/accounts/ci/exchange", body=body)
        return await self._transport.call(request, models.BuildAccess)

    async def invitations(self) -> list[models.InvitationView]:
        """The invitations that wait."""
        request = Request("GET", "/api/v1/accounts/invitations")
        return await self._transport.call(request, list[models.InvitationView])

    async def invite(self, body: models.NewInvitation) -> models.MadeInvitation:
        """Invite somebody into the caller's organisation; hand the one-time link over."""
        request = Request("POST", "/api/v1/accounts/invitations", body=body)
        return await self._transport.call(request, models.MadeInvitation)

    async def accept(self, body: models.LinkRedemption) -> models.OrganisationView:
        """Join an organisation, signed in to the account that the invitation is for."""
        request = Request("POST", "/api/v1/accounts/invitations/accept", body=body)
        return await self._transport.call(request, models.OrganisationView)

    async def take_back(self, invitation_id: UUID) -> None:
        """Take an invitation back."""
        request = Request(
            "DELETE", "/api/v1/accounts/invitations/{invitation_id}", path={"invitation_id": invitation_id}
        )
        return await self._transport.call(request, NoneType)

    async def redeem_link(self, body: models.LinkRedemption) -> models.SignedInAnswer:
        """Sign in by a one-time link, or join by an invitation."""
        request = Request("POST", "/api/v1/accounts/links/redeem", body=body)
        return await self._transport.call(request, models.SignedInAnswer)

    async def me(self) -> models.Me:
        """The caller."""
        request = Request("GET", "/api/v1/accounts/me")
        return await self._transport.call(request, models.Me)

    async def change_me(self, body: models.MeChange) -> models.Me:
        """Change the caller's name."""
        request = Request("PATCH", "/api/v1/accounts/me", body=body)
        return await self._transport.call(request, models.Me)

    async def set_password(self, body: models.NewPassword) -> models.SignedInAnswer:
        """Set or change the caller's password. Every session ends; the answer is a new one."""
        request = Request("PUT", "/api/v1/accounts/me/password", body=body)
        return await self._transport.call(request, models.SignedInAnswer)

    async def members(self) -> list[models.MemberView]:
        """The members of the caller's organisation."""
        request = Request("GET", "/api/v1/accounts/members")
        return await self._transport.call(request, list[models.MemberView])

    async def remove_member(self, user_id: UUID) -> None:
        """End a membership: one's own, or, as an administrator, another's."""
        request = Request("DELETE", "/api/v1/accounts/members/{user_id}", path={"user_id": user_id})
        return await self._transport.call(request, NoneType)

    async def change_role(self, user_id: UUID, body: models.RoleChange) -> None:
        """Give a member another role."""
        request = Request("PUT", "/api/v1/accounts/members/{user_id}", path={"user_id": user_id}, body=body)
        return await self._transport.call(request, NoneType)

    async def organisations(self) -> list[models.OrganisationView]:
        """The caller's organisations."""
        request = Request("GET", "/api/v1/accounts/organisations")
        return await self._transport.call(request, list[models.OrganisationView])

    async def create_organisation(self, body: models.NewOrganisation) -> models.OrganisationView:
        """Make an organisation; the caller becomes its owner."""
        request = Request("POST", "/api/v1/accounts/organisations", body=body)
        return await self._transport.call(request, models.OrganisationView)

    async def switch_organisation(self, body: models.OrganisationChoice) -> models.SignedInAnswer:
        """Act for another of the caller's organisations, in a session of its own.

        A browser's session so far ends; a program keeps both.
        """
        request = Request("POST", "/api/v1/accounts/organisations/switch", body=body)
        return await self._transport.call(request, models.SignedInAnswer)

    async def publishers(self) -> list[models.PublisherView]:
        """The repositories whose builds may publish for the organisation."""
        request = Request("GET", "/api/v1/accounts/publishers")
        return await self._transport.call(request, list[models.PublisherView])

    async def trust_publisher(self, body: models.NewPublisher) -> models.PublisherView:
        """Let a repository's builds publish for the organisation."""
        request = Request("POST", "/api/v1/accounts/publishers", body=body)
        return await self._transport.call(request, models.PublisherView)

    async def distrust_publisher(self, publisher_id: UUID) -> None:
        """Trust a publisher no more; the organisation's tokens of builds end with it."""
        request = Request(
            "DELETE", "/api/v1/accounts/publishers/{publisher_id}", path={"publisher_id": publisher_id}
        )
        return await self._transport.call(request, NoneType)

    async def refresh(self, body: models.Refresh) -> models.SignedInAnswer:
        """Renew a session; each refresh token works once."""
        request = Request("POST", "/api/v1/accounts/refresh", body=body)
        return await self._transport.call(request, models.SignedInAnswer)

    async def sign_in(self, body: models.SignIn) -> models.SignedInAnswer:
        """Sign in by a password."""
        request = Request("POST", "/api/v1/accounts/sign-in", body=body)
        return await self._transport.call(request, models.SignedInAnswer)

    async def sign_out(self, body: models.Refresh) -> None:
        """End this session."""
        request = Request("POST", "/api/v1/accounts/sign-out", body=body)
        return await self._transport.call(request, NoneType)

    async def sign_out_everywhere(self) -> None:
        """End every session of the caller."""
        request = Request("POST", "/api/v1/accounts/sign-out-everywhere")
        return await self._transport.call(request, NoneType)

    async def access_tokens(self) -> list[models.AccessTokenView]:
        """The caller's personal access tokens in this organisation."""
        request = Request("GET", "/api/v1/accounts/tokens")
        return await self._transport.call(request, list[models.AccessTokenView])

    async def create_access_token(self, body: models.NewAccessToken) -> models.MadeAccessToken:
        """Make a personal access token; only this answer shows it."""
        request = Request("POST", "/api/v1/accounts/tokens", body=body)
        return await self._transport.call(request, models.MadeAccessToken)

    async def delete_access_token(self, token_id: UUID) -> None:
        """Forget one of the caller's tokens."""
        request = Request("DELETE", "/api/v1/accounts/tokens/{token_id}", path={"token_id": token_id})
        return await self._transport.call(request, NoneType)

    async def create_user(self, body: models.NewUser) -> models.UserLink:
        """Make an account (server administrators); hand the one-time link over."""
        request = Request("POST", "/api/v1/accounts/users", body=body)
        return await self._transport.call(request, models.UserLink)

    async def make_link(self, body: models.EmailChoice) -> models.UserLink:
        """Make a one-time link for somebody who cannot sign in any more (server administrators)."""
        request = Request("POST", "/api/v1/accounts/users/links", body=body)
        return await self._transport.call(request, models.UserLink)
