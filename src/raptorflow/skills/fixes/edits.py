"""The safe fixes of a frontmatter: each one mends a single fault and keeps every other byte.

A fix takes the YAML between the fences and gives it back mended, or None when there is nothing of its kind.
"""

import re
from collections import deque
from functools import lru_cache
from typing import Any, cast

import yaml

from raptorflow.base.json import dumps
from raptorflow.skills.fields import FIELDS, NAME
from raptorflow.skills.frontmatter import MISFITS, read_events
from raptorflow.skills.repair import quoted_values

# Fields that clients give a meaning at the top level: moving them would change what the skill does there.
CLIENTS_OWN = {
    *("argument-hint", "arguments", "agent", "context", "disable-model-invocation", "effort", "hooks"),
    *("model", "paths", "shell", "tools", "user-invocable", "when_to_use"),
}
TEXT = "tag:yaml.org,2002:str"
_KEY = re.compile(r"[A-Za-z0-9_.-]+")
_WORD = re.compile(r"[^a-z0-9]+")


def quote_values(source: str, _folder: str) -> str | None:
    """Quote a plain value with `: ` in it, where the frontmatter cannot be read otherwise."""
    if _root(source) is not None:
        return None
    mended = quoted_values(source)
    return mended if mended and _root(mended) is not None else None


def name_as_folder(source: str, folder: str) -> str | None:
    """Spell the name as the folder, when they differ by case and punctuation alone."""
    node = _value(source, "name")
    if not isinstance(node, yaml.ScalarNode) or node.value == folder or not NAME.fullmatch(folder):
        return None
    return _replace(source, node, folder) if _WORD.sub("-", node.value.lower()).strip("-") == folder else None


def tools_as_text(source: str, _folder: str) -> str | None:
    """Write a list of allowed tools as the one text that the specification wants."""
    node = _value(source, "allowed-tools")
    if not isinstance(node, yaml.SequenceNode):
        return None
    names = [item.value for item in node.value if isinstance(item, yaml.ScalarNode)]
    if len(names) != len(node.value) or any(not name or re.search(r"\s", name) for name in names):
        return None
    text = dumps(" ".join(names))
    last = node if node.flow_style else node.value[-1]
    if "#" in source[node.start_mark.index : last.end_mark.index]:
        # One text has no room for the comments between its parts.
        return None
    if node.flow_style:
        return _replace(source, node, text)
    # A block ends where the next thing begins: everything between the colon and the last item goes.
    before, after = source[: node.start_mark.index].rstrip(), source[last.end_mark.index :]
    return f"{before} {text}{after}" if before.endswith(":") else None


def metadata_as_texts(source: str, _folder: str) -> str | None:
    """Quote the numbers, dates and switches of `metadata`."""
    node = _value(source, "metadata")
    if not isinstance(node, yaml.MappingNode):
        return None
    mended = source
    # From the end, so that the places of those before stay true.
    for _, value in reversed(cast("list[tuple[yaml.Node, yaml.Node]]", node.value)):
        if isinstance(value, yaml.ScalarNode) and not value.style and value.tag != TEXT and value.value:
            mended = _replace(mended, value, dumps(value.value))
    return mended if mended != source else None


def unknown_to_metadata(source: str, _folder: str) -> str | None:
    """Move one field that the specification does not know to `metadata`, unless a client knows it."""
    root = _root(source)
    metadata = _value(source, "metadata")
    if root is None or (metadata is not None and not _is_block(metadata)):
        return None
    there = {key.value for key, _ in metadata.value} if isinstance(metadata, yaml.MappingNode) else set[str]()
    for key, value in root.value:
        if key.value in FIELDS | CLIENTS_OWN | there or not _is_line(source, key, value):
            continue
        lines = source.split("\n")
        moved = f"{dumps(key.value)[1:-1]}: {dumps(value.value)}"
        if isinstance(metadata, yaml.MappingNode):
            first = metadata.value[0][0].start_mark
            lines.insert(first.line, " " * first.column + moved)
        else:
            lines += ["metadata:", f"  {moved}"]
        # Above the insertion the line keeps its number; below, it has moved by one.
        shifted = isinstance(metadata, yaml.MappingNode) and key.start_mark.line >= metadata.start_mark.line
        del lines[key.start_mark.line + shifted]
        return "\n".join(lines)
    return None


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode) and not node.flow_style and bool(node.value)


def _is_line(source: str, key: yaml.Node, value: yaml.Node) -> bool:
    """Whether a field is `key: value` on a line of its own, with nothing behind it."""
    if not (isinstance(key, yaml.ScalarNode) and _KEY.fullmatch(key.value)):
        return False
    if not isinstance(value, yaml.ScalarNode) or value.start_mark.line != value.end_mark.line:
        return False
    line = source.split("\n")[key.start_mark.line]
    return bool(value.value) and not line[value.end_mark.column :].strip()


def is_yaml(source: str) -> bool:
    """Whether it reads as fields, every reference in it included."""
    return _root(source) is not None


@lru_cache(maxsize=8)
def _root(source: str) -> yaml.MappingNode | None:
    """The fields as nodes that know their places; None when the text is no YAML."""
    try:
        deque(read_events(source), maxlen=0)
        node: object = cast("Any", yaml.SafeLoader(source)).get_single_node()
    except (yaml.YAMLError, *MISFITS):
        return None
    return node if isinstance(node, yaml.MappingNode) else None


def _value(source: str, field: str) -> yaml.Node | None:
    root = _root(source)
    pairs = cast("list[tuple[Any, yaml.Node]]", root.value if root else [])
    return next((value for key, value in pairs if key.value == field), None)


def _replace(source: str, node: yaml.Node, text: str) -> str:
    start, end = cast("int", node.start_mark.index), cast("int", node.end_mark.index)
    return source[:start] + text + source[end:]
