"""What the registry API takes and gives. Written by `make api` from the API's document."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field


class ActionView(BaseModel):
    """One action of a version."""

    description: str
    input_schema: dict[str, Any]
    name: str
    output_schema: dict[str, Any]


class InstalledVersion(BaseModel):
    """The version that the organisation uses."""

    digest: str
    version: str


class Limits(BaseModel):
    """How much an action may use: seconds, bytes, cores and counts."""

    cpus: float | None = 1.0
    disk_bytes: int | None = 268435456
    memory_bytes: int | None = 536870912
    output_bytes: int | None = 8388608
    pids: int | None = 64
    timeout_seconds: float | None = 60.0


class Namespace(BaseModel):
    """The slug of an organisation, in front of its skills' names."""

    namespace: str


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

    commit: str
    environment: str | None
    issuer: str
    ref: str
    repository: str
    run_url: str
    workflow: str


class PublishReceipt(BaseModel):
    """A publish and how far it has come.

    Attributes:
        step: what runs now: `checking`, `scanning`, `environment`, `storing`, `indexing`.
        problem: a problem document when it failed; findings are in its `details`.
    """

    digest: str | None = None
    problem: dict[str, Any] | None = None
    publish_id: UUID
    skill: str | None = None
    status: Literal["queued", "running", "published", "failed"]
    step: str | None = None
    version: str | None = None


class SkillFileView(BaseModel):
    """One file of a version."""

    executable: bool
    path: str
    sha256: str
    size: int


class SkillHit(BaseModel):
    """One search result.

    Attributes:
        score: the fused rank, 1 when first by words and by meaning.
        words: which part of the query's information the skill's text holds, 0 to 1.
        similarity: cosine similarity of meaning, -1 to 1.
    """

    description: str
    installed: bool
    name: str
    ref: str
    score: float
    similarity: float
    version: str
    words: float


class SkillSummary(BaseModel):
    """A skill in a list.

    Attributes:
        version: the newest one.
        updated_at: when a version was last published.
    """

    description: str
    installed: bool
    installed_version: str | None
    name: str
    namespace: str
    ref: str
    updated_at: AwareDatetime
    version: str
    visibility: Literal["public", "org"]


class VariableView(BaseModel):
    """What a user may customise."""

    default: str | int | float | bool | None
    description: str
    name: str
    type: str


class VersionItem(BaseModel):
    """One version in a list."""

    digest: str
    published_at: AwareDatetime
    version: str


class VersionList(BaseModel):
    """All versions of a skill, the newest first."""

    items: list[VersionItem]
    ref: str
    versions: list[str]


class Capabilities(BaseModel):
    """What a skill may reach and use.

    Attributes:
        network: `host:port` destinations.
        secrets: names of secrets, each with the one `host:port` that the broker injects it for.
        services: names of services, each with the operations that may be called.
        limits: how much an action may use.
    """

    limits: Limits | None = None
    network: list[str] | None = None
    secrets: dict[str, str] | None = None
    services: dict[str, list[str]] | None = None


class Consent(BaseModel):
    """What an organisation has to agree to before it uses a version.

    Attributes:
        permissions: what the version declares, in plain words.
        granted: what is granted now; null when the skill is not installed.
        added: what is asked for beyond that, in plain words.
        removed: what is granted and no longer needed, in plain words.
        needs_consent: false when an installed skill asks for nothing beyond its grant.
    """

    added: list[str]
    declared: Capabilities
    digest: str
    granted: Capabilities | None
    installed_version: str | None
    needs_consent: bool
    permissions: list[str]
    ref: str
    removed: list[str]
    version: str


class InstallRequest(BaseModel):
    """Which version to install, and what to grant; everything the skill declares when left out.

    Attributes:
        digest: of the version that was read; when the range now means another, it is refused.
    """

    digest: str | None = None
    granted: Capabilities | None = None
    version: str | None = "latest"


class Installation(BaseModel):
    """A skill in use by the organisation."""

    description: str
    digest: str
    granted: Capabilities
    id: UUID
    installed_at: AwareDatetime
    latest_version: str
    name: str
    namespace: str
    permissions: list[str]
    ref: str
    version: str


class SearchResult(BaseModel):
    """Search results, the best first: installed ones, then suggestions that are not."""

    elapsed_ms: float
    hits: list[SkillHit]


class SkillDetail(BaseModel):
    """One version's page. Texts are as they were published; whoever shows them must not trust them.

    Attributes:
        readme: `SKILL.md` without its frontmatter, Markdown.
        requires: skills this one builds on, each with a version range.
        python: the version specifier of its scripts.
        published_by: a display name, for the publishing organisation alone.
        installed: what the organisation uses, of any version.
    """

    actions: list[ActionView]
    capabilities: Capabilities
    categories: list[str]
    compatibility: str | None
    description: str
    digest: str
    files: list[SkillFileView]
    installed: InstalledVersion | None
    latest_version: str
    license: str | None
    name: str
    namespace: str
    permissions: Annotated[list[str], Field(description="The capabilities in plain words.")]
    provenance: Annotated[
        Provenance | None, Field(description="Where a trusted build published it from.")
    ] = None
    published_at: AwareDatetime
    published_by: str | None
    python: str
    readme: str
    ref: str
    requires: dict[str, str]
    tags: list[str]
    variables: list[VariableView]
    version: str
    visibility: Literal["public", "org"]


class SkillPage(BaseModel):
    """A page of a list; `next` is the cursor of the following one."""

    items: list[SkillSummary]
    next: str | None


class SkillVersion(BaseModel):
    """One immutable version."""

    actions: list[ActionView]
    capabilities: Capabilities
    description: str
    digest: str
    files: list[SkillFileView]
    permissions: Annotated[list[str], Field(description="The capabilities in plain words.")]
    provenance: Annotated[
        Provenance | None, Field(description="Where a trusted build published it from.")
    ] = None
    published_at: AwareDatetime
    ref: str
    version: str
