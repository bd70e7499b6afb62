"""One table of `skill.toml`: reads values of the type that is wanted; what does not fit becomes a finding."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.manifest.places import KeyPlaces
from raptorflow.skills.text import shown

FILE = "skill.toml"


@dataclass(frozen=True)
class Table:
    """A table, its path in the document, and where findings about it go."""

    values: dict[str, Any]
    path: tuple[str, ...]
    places: KeyPlaces
    findings: Findings

    def error(self, code: str, key: str, message: str, remedy: str) -> None:
        """Report a key of this table."""
        self.findings.error(code, FILE, message, remedy, self.places.line(*self.path, key))

    def known(self, *keys: str) -> None:
        """Report every key that is none of these."""
        for key in sorted(self.values.keys() - set(keys)):
            remedy = f"Known here: {', '.join(sorted(keys))}."
            self.error("key-unknown", key, f"`{self.name(key)}` is not a key of skill.toml.", remedy)

    def name(self, key: str) -> str:
        """The key with the tables around it: `permissions.network`."""
        return ".".join((*self.path, key))

    def table(self, key: str) -> "Table":
        """The table below a key; empty when there is none."""
        values = as_mapping(self.values.get(key, {}))
        if values is None:
            name = self.name(key)
            self.error("section-invalid", key, f"`{name}` is not a table.", f"Write `[{name}]`.")
        return Table(values or {}, (*self.path, key), self.places, self.findings)

    def tables(self) -> Iterator[tuple[str, "Table"]]:
        """Every key of this table with the table below it."""
        return ((key, self.table(key)) for key in self.values)

    def text(self, key: str, default: str = "") -> str:
        """The text of a key."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            message = f"`{self.name(key)}` is {shown(value)}, not a text."
            self.error("text-invalid", key, message, f'Write `{key} = "…"`.')
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts of a key."""
        items = as_list(self.values.get(key, []))
        if items is None or not all(isinstance(item, str) for item in items):
            message = f"`{self.name(key)}` is not a list of texts."
            self.error("list-invalid", key, message, f'Write `{key} = ["…"]`.')
            return ()
        return tuple(items)

    def checked(self, key: str, default: str, check: Callable[[str], object], code: str, remedy: str) -> str:
        """The text of a key when `check` takes it without a ValueError; else the default."""
        value = self.text(key, default)
        try:
            check(value)
        except ValueError:
            self.error(code, key, f"`{self.name(key)}` is {shown(value)}.", remedy)
            return default
        return value
