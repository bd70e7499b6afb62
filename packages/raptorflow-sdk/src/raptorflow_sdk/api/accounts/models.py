"""What the accounts API takes and gives. Written by `make api` from the API's document."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, SecretStr


class AccessTokenView(BaseModel):
    """A personal access token, without the token."""

    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    id: UUID
    last_used_at: AwareDatetime | None
    name: str
    scopes: list[str]


class BuildAccess(BaseModel):
    """A token that publishes, for minutes."""

    access_token: str
    expires_in: Annotated[int, Field(description="Seconds until it expires.")]
    organisation: Annotated[str, Field(description="The namespace it publishes into.")]
    skills: Annotated[list[str] | None, Field(description="The skills it may publish; any when null.")]


class BuildIdentity(BaseModel):
    """A CI provider's identity token, to be traded for a token of ours."""

    organisation: Annotated[str, Field(description="The slug of the organisation to publish for.")]
    token: SecretStr


class EmailChoice(BaseModel):
    """Whose link to make."""

    email: str


class InvitationView(BaseModel):
    """An invitation that waits, without its token."""

    email: str
    expires_at: AwareDatetime
    id: UUID
    role: Literal["member", "admin", "owner"]


class LinkRedemption(BaseModel):
    """A one-time link's token."""

    token: SecretStr


class MadeAccessToken(BaseModel):
    """A new token; this answer is the only one that shows it."""

    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    id: UUID
    last_used_at: AwareDatetime | None
    name: str
    scopes: list[str]
    token: str


class MadeInvitation(BaseModel):
    """A new invitation; this answer is the only one that shows its token."""

    email: str
    expires_at: AwareDatetime
    id: UUID
    link_token: str
    role: Literal["member", "admin", "owner"]


class MeChange(BaseModel):
    """What people change about themselves."""

    name: str


class MemberView(BaseModel):
    """A member of an organisation."""

    email: str
    name: str
    role: Literal["member", "admin", "owner"]
    user_id: UUID


class NewAccessToken(BaseModel):
    """A personal access token to make."""

    expires_in_days: int | None = 90
    name: str
    scopes: Annotated[list[str], Field(max_length=50, min_length=1)]


class NewInvitation(BaseModel):
    """Somebody to invite."""

    email: str
    name: str | None = None
    role: Literal["member", "admin", "owner"] | None = "member"


class NewOrganisation(BaseModel):
    """An organisation to make; its slug is the namespace of its skills."""

    name: str
    slug: str


class NewPassword(BaseModel):
    """A new password; the present one when there is one."""

    current_password: SecretStr | None = None
    password: SecretStr


class NewPublisher(BaseModel):
    """A repository whose builds may publish for the organisation, without a secret of ours."""

    environment: Annotated[
        str | None,
        Field(description="The deployment environment that the build must run in."),
    ] = None
    issuer: Annotated[str | None, Field(description="Whose tokens: one of the operator's list.")] = (
        "https://token.actions.githubusercontent.com"
    )
    owner_id: Annotated[
        str | None,
        Field(description="The provider's number of the owner; the first build's, when not given."),
    ] = None
    ref: Annotated[
        str | None,
        Field(description="`refs/heads/main`, or `refs/tags/v*` for all that begin so."),
    ] = None
    repository: Annotated[str, Field(description="`owner/repository`, or a GitLab project's path.")]
    skill: Annotated[
        str | None,
        Field(description="The one skill it may publish; any when not given."),
    ] = None
    workflow: Annotated[
        str,
        Field(
            description="The file that publishes: `publish.yml` of `.github/workflows`, or `.gitlab-ci.yml`."
        ),
    ]


class NewUser(BaseModel):
    """An account to make."""

    email: str
    name: str


class OrganisationChoice(BaseModel):
    """The organisation to act for."""

    organisation_id: UUID


class OrganisationView(BaseModel):
    """An organisation as a member sees it."""

    id: UUID
    is_personal: bool
    name: str
    role: Literal["member", "admin", "owner"]
    slug: str


class PublisherView(BaseModel):
    """A trusted publisher."""

    created_at: AwareDatetime
    environment: str | None
    id: UUID
    issuer: str
    owner_id: str | None
    ref: str | None
    repository: str
    skill: str | None
    workflow: str


class Refresh(BaseModel):
    """A refresh token; the browser's cookie when left out."""

    refresh_token: SecretStr | None = None


class RoleChange(BaseModel):
    """A member's new role."""

    role: Literal["member", "admin", "owner"]


class SignIn(BaseModel):
    """An address and a password."""

    email: str
    password: SecretStr


class SignedInAnswer(BaseModel):
    """A session: a program gets the tokens, a browser gets cookies that no script can read."""

    access_token: Annotated[str | None, Field(description="None for a browser.")]
    expires_in: Annotated[int, Field(description="Seconds until the access token expires.")]
    refresh_token: Annotated[str | None, Field(description="Renews the session once; none for a browser.")]


class UserLink(BaseModel):
    """An account, and the token of its one-time link; only this answer shows it."""

    link_token: str
    user_id: UUID


class Me(BaseModel):
    """The caller."""

    email: str
    has_password: bool
    id: UUID
    is_admin: bool
    name: str
    organisation_id: UUID
    organisations: list[OrganisationView]
