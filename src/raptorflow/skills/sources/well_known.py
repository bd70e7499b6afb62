"""`/.well-known/agent-skills/index.json`: the skills that a site offers.

The format is that of https://github.com/cloudflare/agent-skills-discovery-rfc, version 0.2.0; and 0.1.0,
whose entries list files without digests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin

from raptorflow.skills.fields import MAX_NAME, NAME
from raptorflow.skills.files import MAX_FILES
from raptorflow.skills.frontmatter import FILE as SKILL_MD
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.paths import Spellings, path_problem
from raptorflow.skills.sources.addresses import check_reached_from, split_url
from raptorflow.skills.sources.errors import SourceInvalid
from raptorflow.skills.sources.fields import digest_in, read_each, read_object, text_in
from raptorflow.skills.text import shown

PLACES = ("/.well-known/agent-skills/index.json", "/.well-known/skills/index.json")
SCHEMA = "https://schemas.agentskills.io/discovery/0.2.0/schema.json"
MAX_BYTES = 4 * 1024 * 1024
MAX_SKILLS = 2000


@dataclass(frozen=True)
class Part:
    """A file to fetch; its hex SHA-256 is empty where the index has none."""

    path: str
    url: str
    digest: str


@dataclass(frozen=True)
class Offer:
    """A skill that is offered: its files, or one archive of them."""

    name: str
    parts: tuple[Part, ...]
    is_archive: bool = False


@dataclass(frozen=True)
class Index:
    """What a site offers; `refused` has what of it cannot be used, and why."""

    offers: tuple[Offer, ...]
    refused: Mapping[str, str]


def read_index(content: bytes, url: str) -> Index:
    """The index at an address; entries that cannot be used do not keep the others from being read.

    Raises:
        SourceInvalid: it is none, or of another version.
    """
    document = read_object(content, "index.json", MAX_BYTES)
    schema = document.get("$schema")
    if schema is not None and schema != SCHEMA:
        raise SourceInvalid(f"index.json follows {shown(schema)}, which is not known.")
    listed = as_list(document.get("skills"))
    if listed is None:
        raise SourceInvalid("`skills` of index.json is no list.")
    if len(listed) > MAX_SKILLS:
        raise SourceInvalid(f"index.json lists {len(listed)} skills; {MAX_SKILLS} are the limit.")
    read = _artifact if schema else _folder
    offers, refused = read_each(listed, "entry", lambda table: read(table, url))
    return Index(offers, refused)


def _artifact(table: Mapping[str, Any], url: str) -> Offer:
    """An entry of 0.2.0: one file, with its digest."""
    name, kind = _name(table), text_in(table, "type")
    if kind not in {"skill-md", "archive"}:
        raise SourceInvalid(f"Its type is {shown(kind)}, which is not known.")
    path = SKILL_MD if kind == "skill-md" else ""
    part = Part(path, _reached(text_in(table, "url"), url), digest_in(table))
    return Offer(name, (part,), is_archive=kind == "archive")


def _folder(table: Mapping[str, Any], url: str) -> Offer:
    """An entry of 0.1.0: files in a folder of the skill's name; drafts in between had digests for them."""
    name, listed = _name(table), as_list(table.get("files"))
    if not listed or len(listed) > MAX_FILES:
        raise SourceInvalid(f"`files` should be a list of at most {MAX_FILES} paths.")
    spellings = Spellings()
    parts: list[Part] = []
    for each in listed:
        file = as_mapping(each) or {"path": each}
        path = text_in(file, "path")
        if problem := path_problem(path):
            raise SourceInvalid(f"The path {shown(path)} {problem}.")
        if other := spellings.clash(path):
            raise SourceInvalid(f"The paths {shown(path)} and {shown(other)} are one on some systems.")
        place = _reached(f"{name}/{quote(path)}", url)
        parts.append(Part(path, place, digest_in(file) if "digest" in file else ""))
    return Offer(name, tuple(parts))


def _name(table: Mapping[str, Any]) -> str:
    name = text_in(table, "name")
    if len(name) > MAX_NAME or not NAME.fullmatch(name):
        raise SourceInvalid(f"{shown(name)} is no skill's name.")
    return name


def _reached(place: str, base: str) -> str:
    try:
        url = urljoin(base, place)
    except ValueError as error:
        raise SourceInvalid(f"{shown(place)} is no address: {error}.") from error
    check_reached_from(split_url(url), split_url(base))
    return url
