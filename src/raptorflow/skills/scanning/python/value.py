"""What is known of a value without running the code that makes it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from typing import Final, Literal

HOLE: Final = "\ufffc"
"""Stands in a text for a part that is only known while the code runs."""
MAX_TEXTS = 12
MAX_ITEMS = 4096
MAX_TEXT = 256 * 1024
MAX_NAME = 400


class Unknown:
    """The constant of a value that is none."""


UNKNOWN: Final = Unknown()
LabelKind = Literal[
    "secret",
    "environment",
    "credential",
    "clipboard",
    "conversation",
    "keystrokes",
    "download",
    "decoded",
    "home",
]


@dataclass(frozen=True, slots=True)
class Label:
    """Where data came from.

    Attributes:
        detail: the variable, the path, the host or the encoding.
    """

    kind: LabelKind
    detail: str


Labels = frozenset[Label]
NO_LABELS: Labels = frozenset()


@dataclass(frozen=True, slots=True)
class Value:
    """A value as far as the code tells it.

    Attributes:
        const: the constant it is; `UNKNOWN` when it is none.
        texts: the texts it may be, with `HOLE` for what is not known.
        name: the dotted name of what it is (`os.system`, `socket.socket()` for what a call gives).
        labels: where its data came from.
        items: a container's values.
        keys: a mapping's keys, one an item.
    """

    const: object = UNKNOWN
    texts: tuple[str, ...] = ()
    name: str = ""
    labels: Labels = NO_LABELS
    items: tuple["Value", ...] | None = None
    keys: tuple[object, ...] = ()
    _every_label: Labels | None = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The first text that it may be; empty when none is known."""
        return self.texts[0] if self.texts else ""

    @property
    def known(self) -> bool:
        """Whether it is a constant."""
        return self.const is not UNKNOWN

    def every_label(self) -> Labels:
        """Its labels and those of what it holds."""
        if not self.items:
            return self.labels
        if self._every_label is None:
            # Asked for again and again on the way up through nested containers: kept once it is known.
            found = self.labels.union(*(item.every_label() for item in self.items))
            object.__setattr__(self, "_every_label", found)
        return self._every_label or NO_LABELS

    def every_text(self) -> tuple[str, ...]:
        """Its texts and those of what it holds."""
        if not self.items:
            return self.texts
        return (*self.texts, *(text for item in self.items for text in item.every_text()))

    def has(self, *kinds: LabelKind) -> bool:
        """Whether it, or what it holds, came from one of these."""
        return any(label.kind in kinds for label in self.every_label())

    def item(self, key: object) -> "Value":
        """What stands under a key or a place; everything that it holds when that is not known."""
        if self.items is None:
            return Value(labels=self.labels)
        if self.keys and key in self.keys:
            return self.items[self.keys.index(key)]
        if not self.keys and isinstance(key, int) and -len(self.items) <= key < len(self.items):
            return self.items[key]
        return joined(self.items, self.labels)


NOTHING = Value()


def constant(value: object, labels: Labels = NO_LABELS) -> Value:
    """A constant; texts and bytes that are text are known as texts too."""
    if isinstance(value, str):
        return Value(value, (value[:MAX_TEXT],), labels=labels)
    if isinstance(value, bytes):
        return Value(value, (value[:MAX_TEXT].decode("utf-8", errors="replace"),), labels=labels)
    return Value(value, labels=labels)


def text_value(texts: Iterable[str], labels: Labels = NO_LABELS) -> Value:
    """A value that may be each of these texts; a constant when it is one without holes."""
    kept = tuple(dict.fromkeys(text[:MAX_TEXT] for text in texts))[:MAX_TEXTS]
    if len(kept) == 1 and HOLE not in kept[0]:
        return Value(kept[0], kept, labels=labels)
    return Value(texts=kept, labels=labels)


def joined(values: Iterable[Value], labels: Labels = NO_LABELS) -> Value:
    """A value that may be any of these."""
    several = [value for value in values if value is not NOTHING]
    if len(several) == 1 and not labels:
        return several[0]
    texts = tuple(dict.fromkeys(text for value in several for text in value.texts))[:MAX_TEXTS]
    name = next((value.name for value in several if value.name), "")
    held = [value for value in several if value.items is not None]
    merged = labels.union(*(value.labels for value in several)) if several else labels
    if len(held) <= 1:
        only = held[0] if held else NOTHING
        return Value(texts=texts, name=name, labels=merged, items=only.items, keys=only.keys)
    items = tuple(item for value in held for item in value.items or ())
    return Value(texts=texts, name=name, labels=merged, items=items[:MAX_ITEMS])


def concatenated(parts: Iterable[Value]) -> Value:
    """The text that the parts make together."""
    parts = list(parts)
    labels = NO_LABELS.union(*(part.labels for part in parts)) if parts else NO_LABELS
    choices = [_as_texts(part) for part in parts]
    count = 1
    for place, choice in enumerate(choices):
        if count * len(choice) > MAX_TEXTS:
            choices[place] = choice[:1]
        count *= len(choices[place])
    return text_value(("".join(choice) for choice in product(*choices)), labels)


def _as_texts(part: Value) -> tuple[str, ...]:
    if part.texts:
        return part.texts
    return (str(part.const)[:MAX_NAME],) if isinstance(part.const, int | float) else (HOLE,)
