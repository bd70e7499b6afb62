"""What the registry's API takes and gives."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from raptorflow.accounts.identity import Provenance
from raptorflow.skills.capabilities import Capabilities

Visibility = Literal["public", "org"]


class PublishReceipt(BaseModel):
    """A publish and how far it has come.

    Attributes:
        step: what runs now: `checking`, `scanning`, `environment`, `storing`, `indexing`.
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


class Namespace(BaseModel):
    """The slug of an organisation, in front of its skills' names."""

    namespace: str


class SkillSummary(BaseModel):
    """A skill in a list.

    Attributes:
        version: the newest one.
        updated_at: when a version was last published.
    """

    ref: str
    namespace: str
    name: str
    version: str
    description: str
    visibility: Visibility
    installed: bool
    installed_version: str | None
    updated_at: datetime


class SkillPage(BaseModel):
    """A page of a list; `next` is the cursor of the following one."""

    items: list[SkillSummary]
    next: str | None


class SkillFileView(BaseModel):
    """One file of a version."""

    path: str
    size: int
    sha256: str
    executable: bool


class ActionView(BaseModel):
    """One action of a version."""

    model_config = ConfigDict(from_attributes=True)

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
    files: list[SkillFileView]
    actions: list[ActionView]
    capabilities: Capabilities
    permissions: list[str] = Field(description="The capabilities in plain words.")
    provenance: Provenance | None = Field(
        default=None, description="Where a trusted build published it from."
    )


class VariableView(BaseModel):
    """What a user may customise."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    type: str
    default: str | int | float | bool | None
    description: str


class InstalledVersion(BaseModel):
    """The version that the organisation uses."""

    version: str
    digest: str


class SkillDetail(SkillVersion):
    """One version's page. Texts are as they were published; whoever shows them must not trust them.

    Attributes:
        readme: `SKILL.md` without its frontmatter, Markdown.
        requires: skills this one builds on, each with a version range.
        python: the version specifier of its scripts.
        published_by: a display name, for the publishing organisation alone.
        installed: what the organisation uses, of any version.
    """

    name: str
    namespace: str
    visibility: Visibility
    license: str | None
    compatibility: str | None
    readme: str
    categories: list[str]
    tags: list[str]
    variables: list[VariableView]
    requires: dict[str, str]
    python: str
    published_by: str | None
    installed: InstalledVersion | None
    latest_version: str


class VersionItem(BaseModel):
    """One version in a list."""

    model_config = ConfigDict(from_attributes=True)

    version: str
    digest: str
    published_at: datetime


class VersionList(BaseModel):
    """All versions of a skill, the newest first."""

    ref: str
    versions: list[str]
    items: list[VersionItem]


class Consent(BaseModel):
    """What an organisation has to agree to before it uses a version.

    Attributes:
        permissions: what the version declares, in plain words.
        granted: what is granted now; null when the skill is not installed.
        added: what is asked for beyond that, in plain words.
        removed: what is granted and no longer needed, in plain words.
        needs_consent: false when an installed skill asks for nothing beyond its grant.
    """

    ref: str
    version: str
    digest: str
    declared: Capabilities
    permissions: list[str]
    installed_version: str | None
    granted: Capabilities | None
    added: list[str]
    removed: list[str]
    needs_consent: bool


class InstallRequest(BaseModel):
    """Which version to install, and what to grant; everything the skill declares when left out.

    Attributes:
        digest: of the version that was read; when the range now means another, it is refused.
    """

    version: str = "latest"
    granted: Capabilities | None = None
    digest: str | None = None


class Installation(BaseModel):
    """A skill in use by the organisation."""

    id: UUID
    ref: str
    namespace: str
    name: str
    version: str
    latest_version: str
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
