"""What the accounts' API takes and gives."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

EMAIL = r"^[^@\s]{1,64}@[^@\s]{1,255}$"
SLUG = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"


class LinkRedemption(BaseModel):
    """A one-time link's token."""

    token: SecretStr


class SignIn(BaseModel):
    """An address and a password."""

    email: str = Field(pattern=EMAIL)
    password: SecretStr


class Refresh(BaseModel):
    """A refresh token; the browser's cookie when left out."""

    refresh_token: SecretStr | None = None


class TokenPair(BaseModel):
    """A signed-in session: a short-lived access token, and the token that renews it once."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = Field(default="Bearer")
    expires_in: int = Field(description="Seconds until the access token expires.")


class NewPassword(BaseModel):
    """A new password; the present one when there is one."""

    password: SecretStr
    current_password: SecretStr | None = None


class OrganisationView(BaseModel):
    """An organisation as a member sees it."""

    id: UUID
    slug: str
    name: str
    is_personal: bool
    role: str


class Me(BaseModel):
    """The caller."""

    id: UUID
    email: str
    name: str
    is_admin: bool
    organisation_id: UUID
    organisations: list[OrganisationView]


class NewOrganisation(BaseModel):
    """An organisation to make; its slug is the namespace of its skills."""

    slug: str = Field(pattern=SLUG, max_length=64)
    name: str = Field(min_length=1, max_length=200)


class OrganisationChoice(BaseModel):
    """The organisation to act for."""

    organisation_id: UUID


class MemberView(BaseModel):
    """A member of an organisation."""

    user_id: UUID
    email: str
    name: str
    role: str


class NewMember(BaseModel):
    """Somebody to take in; an account is made when there is none."""

    email: str = Field(pattern=EMAIL)
    name: str = Field(default="", max_length=200)
    role: Literal["member", "admin", "owner"] = "member"


class Invitation(BaseModel):
    """A member taken in, and the one-time link token to hand over when the account is new."""

    user_id: UUID
    link_token: str | None


class RoleChange(BaseModel):
    """A member's new role."""

    role: Literal["member", "admin", "owner"]


class NewAccessToken(BaseModel):
    """A personal access token to make."""

    name: str = Field(min_length=1, max_length=100)
    scopes: list[str] = Field(min_length=1)
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
