"""From files to a `Skill`: reads everything and collects every finding; an error means no skill."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from raptorflow.skills.digest import file_digest, tree_digest
from raptorflow.skills.errors import SkillInvalid
from raptorflow.skills.fields import check_body, check_fields
from raptorflow.skills.files import check_paths, collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import FILE, Document, parse_document
from raptorflow.skills.links import check_links
from raptorflow.skills.manifest.document import Manifest, parse_manifest
from raptorflow.skills.manifest.table import FILE as MANIFEST
from raptorflow.skills.model import Skill, SkillFile
from raptorflow.skills.pep723 import opening_line, script_metadata

MAX_SKILL_MD = 1024 * 1024


def read_skill(folder: Path) -> Skill:
    """Read the skill in a folder.

    Raises:
        SkillInvalid: it is none; the error carries every finding.
    """
    findings = Findings()
    files, executables = collect_files(folder, findings)
    return _skill_or_refusal(files, executables, folder.resolve().name, findings)


def read_skill_files(
    files: Mapping[str, bytes], folder_name: str | None = None, executables: Collection[str] = ()
) -> Skill:
    """Read a skill from memory.

    Args:
        files: content by path (relative, `/`).
        folder_name: the name of its folder, which must be the skill's; not compared when None.
        executables: the paths that are executable.

    Raises:
        SkillInvalid: it is none; the error carries every finding.
    """
    return _skill_or_refusal(files, executables, folder_name, Findings())


def inspect_files(
    files: Mapping[str, bytes], executables: Collection[str], folder_name: str | None, findings: Findings
) -> Skill | None:
    """Read a skill and add to the findings; None when it cannot be read at all or has an error."""
    if not check_paths(files, findings):
        return None
    content = files.get(FILE)
    if content is None:
        alike = next((path for path in files if path.casefold() == FILE.casefold()), None)
        remedy = f"Rename {alike}." if alike else "Make one: `raptorflow skill new NAME`."
        findings.error("skill-md-missing", FILE, "There is no SKILL.md.", remedy)
        return None
    if len(content) > MAX_SKILL_MD:
        message = f"SKILL.md has {len(content)} bytes; {MAX_SKILL_MD} are the limit."
        findings.error("skill-md-too-large", FILE, message, "Move details into files read on demand.")
        return None
    document = parse_document(content, findings)
    manifest = parse_manifest(files, findings, executables) if MANIFEST in files else Manifest()
    _check_scripts(files, findings)
    if document is None:
        return None
    check_fields(document, folder_name, findings)
    check_body(document, findings)
    check_links(document, files, findings)
    if findings.errors():
        return None
    return _build(document, manifest, files, executables)


def _skill_or_refusal(
    files: Mapping[str, bytes], executables: Collection[str], folder_name: str | None, findings: Findings
) -> Skill:
    skill = inspect_files(files, executables, folder_name, findings)
    if skill is None or findings.errors():
        raise SkillInvalid(findings.errors())
    return skill


def _check_scripts(files: Mapping[str, bytes], findings: Findings) -> None:
    for path in sorted(files):
        if not path.endswith(".py"):
            continue
        text = files[path].decode(errors="replace")
        try:
            script_metadata(text)
        except ValueError as error:
            message = f"The script's metadata is not valid: {error}."
            remedy = "See https://peps.python.org/pep-0723/."
            findings.error("script-metadata", path, message, remedy, opening_line(text))


def _build(
    document: Document, manifest: Manifest, files: Mapping[str, bytes], executables: Collection[str]
) -> Skill:
    fields: dict[str, Any] = document.fields
    digest = tree_digest(files, executables)
    return Skill(
        name=fields["name"],
        description=fields["description"].strip(),
        version=manifest.version or f"0.0.0+{digest.removeprefix('sha256:')[:12]}",
        body=document.body,
        digest=digest,
        license=fields.get("license"),
        compatibility=fields.get("compatibility"),
        metadata=dict(fields.get("metadata", {})),
        allowed_tools=tuple(str(fields.get("allowed-tools", "")).split()),
        categories=manifest.categories,
        tags=manifest.tags,
        requires=manifest.requires,
        capabilities=manifest.capabilities,
        actions=manifest.actions,
        variables=manifest.variables,
        python=manifest.python,
        files=tuple(
            SkillFile(path, len(files[path]), file_digest(files[path]), path in executables)
            for path in sorted(files)
        ),
        has_manifest=MANIFEST in files,
    )
