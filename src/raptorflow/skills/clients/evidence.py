"""What the clients judge by: a `SKILL.md` as bytes, read once, in the ways that they read it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import Document, parse_document, split_document
from raptorflow.skills.repair import quoted_values


@dataclass(frozen=True)
class Evidence:
    """A skill's `SKILL.md`.

    Attributes:
        content: the file; None when there is none.
        folder: the name of the skill's folder.
        document: the file as all of YAML reads it; None when that is not possible.
    """

    content: bytes | None
    folder: str
    document: Document | None

    @cached_property
    def text(self) -> str | None:
        """The file as text; None when it is not UTF-8."""
        try:
            return None if self.content is None else self.content.decode()
        except UnicodeDecodeError:
            return None

    @cached_property
    def has_frontmatter(self) -> bool:
        """Whether there are two fences, the first at the very start."""
        return self.text is not None and split_document(self.text) is not None

    @cached_property
    def repaired(self) -> dict[str, Any] | None:
        """The fields after the one repair that lenient clients make; None when that does not help either."""
        if self.document:
            return self.document.fields
        parts = split_document(self.text) if self.text is not None else None
        mended = quoted_values(parts[0]) if parts else None
        if mended is None:
            return None
        document = parse_document(f"---\n{mended}\n---\n".encode(), Findings())
        return document.fields if document else None

    def field(self, name: str) -> str | None:
        """A field's text after the repair, white space folded; None when there is no such text."""
        value = (self.repaired or {}).get(name)
        if value is None or isinstance(value, dict | list):
            return None
        return " ".join(str(value).split()) or None
