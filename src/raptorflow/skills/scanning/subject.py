"""What is scanned: a skill's files, decoded once and split into sources of one language each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.manifest.document import Manifest

Language = Literal["markdown", "python", "shell", "javascript", "text"]


@dataclass(frozen=True)
class Source:
    """A text in one language: a file, or a fenced block of a Markdown file.

    Attributes:
        path: the file.
        first_line: the file's line that the text begins on.
        fenced: whether it is a block inside of Markdown, that a reader may run, and not a file.
    """

    path: str
    language: Language
    text: str
    first_line: int = 1
    fenced: bool = False


@dataclass(frozen=True)
class Subject:
    """A skill as its detectors see it.

    Attributes:
        name: of the skill, or of its folder when `SKILL.md` cannot be read.
        description: from the frontmatter; empty when there is none.
        files: content by path.
        sources: every text among them, files before their fenced blocks.
        declared: what `skill.toml` declares; nothing when there is none.
        manifest: the manifest; None when the skill has none.
        whole: the skill's own texts, where `sources` are what was dug up in them.
    """

    name: str
    description: str
    files: Mapping[str, bytes]
    sources: tuple[Source, ...]
    declared: Capabilities = field(default_factory=Capabilities)
    manifest: Manifest | None = None
    whole: tuple[Source, ...] = ()

    def written_in(self, language: Language) -> list[Source]:
        """The sources of one language."""
        return [source for source in self.sources if source.language == language]
