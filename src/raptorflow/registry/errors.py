"""What can go wrong in the registry."""

from raptorflow.base.errors import Conflict, InvalidInput, NotFound, NotPermitted, PartUnavailable


class SkillNotFound(NotFound):
    """No skill of that name is there for the caller."""

    code = "skill-not-found"
    default_hint = "Search for it, or check the namespace: `namespace/name`."


class VersionNotFound(NotFound):
    """The skill has no version in the range."""

    code = "version-not-found"


class SkillNotInstalled(NotFound):
    """The organisation has not installed the skill."""

    code = "skill-not-installed"
    default_hint = "Install it first; an administrator of the organisation can."


class PublishNotFound(NotFound):
    """There is no such publish."""

    code = "publish-not-found"


class VersionExists(Conflict):
    """A version cannot be published twice with other content."""

    code = "version-exists"
    default_hint = "Raise the version in skill.toml and publish again."


class DigestMismatch(Conflict):
    """The version is not the one that was read before it was to be installed."""

    code = "digest-mismatch"
    default_hint = "Read the page of this version, then install it with the digest shown there."


class SkillBlocked(InvalidInput):
    """The scan found signs of harm; `details["findings"]` has them."""

    code = "skill-blocked"
    default_hint = (
        "Run `raptorflow skill scan` on the skill; each finding names its place and what to change."
    )


class EnvironmentUnsolvable(InvalidInput):
    """The dependencies of a skill's scripts cannot be resolved or installed."""

    code = "environment-unsolvable"


class BuilderUnavailable(PartUnavailable):
    """The package index does not answer."""

    code = "package-index-unavailable"
    default_hint = "Check the network and the index settings of uv, and publish again."


class GrantTooLarge(NotPermitted):
    """More was granted than the skill declares."""

    code = "grant-too-large"
    default_hint = "Grant at most what the skill declares; it cannot use more."


class FileNotInSkill(NotFound):
    """The skill has no such file."""

    code = "file-not-in-skill"
