"""Who calls: the one type that every endpoint's signature names."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Role(StrEnum):
    """What a member may do in an organisation; a later one may do all that an earlier one may."""

    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"

    def at_least(self, other: "Role") -> bool:
        """Whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


ALL_SCOPES = frozenset(
    f"{area}:{verb}" for area in ("accounts", "registry", "orchestrator") for verb in ("read", "write")
)
"""What a personal access token can be limited to; a session has all of them."""


class Provenance(BaseModel):
    """Where a version was built, as the CI provider vouches for it.

    Attributes:
        issuer: the provider.
        repository: `owner/repository`, or a GitLab project's path.
        workflow: the file in it that published.
        ref: `refs/heads/main`, `refs/tags/v1.0.0`.
        commit: the commit's digest.
        run_url: the run's page.
    """

    model_config = ConfigDict(frozen=True)

    issuer: str
    repository: str
    workflow: str
    environment: str | None
    ref: str
    commit: str
    run_url: str


class PublishingBuild(BaseModel):
    """A trusted build, and which skills it may publish (any: None)."""

    model_config = ConfigDict(frozen=True)

    provenance: Provenance
    skills: tuple[str, ...] | None


@dataclass(frozen=True)
class Caller:
    """A known caller, acting for one organisation.

    Attributes:
        org_id: whose rows the request sees.
        method: `session` (signed in) or `token` (personal access token).
        build: the build that calls; its token does nothing but publish.
    """

    user_id: UUID
    org_id: UUID
    role: Role
    scopes: frozenset[str]
    method: Literal["session", "token"]
    build: PublishingBuild | None = None
