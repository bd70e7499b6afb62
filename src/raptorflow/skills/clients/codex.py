"""Codex, by its skills loader (`openai/codex`, `codex-rs`, `skills/loader.rs` and `frontmatter.rs`, 2026).

It takes a missing name from the folder, folds white space, tries once more with quoted values, and refuses
what is longer than its limits. It ignores fields that it does not know.
"""

from raptorflow.skills.clients.evidence import Evidence
from raptorflow.skills.clients.judgement import Judgement, loads, skips

MAX_NAME, MAX_DESCRIPTION, MAX_SHORT = 64, 1024, 500


def judge(evidence: Evidence) -> Judgement:
    """What Codex does with a skill."""
    if evidence.text is None:
        return skips("SKILL.md is missing or not UTF-8")
    if not evidence.has_frontmatter:
        return skips("no frontmatter at the very start of the file")
    if evidence.repaired is None:
        return skips("the frontmatter is not YAML")
    name, description = evidence.field("name"), evidence.field("description")
    if description is None:
        return skips("the description is missing")
    if len(name or evidence.folder) > MAX_NAME:
        return skips(f"the name is longer than {MAX_NAME} characters")
    if len(description) > MAX_DESCRIPTION:
        return skips(f"the description is longer than {MAX_DESCRIPTION} characters")
    return loads(
        None if evidence.document else "it quotes values that are not YAML",
        None if name else "it takes the folder's name",
    )
