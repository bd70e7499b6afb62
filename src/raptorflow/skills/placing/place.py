"""Puts a skill's files into a client's folder: whole or not at all, and never over somebody's own work."""

import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from raptorflow.base.errors import Conflict
from raptorflow.skills.digest import tree_digest
from raptorflow.skills.errors import FolderUnwritable
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings


class FolderNotOurs(Conflict):
    """A folder is there that was not installed, or was changed since."""

    code = "folder-not-ours"
    default_hint = "Keep your changes elsewhere, or use `--force`, which leaves a copy beside it."


def digest_of_folder(folder: Path) -> str | None:
    """The digest of the skill in a folder; None when there is none, or something that is no regular file."""
    if folder.is_symlink() or not folder.is_dir():
        return None
    findings = Findings()
    files, executables = collect_files(folder, findings)
    return None if findings.errors() else tree_digest(files, executables)


def place(
    target: Path,
    files: Mapping[str, bytes],
    executables: Collection[str],
    *,
    replaceable: Collection[str] = (),
    force: bool = False,
) -> bool:
    """Write a skill to a folder; False when it is there already, exactly so.

    Args:
        target: the skill's folder.
        files: content by path.
        executables: the paths that are executable.
        replaceable: digests of what may be replaced: what was installed here before.
        force: replace anything else too, and leave a copy beside it.

    Raises:
        FolderNotOurs: there is something else.
        FolderUnwritable: it cannot be written; what was there is as it was.
    """
    _refuse_links(target)
    _sweep(target)
    there = digest_of_folder(target)
    if there == tree_digest(files, executables):
        return False
    exists = os.path.lexists(target)
    if exists and there not in replaceable and not force:
        raise FolderNotOurs(f"{target} holds something that was not installed, or was changed since.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.new-"))
        try:
            _write(fresh, files, executables)
            _swap(fresh, target, keep=exists and there not in replaceable)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise FolderUnwritable(f"{error.filename or target} cannot be written: {error.strerror}.") from error
    return True


def _refuse_links(target: Path) -> None:
    """A client's folder that is a link could lead anywhere: a project must not write outside of itself."""
    for place in (target.parent, target.parent.parent):
        if place.is_symlink():
            raise FolderNotOurs(f"{place} is a link.", hint="Replace it by a folder of its own.")


def _write(folder: Path, files: Mapping[str, bytes], executables: Collection[str]) -> None:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755 if path in executables else 0o644)
    folder.chmod(0o755)


def _swap(fresh: Path, target: Path, *, keep: bool) -> None:
    """The new folder takes the old one's place; two renames, with nothing half-written at any moment."""
    if not os.path.lexists(target):
        fresh.rename(target)
        return
    old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.old-"))
    moved = old / target.name
    target.rename(moved)
    try:
        fresh.rename(target)
    except OSError:
        moved.rename(target)
        raise
    if keep:
        moved.rename(_free(target))
    shutil.rmtree(old, ignore_errors=True)


def _sweep(target: Path) -> None:
    """Finish what was killed: an old folder that was moved away goes back when nothing took its place."""
    for left in target.parent.glob(f".{target.name}.old-*"):
        moved = left / target.name
        if moved.is_dir() and not os.path.lexists(target):
            moved.rename(target)
        shutil.rmtree(left, ignore_errors=True)
    for left in target.parent.glob(f".{target.name}.new-*"):
        shutil.rmtree(left, ignore_errors=True)


def _free(target: Path) -> Path:
    """A hidden name, so that no client takes the copy for a skill."""
    number = 1
    while os.path.lexists(copy := target.with_name(f".{target.name}.backup-{number}")):
        number += 1
    return copy
