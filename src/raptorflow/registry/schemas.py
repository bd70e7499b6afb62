"""What the registry's API takes and gives."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from raptorflow.skills.capabilities import Capabilities

Visibility = Literal["public", "org"]


class PublishReceipt(BaseModel):
    """A publish and how far it has come.

    Attributes:
        step: what runs now: `checking`, `environment`, `storing`, `indexing`.
        problem: a problem document when it failed; findings are in its `details`.
    """

    model_config = ConfigDict(from_attributes=True)

    publish_id: UUID
    status: Literal["queued", "running", "published", "failed"]
    step: str | None = None
    skill: str | None = None
    version: str | None = None
    digest: str | None = None
    problem: dict[str, Any] | None = None


class SkillSummary(BaseModel):
    """A skill in a list."""

    ref: str
    namespace: str
    name: str
    version: str
    description: str
    visibility: Visibility
    installed: bool


class SkillPage(BaseModel):
    """A page of a list; `next` is the cursor of the following one."""

    items: list[SkillSummary]
    next: str | None


class FileView(BaseModel):
    """One file of a version."""

    path: str
    size: int
    sha256: str
    executable: bool


class ActionView(BaseModel):
    """One action of a version."""

    name: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]


class SkillVersion(BaseModel):
    """One immutable version."""

    ref: str
    version: str
    digest: str
    description: str
    published_at: datetime
    files: list[FileView]
    actions: list[ActionView]
    capabilities: Capabilities
    permissions: list[str] = Field(description="The capabilities in plain words.")


class VersionList(BaseModel):
    """All versions of a skill, the newest first."""

    ref: str
    versions: list[str]


class InstallRequest(BaseModel):
    """Which version to install, and what to grant; everything the skill declares when left out."""

    version: str = "latest"
    granted: Capabilities | None = None


class Installation(BaseModel):
    """A skill in use by the organisation."""

    id: UUID
    ref: str
    name: str
    version: str
    digest: str
    description: str
    granted: Capabilities
    permissions: list[str]
    installed_at: datetime


class SkillHit(BaseModel):
    """One search result.

    Attributes:
        score: the fused rank, 1 when first by words and by meaning.
        words: which part of the query's information the skill's text holds, 0 to 1.
        similarity: cosine similarity of meaning, -1 to 1.
    """

    name: str
    ref: str
    version: str
    description: str
    score: float
    words: float
    similarity: float
    installed: bool


class SearchResult(BaseModel):
    """Search results, the best first: installed ones, then suggestions that are not."""

    hits: list[SkillHit]
    elapsed_ms: float
