"""Where clients look for skills: in a project, and in the home folder of their user."""

from pathlib import Path
from typing import Literal

Client = Literal["agents", "claude", "codex", "cursor", "vscode"]
# The project's folder and the user's, from each client's documentation (2026).
FOLDERS: dict[Client, tuple[str, str]] = {
    "agents": (".agents/skills", ".agents/skills"),
    "claude": (".claude/skills", ".claude/skills"),
    "codex": (".codex/skills", ".codex/skills"),
    "cursor": (".cursor/skills", ".cursor/skills"),
    "vscode": (".github/skills", ".copilot/skills"),
}


def folder_of(client: Client, project: Path, *, everywhere: bool) -> Path:
    """The folder that a client's skills lie in: the project's, or everywhere for its user."""
    own, users = FOLDERS[client]
    return Path.home() / users if everywhere else project / own
