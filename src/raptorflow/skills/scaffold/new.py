"""New skills: from templates that pass every check as they come, or from another skill."""

import os
import re
import tempfile
from collections.abc import Collection, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from raptorflow.base.errors import Conflict, NotFound
from raptorflow.skills.archive import unpack
from raptorflow.skills.errors import FolderUnwritable, SkillInvalid
from raptorflow.skills.fields import MAX_NAME, NAME
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import FILE, parse_document, write_document
from raptorflow.skills.manifest.table import FILE as MANIFEST
from raptorflow.skills.reader import inspect_files, read_skill_files
from raptorflow.skills.writer import with_version

EVALS = "evals/evals.json"
Template = Literal["instructions", "python", "service"]
DESCRIPTIONS: Mapping[Template, str] = {
    "instructions": (
        "Turns rough meeting notes into a log of decisions with reasons, owners and next steps. Use when the "
        "user has notes or a transcript and asks what was decided or what to do next."
    ),
    "python": (
        "Counts the words of a text as a reader sees them and says how long it takes to read. Use when the "
        "user asks how many words are in a text, how long an article is or what its reading time is."
    ),
    "service": (
        "Finds one contact of the HubSpot account by its e-mail address. Use when the user asks who an "
        "e-mail address belongs to, or whether it is among the contacts."
    ),
}
FIRST_VERSION = "0.1.0"
ORIGIN = ("from", "from-version", "from-digest")


class SourceMissing(NotFound):
    """There is no skill where another one was to begin from."""

    code = "source-missing"
    default_hint = "Give `--from` the folder or the archive of a skill."


def new_skill(
    parent: Path, name: str, template: Template = "instructions", description: str | None = None
) -> Path:
    """Write a new skill below `parent` and return its folder.

    Raises:
        Conflict: the folder is there already.
        FolderUnwritable: it cannot be made.
        SkillInvalid: the name is no skill name, or the description cannot be one.
    """
    texts = template_files(name, template, description)
    return _make(parent, name, {path: text.encode() for path, text in texts.items()}, ())


def new_from(parent: Path, name: str, source: Path) -> Path:
    """A new skill from another one, a folder or an archive; where it came from stands in its metadata.

    Raises:
        Conflict: the folder is there already.
        FolderUnwritable: it cannot be made.
        SourceMissing: there is nothing at the source.
        SkillInvalid: the source is no valid skill, or the name is none.
        ArchiveRefused: the source is no archive of a skill.
    """
    known, executables = _files_of(source)
    skill = read_skill_files(known, None, executables)
    document = parse_document(known[FILE], Findings())
    fields = dict(document.fields) if document else {}
    origin = dict(zip(ORIGIN, (skill.name, skill.version, skill.digest), strict=True))
    fields |= {"name": name, "metadata": {**skill.metadata, **origin}}
    changed = dict(known)
    changed[FILE] = write_document(fields, skill.body).encode()
    if EVALS in known:
        changed[EVALS] = _renamed_evals(known[EVALS], skill.name, name)
    if MANIFEST in known:
        changed[MANIFEST] = with_version(known[MANIFEST].decode(), FIRST_VERSION).encode()
    return _make(parent, name, changed, executables)


def template_files(name: str, template: Template, description: str | None = None) -> dict[str, str]:
    """The files of a template, by path."""
    title = name.replace("-", " ").capitalize()
    filled = {"name": name, "title": title, "description": DESCRIPTIONS[template]}
    with as_file(files("raptorflow.skills.scaffold").joinpath("templates", template)) as folder:
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
        texts = {
            path.relative_to(folder).as_posix(): _filled(path.read_text(encoding="utf-8"), filled)
            for path in paths
        }
    document = parse_document(texts[FILE].encode(), Findings())
    if description and document:
        # A description may have a colon or a quote in it; as a field it is written as YAML.
        fields = {**document.fields, "description": " ".join(description.split())}
        texts[FILE] = write_document(fields, document.body)
    return texts


def suggested_name(name: str) -> str | None:
    """A skill name that was perhaps meant: `My Skill!` -> `my-skill`."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_NAME].strip("-")
    return plain if NAME.fullmatch(plain) else None


def _filled(text: str, values: Mapping[str, str]) -> str:
    for key, value in values.items():
        text = text.replace(f"{{{{{key}}}}}", value)
    return text


def _renamed_evals(content: bytes, old: str, new: str) -> bytes:
    """The graded cases under another skill name; nothing else of the text is touched."""
    named = re.compile(rb'("skill_name"\s*:\s*)"' + re.escape(old.encode()) + rb'"')
    return named.sub(lambda found: found.group(1) + b'"' + new.encode() + b'"', content, count=1)


def _files_of(source: Path) -> tuple[dict[str, bytes], Collection[str]]:
    if not source.exists():
        raise SourceMissing(f"{source} does not exist.")
    if source.is_file():
        unpacked = unpack(source.read_bytes())
        return unpacked.files, unpacked.executables
    findings = Findings()
    known, executables = collect_files(source, findings)
    if not known:
        findings.error("folder-missing", ".", f"{source} is no skill.", "Name a skill's folder or archive.")
    if findings.errors():
        raise SkillInvalid(findings.errors())
    return known, executables


def _make(parent: Path, name: str, contents: Mapping[str, bytes], executables: Collection[str]) -> Path:
    findings = Findings()
    inspect_files(contents, executables, name, findings)
    if findings.errors():
        raise SkillInvalid(findings.errors())
    folder = parent / name
    if os.path.lexists(folder):
        raise Conflict(f"{folder} is there already.", hint="Choose another name, or remove it first.")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=f".{name}.new-") as fresh:
            place = Path(fresh) / name
            _write(place, contents, executables)
            place.rename(folder)
    except OSError as error:
        raise FolderUnwritable(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    return folder


def _write(folder: Path, contents: Mapping[str, bytes], executables: Collection[str]) -> None:
    for path, content in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        if path in executables:
            target.chmod(0o755)
