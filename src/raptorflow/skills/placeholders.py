"""The sentences of a new skill that its author is meant to replace, and the warning for those that stayed."""

from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import FILE, Document

DESCRIPTION = "say what it does and when to use it, with the words a user would use."
ACHIEVES = "Say in a sentence what this skill achieves, then how."
ASKS = "- The user asks ..."
STEPS = "1. Do this first.\n2. Then do that."

REMEDIES = {
    ACHIEVES: "Write what the skill achieves.",
    ASKS: "Write when to use it, in the words of a user.",
    STEPS: "Write the steps, or leave the section out.",
}


def check_placeholders(document: Document, findings: Findings) -> None:
    """Warn of each sentence that is still the template's."""
    message = "This is still the template's text."
    if DESCRIPTION in str(document.fields.get("description")):
        remedy = "Describe the skill: it is found by these words."
        findings.warning("template-text", FILE, message, remedy, document.lines.get("description"))
    for text, remedy in REMEDIES.items():
        above, found, _ = document.body.partition(text)
        if found:
            line = document.body_line + above.count("\n")
            findings.warning("template-text", FILE, message, remedy, line)
