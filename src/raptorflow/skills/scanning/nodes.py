"""Syntax trees, walked without recursion and within bounds: a hostile source is as deep as it likes."""

from collections.abc import Iterator

from tree_sitter import Node

MOST = 120_000


def nodes(root: Node) -> Iterator[Node]:
    """The nodes of a tree in the order of the text; no more than `MOST`."""
    waiting, seen = [root], 0
    while waiting and seen < MOST:
        node = waiting.pop()
        seen += 1
        yield node
        waiting.extend(reversed(node.children))
