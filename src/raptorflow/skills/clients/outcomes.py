"""What each known client does with a skill."""

from collections.abc import Callable, Mapping

from raptorflow.skills.clients import claude_code, codex, reference, vscode
from raptorflow.skills.clients.evidence import Evidence
from raptorflow.skills.clients.judgement import Judgement
from raptorflow.skills.frontmatter import Document

CLIENTS: Mapping[str, Callable[[Evidence], Judgement]] = {
    "claude-code": claude_code.judge,
    "codex": codex.judge,
    "vscode": vscode.judge,
    "skills-ref": reference.judge,
}
TITLES = {
    "claude-code": "Claude Code",
    "codex": "Codex",
    "vscode": "VS Code",
    "skills-ref": "skills-ref",
}


def judgements(content: bytes | None, folder: str, document: Document | None) -> dict[str, Judgement]:
    """Each client's judgement of a `SKILL.md` in a folder of that name, by the client's name."""
    evidence = Evidence(content, folder, document)
    return {name: judge(evidence) for name, judge in CLIENTS.items()}
