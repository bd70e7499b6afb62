"""Every finding of a folder, whatever bytes it holds."""

from pathlib import Path

from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Finding, Findings
from raptorflow.skills.frontmatter import FILE
from raptorflow.skills.reader import inspect_files

WHOLE = "."
"""The place of a finding about the folder itself."""


def validate(folder: Path) -> list[Finding]:
    """Check a skill's folder; an empty list means flawless. Never raises for what the files hold."""
    findings = Findings()
    if folder.is_dir():
        files, executables = collect_files(folder, findings)
        inspect_files(files, executables, folder.resolve().name, findings)
    else:
        findings.error("folder-missing", WHOLE, f"{folder} is not a folder.", "Name the skill's folder.")
    return sorted(findings.all, key=_place)


def _place(finding: Finding) -> tuple[bool, str, int]:
    """`SKILL.md` first, then by file and line."""
    return finding.file != FILE, finding.file, finding.line or 0
