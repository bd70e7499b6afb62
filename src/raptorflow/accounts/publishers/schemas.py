"""What the API of trusted publishing takes and gives."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from raptorflow.accounts.schemas import Slug

# Printable ASCII but the star, which would look like a pattern where none is one.
_WORD = Annotated[str, StringConstraints(pattern=r"^[!-)+-~]+$", max_length=400)]
_SkillName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=64)]


class NewPublisher(BaseModel):
    """A repository whose builds may publish for the organisation, without a secret of ours."""

    issuer: _WORD = Field(
        default="https://token.actions.githubusercontent.com",
        description="Whose tokens: one of the operator's list.",
    )
    repository: _WORD = Field(description="`owner/repository`, or a GitLab project's path.")
    workflow: _WORD = Field(
        description="The file that publishes: `publish.yml` of `.github/workflows`, or `.gitlab-ci.yml`."
    )
    environment: Annotated[str, StringConstraints(pattern=r"^[ -~]+$", max_length=255)] | None = Field(
        default=None, description="The deployment environment that the build must run in."
    )
    ref: Annotated[str, StringConstraints(pattern=r"^refs/[!-)+-~]+\*?$", max_length=400)] | None = Field(
        default=None, description="`refs/heads/main`, or `refs/tags/v*` for all that begin so."
    )
    owner_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = Field(
        default=None, description="The provider's number of the owner; the first build's, when not given."
    )
    skill: _SkillName | None = Field(
        default=None, description="The one skill it may publish; any when not given."
    )


class PublisherView(BaseModel):
    """A trusted publisher."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    issuer: str
    repository: str
    workflow: str
    environment: str | None
    ref: str | None
    owner_id: str | None
    skill: str | None
    created_at: datetime


class BuildIdentity(BaseModel):
    """A CI provider's identity token, to be traded for a token of ours."""

    token: Annotated[SecretStr, Field(min_length=1, max_length=16 * 1024)]
    organisation: Slug = Field(description="The slug of the organisation to publish for.")


class BuildAccess(BaseModel):
    """A token that publishes, for minutes."""

    access_token: str
    token_type: Literal["Bearer"] = Field(default="Bearer")
    expires_in: int = Field(description="Seconds until it expires.")
    organisation: str = Field(description="The namespace it publishes into.")
    skills: list[str] | None = Field(description="The skills it may publish; any when null.")
