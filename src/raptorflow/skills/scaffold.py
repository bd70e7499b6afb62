"""New skills from templates that are valid and work as they come; the checks name what is left to write."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from raptorflow.base.errors import Conflict
from raptorflow.skills import placeholders
from raptorflow.skills.errors import FolderUnwritable, SkillInvalid
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import FILE, write_document
from raptorflow.skills.reader import inspect_files

Template = Literal["instructions", "python", "service"]

INSTRUCTIONS = f"""\
# {{title}}

{placeholders.ACHIEVES}

## When to use it

{placeholders.ASKS}

## How

{placeholders.STEPS}
"""
WITH_ACTION = (
    INSTRUCTIONS
    + """
Call the action `{action}`; it takes {takes} and answers with `answer`.
"""
)
MANIFEST = """\
schema = 1

[skill]
version = "0.1.0"
categories = []
tags = []
{permissions}
[limits]
timeout = "30s"
memory = "256MB"

[actions.{action}]
description = "{action_description}"
command = ["python", "scripts/{action}.py"]
input = "schemas/{action}.input.json"
output = "schemas/{action}.output.json"
"""
PYTHON_SCRIPT = '''\
"""Counts the words of a text."""

# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///

from typing import Any

from raptorflow_skill import action


def main(given: dict[str, Any]) -> dict[str, Any]:
    """Answer with the number of words in `text`."""
    words = len(given["text"].split())
    return {"answer": f"The text has {words} words.", "words": words}


if __name__ == "__main__":
    action.run(main)
'''
SERVICE_SCRIPT = '''\
"""Finds a contact by e-mail address."""

# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///

from typing import Any

from raptorflow_skill import action, services


def main(given: dict[str, Any]) -> dict[str, Any]:
    """Ask the service; the gateway adds the credential, this code never sees it."""
    found = services.call("hubspot", "contacts.read", {"email": given["email"]})
    contacts = found.get("results", [])
    return {"answer": f"Found {len(contacts)} contacts.", "contacts": contacts}


if __name__ == "__main__":
    action.run(main)
'''
SCHEMA = """\
{{
  "type": "object",
  "properties": {{
    {properties}
  }},
  "required": [{required}],
  "additionalProperties": false
}}
"""


def new_skill(parent: Path, name: str, template: Template = "instructions") -> Path:
    """Write a new skill below `parent` and return its folder.

    Raises:
        Conflict: the folder is there already.
        FolderUnwritable: it cannot be made.
        SkillInvalid: the name is no skill name.
    """
    files = template_files(name, template)
    findings = Findings()
    inspect_files({path: text.encode() for path, text in files.items()}, set(), name, findings)
    if findings.errors():
        raise SkillInvalid(findings.errors())
    folder = parent / name
    if os.path.lexists(folder):
        raise Conflict(f"{folder} is there already.", hint="Choose another name, or remove it first.")
    try:
        _write(folder, files)
    except OSError as error:
        raise FolderUnwritable(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    return folder


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True)
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")


def template_files(name: str, template: Template) -> dict[str, str]:
    """The files of a template, by path."""
    if template == "instructions":
        return {FILE: _skill_md(name, INSTRUCTIONS)}
    if template == "python":
        return _with_action(name, "count-words", "a `text`", PYTHON_SCRIPT, "")
    permissions = '\n[permissions]\nservices = { hubspot = ["contacts.read"] }\n'
    return _with_action(name, "find-contact", "an `email`", SERVICE_SCRIPT, permissions)


def _with_action(name: str, action: str, takes: str, script: str, permissions: str) -> dict[str, str]:
    argument = takes.partition("`")[2].rstrip("`")
    result = '"words": {"type": "integer"}' if argument == "text" else '"contacts": {"type": "array"}'
    answer = f'"answer": {{"type": "string"}},\n    {result}'
    return {
        FILE: _skill_md(name, WITH_ACTION.replace("{action}", action).replace("{takes}", takes)),
        "skill.toml": MANIFEST.format(
            action=action, permissions=permissions, action_description=script.split('"""')[1].rstrip(".")
        ),
        f"scripts/{action}.py": script,
        f"schemas/{action}.input.json": SCHEMA.format(
            properties=f'"{argument}": {{"type": "string"}}', required=f'"{argument}"'
        ),
        f"schemas/{action}.output.json": SCHEMA.format(properties=answer, required='"answer"'),
    }


def _skill_md(name: str, body: str) -> str:
    title = name.replace("-", " ").capitalize()
    description = f"{title}: {placeholders.DESCRIPTION}"
    return write_document({"name": name, "description": description}, body.replace("{title}", title))
