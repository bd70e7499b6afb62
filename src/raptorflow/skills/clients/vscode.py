"""VS Code, by its prompts service (`microsoft/vscode`, `promptSyntax/service/promptsServiceImpl.ts`, 2026).

It takes the folder's name where the skill's is missing or another, takes out what looks like a tag, and cuts
what is too long.
"""

import re

from raptorflow.skills.clients.evidence import Evidence
from raptorflow.skills.clients.judgement import Judgement, loads, skips

MAX_NAME, MAX_DESCRIPTION = 64, 1024
_TAG = re.compile(r"<[^>]+>")


def judge(evidence: Evidence) -> Judgement:
    """What VS Code does with a skill."""
    if evidence.text is None:
        return skips("SKILL.md is missing or not UTF-8")
    name, description = evidence.field("name"), evidence.field("description")
    if description is None:
        return skips("the description is missing or cannot be read")
    plain = _TAG.sub("", name or "")[:MAX_NAME]
    return loads(
        None if plain == evidence.folder else "it takes the folder's name",
        "it takes tags out of the description" if _TAG.search(description) else None,
        f"it cuts the description at {MAX_DESCRIPTION} characters"
        if len(_TAG.sub("", description)) > MAX_DESCRIPTION
        else None,
    )
