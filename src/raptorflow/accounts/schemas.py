"""What the accounts' API takes and gives."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

# PostgreSQL's text holds no NUL, and no name needs a control character.
_NO_CONTROL = r"\x00-\x1f\x7f"
Email = Annotated[
    str,
    StringConstraints(pattern=rf"^[^@\s{_NO_CONTROL}]{{1,64}}@[^@\s{_NO_CONTROL}]{{1,255}}$", to_lower=True),
]
Name = Annotated[
    str, StringConstraints(pattern=rf"^[^{_NO_CONTROL}]+$", strip_whitespace=True, max_length=200)
]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=64)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
RoleName = Literal["member", "admin", "owner"]


class LinkRedemption(BaseModel):
    """A one-time link's token."""

    token: Secret


class SignIn(BaseModel):
    """An address and a password."""

    email: Email
    password: Secret


class Refresh(BaseModel):
    """A refresh token; the browser's cookie when left out."""

    refresh_token: Secret | None = None


class TokenPair(BaseModel):
    """A signed-in session: a short-lived access token, and the token that renews it once."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = Field(default="Bearer")
    expires_in: int = Field(description="Seconds until the access token expires.")


class SignedInAnswer(BaseModel):
    """A session: a program gets the tokens, a browser gets cookies that no script can read."""

    access_token: str | None = Field(description="None for a browser.")
    refresh_token: str | None = Field(description="Renews the session once; none for a browser.")
    token_type: Literal["Bearer"] = Field(default="Bearer")
    expires_in: int = Field(description="Seconds until the access token expires.")


class NewPassword(BaseModel):
    """A new password; the present one when there is one."""

    password: Secret
    current_password: Secret | None = None


class OrganisationView(BaseModel):
    """An organisation as a member sees it."""

    id: UUID
    slug: str
    name: str
    is_personal: bool
    role: RoleName


class Me(BaseModel):
    """The caller."""

    id: UUID
    email: str
    name: str
    is_admin: bool
    has_password: bool
    organisation_id: UUID
    organisations: list[OrganisationView]


class MeChange(BaseModel):
    """What people change about themselves."""

    name: Name


class NewUser(BaseModel):
    """An account to make."""

    email: Email
    name: Name


class EmailChoice(BaseModel):
    """Whose link to make."""

    email: Email


class UserLink(BaseModel):
    """An account, and the token of its one-time link; only this answer shows it."""

    user_id: UUID
    link_token: str


class NewOrganisation(BaseModel):
    """An organisation to make; its slug is the namespace of its skills."""

    slug: Slug
    name: Name


class OrganisationChoice(BaseModel):
    """The organisation to act for."""

    organisation_id: UUID


class MemberView(BaseModel):
    """A member of an organisation."""

    user_id: UUID
    email: str
    name: str
    role: RoleName


class RoleChange(BaseModel):
    """A member's new role."""

    role: RoleName


class NewInvitation(BaseModel):
    """Somebody to invite."""

    email: Email
    name: Name | None = None
    role: RoleName = "member"


class InvitationView(BaseModel):
    """An invitation that waits, without its token."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    role: RoleName
    expires_at: datetime


class MadeInvitation(InvitationView):
    """A new invitation; this answer is the only one that shows its token."""

    link_token: str


class NewAccessToken(BaseModel):
    """A personal access token to make."""

    name: Name
    scopes: list[str] = Field(min_length=1, max_length=50)
    expires_in_days: int | None = Field(default=90, ge=1, le=3650)


class AccessTokenView(BaseModel):
    """A personal access token, without the token."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class MadeAccessToken(AccessTokenView):
    """A new token; this answer is the only one that shows it."""

    token: str
