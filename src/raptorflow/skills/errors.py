"""What can be wrong with a skill or its archive."""

from collections.abc import Sequence

from raptorflow.base.errors import InvalidInput
from raptorflow.skills.findings import Finding


class SkillInvalid(InvalidInput):
    """A folder is not a valid skill; `findings` say where and how to mend it."""

    code = "skill-invalid"
    default_hint = "Run `raptorflow skill validate FOLDER` and mend what it lists."

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(
            f"{first.where()}: {first.message}{more}",
            hint=first.remedy,
            details={"findings": [finding.model_dump() for finding in findings]},
        )
        self.findings = tuple(findings)


class FolderUnwritable(InvalidInput):
    """A folder or file cannot be written where it was asked for."""

    code = "folder-unwritable"
    default_hint = "Name another folder with `--folder`, or check its permissions."


class ArchiveRefused(InvalidInput):
    """An archive is damaged, too large, or would write outside its folder."""

    code = "archive-refused"
    default_hint = "Make it with `raptorflow skill pack FOLDER`."


class VersionRangeInvalid(InvalidInput):
    """A version range cannot be read."""

    code = "version-range-invalid"
    default_hint = "Write `1.2.3`, `^1.2`, `~1.2.3`, `>=1.0,<2.0`, `*` or `latest`."
