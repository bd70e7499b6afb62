"""The digest of a skill: of its tree, whatever archive carried it."""

import hashlib
from collections.abc import Collection, Mapping


def file_digest(content: bytes) -> str:
    """The hex SHA-256 of a file."""
    return hashlib.sha256(content).hexdigest()


def tree_digest(files: Mapping[str, bytes], executables: Collection[str] = ()) -> str:
    """`sha256:` over every path, its executable bit and its content's digest, in path order.

    Args:
        files: content by path (relative, `/`).
        executables: the paths that are executable.
    """
    return digest_of_digests({path: file_digest(content) for path, content in files.items()}, executables)


def digest_of_digests(files: Mapping[str, str], executables: Collection[str] = ()) -> str:
    """The same digest, from each file's own."""
    tree = hashlib.sha256()
    for path in sorted(files):
        mode = "x" if path in executables else "-"
        # NUL cannot be in a path, so no two trees share one byte form.
        tree.update(f"{path}\0{mode}\0{files[path]}\n".encode())
    return f"sha256:{tree.hexdigest()}"
