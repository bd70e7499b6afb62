"""Claude Code, by its documentation (code.claude.com/docs/en/skills, 2026).

Every field is optional: a missing name is the folder's, a missing description is the first paragraph, and a
frontmatter that cannot be read counts as empty. What it lists of a description ends at 1,536 characters.
"""

from raptorflow.skills.clients.evidence import Evidence
from raptorflow.skills.clients.judgement import Judgement, loads, skips

MAX_LISTED = 1536


def judge(evidence: Evidence) -> Judgement:
    """What Claude Code does with a skill."""
    if evidence.text is None:
        return skips("SKILL.md is missing or not UTF-8")
    if evidence.document is None:
        return loads("it cannot read the frontmatter: the skill starts by hand only")
    description = evidence.field("description")
    return loads(
        None if evidence.field("name") else "it takes the folder's name",
        None if description else "it takes the first paragraph as the description",
        f"it lists {MAX_LISTED} characters of the description"
        if len(description or "") > MAX_LISTED
        else None,
    )
