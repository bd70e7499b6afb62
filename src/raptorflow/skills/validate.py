"""Every finding of a folder, whatever bytes it holds."""

from pathlib import Path

from raptorflow.skills.findings import Finding, Findings
from raptorflow.skills.reader import collect_files, inspect_files


def validate(folder: Path) -> list[Finding]:
    """Check a skill's folder; an empty list means flawless. Never raises for what the files hold."""
    findings = Findings()
    if not folder.is_dir():
        findings.error(
            "folder-missing", str(folder), f"{folder} is not a folder.", "Name the skill's folder."
        )
        return findings.all
    files, executables = collect_files(folder, findings)
    inspect_files(files, executables, folder.resolve().name, findings)
    return findings.all
