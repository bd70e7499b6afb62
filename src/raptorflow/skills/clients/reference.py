"""The reference validator (PyPI `skills-ref` 0.1.1), defects included: it accepts a skill or does not.

It splits the file at the first two `---`, wherever they stand, and reads a subset of YAML (`strictyaml`)
without flow style, tags, anchors and typed values.
"""

import unicodedata
from collections.abc import Iterator
from typing import Any, cast

import yaml

from raptorflow.skills.clients.evidence import Evidence
from raptorflow.skills.clients.judgement import Judgement, loads, skips
from raptorflow.skills.fields import FIELDS, MAX_COMPATIBILITY, MAX_DESCRIPTION, MAX_NAME
from raptorflow.skills.frontmatter import MISFITS, read_events
from raptorflow.skills.text import control_in

SPLITS = 2


def judge(evidence: Evidence) -> Judgement:
    """What the reference validator says of a skill."""
    text = evidence.text
    if text is None:
        return skips("SKILL.md is missing or not UTF-8")
    parts = text.split("---", SPLITS)
    if not text.startswith("---") or len(parts) <= SPLITS:
        return skips("no frontmatter between two `---`")
    fields = _strict_fields(parts[1])
    if isinstance(fields, str):
        return skips(fields)
    problem = next(_problems(fields, evidence.folder), None)
    return skips(problem) if problem else loads()


def _strict_fields(source: str) -> dict[str, Any] | str:
    """The fields, all values texts; or what the subset of YAML does not take."""
    if control_in(source):
        return "it ends with an error at a control character"
    try:
        for event in read_events(source):
            if problem := _outside_of_subset(event):
                return problem
        fields: Any = cast("Any", yaml.CBaseLoader(source)).get_single_data()
    except (yaml.YAMLError, *MISFITS):
        return "the frontmatter is not YAML"
    return cast("dict[str, Any]", fields) if isinstance(fields, dict) else "the frontmatter has no fields"


def _outside_of_subset(event: yaml.Event) -> str | None:
    if isinstance(event, yaml.CollectionStartEvent) and cast("Any", event).flow_style:
        return "it reads no flow style (`[a, b]`, `{a: b}`)"
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "it reads no anchors"
    if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) is not None:
        return "it reads no tags"
    return None


def _problems(fields: dict[str, Any], folder: str) -> Iterator[str]:
    if unknown := sorted(fields.keys() - FIELDS):
        yield f"unknown fields: {', '.join(map(str, unknown))[:100]}"
    yield from _name_problems(fields.get("name"), folder)
    description = fields.get("description")
    if not isinstance(description, str) or not description.strip():
        yield "the description is missing"
    elif len(description) > MAX_DESCRIPTION:
        yield f"the description is longer than {MAX_DESCRIPTION} characters"
    compatibility = fields.get("compatibility")
    if compatibility is not None and not isinstance(compatibility, str):
        yield "the compatibility is no text"
    elif len(compatibility or "") > MAX_COMPATIBILITY:
        yield f"the compatibility is longer than {MAX_COMPATIBILITY} characters"


def _name_problems(name: object, folder: str) -> Iterator[str]:
    if not isinstance(name, str) or not name.strip():
        yield "the name is missing"
        return
    plain = unicodedata.normalize("NFKC", name.strip())
    if len(plain) > MAX_NAME:
        yield f"the name is longer than {MAX_NAME} characters"
    if plain != plain.lower() or plain.strip("-") != plain or "--" in plain:
        yield "the name is not lower case with single hyphens inside"
    if not all(character.isalnum() or character == "-" for character in plain):
        yield "the name has other characters than letters, digits and hyphens"
    if unicodedata.normalize("NFKC", folder) != plain:
        yield "the name is not the folder's"
