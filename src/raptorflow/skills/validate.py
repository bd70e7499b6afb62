"""Every finding of a folder, whatever bytes it holds, and what each known client would do with the skill."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raptorflow.skills.clients.judgement import Judgement
from raptorflow.skills.clients.outcomes import judgements
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Finding, Findings
from raptorflow.skills.frontmatter import FILE, parse_document
from raptorflow.skills.reader import MAX_SKILL_MD, inspect_files

WHOLE = "."
"""The place of a finding about the folder itself."""


@dataclass(frozen=True)
class Checked:
    """A folder, checked.

    Attributes:
        folder: as it was given.
        name: the folder's own name.
        findings: by the specification's strict rules, `SKILL.md` first.
        clients: each known client's judgement, by its name.
    """

    folder: Path
    name: str
    findings: tuple[Finding, ...]
    clients: Mapping[str, Judgement]

    @property
    def ok(self) -> bool:
        """Whether the skill is valid; warnings do not count."""
        return not any(finding.severity == "error" for finding in self.findings)


def validate(folder: Path) -> list[Finding]:
    """Check a skill's folder; an empty list means flawless. Never raises for what the files hold."""
    return list(check(folder).findings)


def check(folder: Path) -> Checked:
    """Check a skill's folder by the strict rules, and by those of each known client."""
    findings, name = Findings(), folder.resolve().name
    files: Mapping[str, bytes] = {}
    if folder.is_dir():
        files, executables = collect_files(folder, findings)
        inspect_files(files, executables, name, findings)
    else:
        findings.error("folder-missing", WHOLE, f"{folder} is not a folder.", "Name the skill's folder.")
    content = files.get(FILE, b"")[:MAX_SKILL_MD] if FILE in files else None
    document = parse_document(content, Findings()) if content is not None else None
    ordered = tuple(sorted(findings.all, key=_place))
    return Checked(folder, name, ordered, judgements(content, name, document))


def _place(finding: Finding) -> tuple[bool, str, int]:
    """`SKILL.md` first, then by file and line."""
    return finding.file != FILE, finding.file, finding.line or 0
