"""From files to a `Skill`: reads everything and collects every finding; an error means no skill."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from raptorflow.skills.digest import file_digest, tree_digest
from raptorflow.skills.errors import SkillInvalid
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import FILE, Document, as_mapping, parse_document
from raptorflow.skills.manifest import FILE as MANIFEST
from raptorflow.skills.manifest import Manifest, parse_manifest
from raptorflow.skills.model import Skill, SkillFile
from raptorflow.skills.pep723 import skill_dependencies

FIELDS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_NAME, MAX_DESCRIPTION, MAX_COMPATIBILITY = 64, 1024, 500
LONG_BODY_LINES = 500
MAX_FILES = 1000
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_TREE_BYTES = 50 * 1024 * 1024
EXCLUDED_FOLDERS = {"__pycache__", "node_modules", ".git", ".venv", ".pytest_cache", ".ruff_cache"}
EXCLUDED_FILES = {".DS_Store", "Thumbs.db"}
EXCLUDED_SUFFIXES = (".pyc", ".pyo", ".swp")


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
    content = files.get(FILE)
    if content is None:
        findings.error(
            "skill-md-missing", FILE, "There is no SKILL.md.", "Make one: `raptorflow skill new NAME`."
        )
        return None
    document = parse_document(content, findings)
    manifest = parse_manifest(files, findings) if MANIFEST in files else Manifest()
    _check_scripts(files, findings)
    if document is None:
        return None
    _check_fields(document, folder_name, findings)
    if findings.errors():
        return None
    return _build(document, manifest, files, executables)


def collect_files(folder: Path, findings: Findings) -> tuple[dict[str, bytes], set[str]]:
    """The files of a skill's folder that belong to it, and which of them are executable."""
    files: dict[str, bytes] = {}
    executables: set[str] = set()
    total = 0
    for path, name in _walk(folder):
        status = path.lstat()
        total += status.st_size
        if path.is_symlink() or not path.is_file():
            findings.error("not-a-file", name, f"{name} is no regular file.", "Put a copy of the file there.")
        elif status.st_size > MAX_FILE_BYTES or total > MAX_TREE_BYTES or len(files) >= MAX_FILES:
            limits = f"{MAX_FILES} files, {MAX_FILE_BYTES >> 20} MiB each, {MAX_TREE_BYTES >> 20} MiB in all"
            findings.error(
                "too-large", name, f"{name} passes the limits ({limits}).", "Leave out large files."
            )
            break
        else:
            files[name] = path.read_bytes()
            if status.st_mode & 0o100:
                executables.add(name)
    return files, executables


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        folders[:] = sorted(set(folders) - EXCLUDED_FOLDERS - set(links))
        for name in sorted([*names, *links]):
            if name not in EXCLUDED_FILES and not name.endswith(EXCLUDED_SUFFIXES):
                path = Path(root) / name
                yield path, path.relative_to(folder).as_posix()


def _skill_or_refusal(
    files: Mapping[str, bytes], executables: Collection[str], folder_name: str | None, findings: Findings
) -> Skill:
    skill = inspect_files(files, executables, folder_name, findings)
    if skill is None or findings.errors():
        raise SkillInvalid(findings.errors())
    return skill


def _check_fields(document: Document, folder_name: str | None, findings: Findings) -> None:
    fields, line = document.fields, document.lines.get
    for key in fields.keys() - FIELDS:
        remedy = f"Known: {', '.join(sorted(FIELDS))}. Put other values under `metadata` or in skill.toml."
        findings.error(
            "field-unknown", FILE, f"`{key}` is not a field of the specification.", remedy, line(key)
        )
    _check_name(fields.get("name"), folder_name, line("name"), findings)
    _check_text(document, "description", MAX_DESCRIPTION, findings, required=True)
    _check_text(document, "compatibility", MAX_COMPATIBILITY, findings)
    _check_text(document, "license", MAX_COMPATIBILITY, findings)
    _check_text(document, "allowed-tools", MAX_DESCRIPTION, findings)
    metadata = as_mapping(fields.get("metadata", {}))
    if metadata is None or not all(isinstance(value, str) for value in metadata.values()):
        remedy = 'Write text values, in quotes where needed: `version: "1.0"`.'
        findings.error("metadata-invalid", FILE, "`metadata` maps texts to texts.", remedy, line("metadata"))
    if not document.body.strip():
        findings.error(
            "body-empty", FILE, "There are no instructions below the frontmatter.", "Write what to do."
        )
    elif document.body.count("\n") > LONG_BODY_LINES:
        message = f"The instructions have over {LONG_BODY_LINES} lines."
        findings.warning("body-long", FILE, message, "Move details into files that are read on demand.")


def _check_name(name: object, folder_name: str | None, line: int | None, findings: Findings) -> None:
    if not isinstance(name, str) or not name:
        findings.error("name-missing", FILE, "`name` is missing.", "Give it the folder's name.", line or 1)
    elif len(name) > MAX_NAME or not NAME.fullmatch(name):
        remedy = f"Use a-z, 0-9 and single hyphens, {MAX_NAME} characters at most."
        findings.error("name-invalid", FILE, f"{name!r} is no skill name.", remedy, line)
    elif folder_name is not None and name != folder_name:
        message = f"The name is {name!r} and the folder's {folder_name!r}."
        findings.error("name-mismatch", FILE, message, "Rename one of the two.", line)


def _check_text(
    document: Document, key: str, limit: int, findings: Findings, *, required: bool = False
) -> None:
    value, line = document.fields.get(key), document.lines.get(key)
    if value is None and not required:
        return
    if not isinstance(value, str) or not value.strip():
        findings.error(
            f"{key}-missing", FILE, f"`{key}` is missing, empty or no text.", f"Write `{key}: …`.", line or 1
        )
    elif len(value) > limit:
        message = f"`{key}` has {len(value)} characters; {limit} are the limit."
        findings.error(f"{key}-too-long", FILE, message, "Say it shorter.", line)


def _check_scripts(files: Mapping[str, bytes], findings: Findings) -> None:
    for path, content in files.items():
        try:
            skill_dependencies({path: content})
        except ValueError as error:
            findings.error("script-metadata", path, f"{error}.", "See https://peps.python.org/pep-0723/.")


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
