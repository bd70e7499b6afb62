"""`marketplace.json`: plugins that bring skills, as Claude Code and its kin list them.

The format is that of https://code.claude.com/docs/en/plugin-marketplaces.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.sources.addresses import Repository, github, repository
from raptorflow.skills.sources.errors import SourceInvalid
from raptorflow.skills.sources.fields import LABEL, inner_path, read_each, read_object, text_in
from raptorflow.skills.text import shown

FILE = ".claude-plugin/marketplace.json"
# Where other clients look for the same file.
PLACES = (
    FILE,
    ".github/plugin/marketplace.json",
    ".agents/plugins/marketplace.json",
    ".cursor-plugin/marketplace.json",
)
PLUGIN_FILE = ".claude-plugin/plugin.json"
USUAL = "skills"
MAX_BYTES = 4 * 1024 * 1024
MAX_PLUGINS = 2000
MAX_SKILLS = 2000
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Plugin:
    """A plugin that is listed.

    Attributes:
        source: the places below the marketplace where it may be, the likelier first; or a repository.
        skills: folders of skills inside of it; empty when nothing is said.
        strict: whether its own `plugin.json` counts too.
    """

    name: str
    source: tuple[str, ...] | Repository
    skills: tuple[str, ...] = ()
    strict: bool = True


@dataclass(frozen=True)
class Marketplace:
    """What a marketplace lists; `refused` has what of it cannot be used, and why."""

    name: str
    plugins: tuple[Plugin, ...]
    refused: Mapping[str, str]


def read_marketplace(content: bytes) -> Marketplace:
    """A marketplace; plugins that cannot be used do not keep the others from being read.

    Raises:
        SourceInvalid: it is none.
    """
    document = read_object(content, "marketplace.json", MAX_BYTES)
    listed = as_list(document.get("plugins"))
    if listed is None:
        raise SourceInvalid("`plugins` of marketplace.json is no list.")
    if len(listed) > MAX_PLUGINS:
        raise SourceInvalid(f"marketplace.json lists {len(listed)} plugins; {MAX_PLUGINS} are the limit.")
    metadata = as_mapping(document.get("metadata", {})) or {}
    root = inner_path(text_in(metadata, "pluginRoot", ""))
    plugins, refused = read_each(listed, "plugin", lambda table: _plugin(table, root))
    return Marketplace(text_in(document, "name", ""), plugins, refused)


def read_plugin_skills(content: bytes) -> tuple[str, ...]:
    """The folders of skills that a plugin's own `plugin.json` names.

    Raises:
        SourceInvalid: it is none.
    """
    return _skills(read_object(content, "plugin.json", MAX_BYTES))


def _plugin(table: Mapping[str, Any], root: str) -> Plugin:
    name = text_in(table, "name")
    if not LABEL.fullmatch(name):
        raise SourceInvalid(f"{shown(name)} is no plugin's name.")
    strict = table.get("strict", True)
    if not isinstance(strict, bool):
        raise SourceInvalid(f"`strict` is {shown(strict)}, neither true nor false.")
    return Plugin(name, _source(table.get("source"), root), _skills(table), strict)


def _source(given: object, root: str) -> tuple[str, ...] | Repository:
    if isinstance(given, str):
        path = inner_path(text_in({"source": given}, "source"))
        # Some write the common root in front of each path too.
        return (inner_path(f"{root}/{path}".lstrip("/")), path) if root else (path,)
    table = as_mapping(given)
    if table is None:
        raise SourceInvalid(f"`source` is {shown(given)}, neither a path nor a table.")
    kind = text_in(table, "source")
    if kind == "github":
        url = github(text_in(table, "repo"))
    elif kind in {"url", "git", "git-subdir"}:
        url = text_in(table, "url").removeprefix("git+")
    else:
        raise SourceInvalid(f"Its source is {shown(kind)}, which is not imported from.")
    return repository(url, _ref(table), text_in(table, "path", ""))


def _ref(table: Mapping[str, Any]) -> str:
    """The commit where one is given: a branch or a tag may have moved since."""
    commit = text_in(table, "sha", "")
    if commit and not COMMIT.fullmatch(commit):
        raise SourceInvalid(f"`sha` is {shown(commit)}, no whole commit.")
    return commit or text_in(table, "ref", "")


def _skills(table: Mapping[str, Any]) -> tuple[str, ...]:
    given = table.get("skills", [])
    listed = [given] if isinstance(given, str) else as_list(given)
    if listed is None or len(listed) > MAX_SKILLS:
        raise SourceInvalid(
            f"`skills` is {shown(given)}, and should be a list of at most {MAX_SKILLS} paths."
        )
    return tuple(inner_path(text_in({"skills": each}, "skills")) for each in listed)
