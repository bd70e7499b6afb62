"""Puts a skill's files into a client's folder: whole or not at all, and never over somebody's own work."""

import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from raptorflow.base.errors import Conflict
from raptorflow.skills.digest import tree_digest
from raptorflow.skills.errors import FolderUnwritable
from raptorflow.skills.files import check_paths, collect_files
from raptorflow.skills.findings import Finding, Findings
from raptorflow.skills.listing import Listing
from raptorflow.skills.placing.beside import backup_of, prefix_of_new, prefix_of_old

# A folder that is a repository has its user's history in it.
HISTORY = ".git"


class FolderNotOurs(Conflict):
    """A folder is there that was not installed, or was changed since."""

    code = "folder-not-ours"
    default_hint = "Keep your changes elsewhere, or use `--force`, which leaves a copy beside it."


def digest_of_folder(folder: Path) -> str | None:
    """The digest of the skill in a folder; None when there is none, or something that is no regular file."""
    if folder.is_symlink() or not folder.is_dir():
        return None
    listing, problems = list_folder(folder)
    return None if problems else listing.digest()


def list_folder(folder: Path) -> tuple[Listing, list[Finding]]:
    """The files of a folder, and what in it cannot be a skill's: links, names that nothing can store."""
    findings = Findings()
    files, executables = collect_files(folder, findings)
    check_paths(files, findings)
    return Listing.of(files, executables), findings.errors()


def is_untouched(target: Path, digests: Collection[str]) -> bool:
    """Whether a folder holds what was installed there and nothing of its user's own."""
    if any(place.is_symlink() for place in _above(target)) or (target / HISTORY).exists():
        return False
    return digest_of_folder(target) in digests


def check_free(target: Path, digest: str, replaceable: Collection[str]) -> None:
    """Whether a skill of that digest may be put there, or is there already.

    Raises:
        FolderNotOurs: there is something else.
    """
    _refuse_links(target)
    if not os.path.lexists(target) or digest_of_folder(target) == digest:
        return
    if not is_untouched(target, replaceable):
        raise FolderNotOurs(f"{target} holds something that was not installed, or was changed since.")


def remove(target: Path) -> None:
    """Take a skill's folder away: whole or not at all.

    Raises:
        FolderUnwritable: it cannot be removed.
    """
    try:
        gone = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix_of_new(target)))
        try:
            target.rename(gone / target.name)
        finally:
            shutil.rmtree(gone, ignore_errors=True)
    except OSError as error:
        raise FolderUnwritable(f"{target} cannot be removed: {error.strerror}.") from error


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
    digest = tree_digest(files, executables)
    try:
        _refuse_links(target)
        _sweep(target)
        if not force:
            check_free(target, digest, replaceable)
        if digest_of_folder(target) == digest:
            return False
        mine = os.path.lexists(target) and not is_untouched(target, replaceable)
        _replace(target, files, executables, keep=mine)
    except OSError as error:
        raise FolderUnwritable(f"{error.filename or target} cannot be written: {error.strerror}.") from error
    return True


def _refuse_links(target: Path) -> None:
    """A client's folder that is a link could lead anywhere: a project must not write outside of itself."""
    for place in _above(target):
        if place.is_symlink():
            raise FolderNotOurs(f"{place} is a link.", hint="Replace it by a folder of its own.")


def _above(target: Path) -> tuple[Path, Path]:
    """The two folders of a client around a skill's, as in `.claude/skills`."""
    return target.parent, target.parent.parent


def _replace(target: Path, files: Mapping[str, bytes], executables: Collection[str], *, keep: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix_of_new(target)))
    try:
        _write(fresh, files, executables)
        _swap(fresh, target, keep=keep)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


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
    elif keep:
        # At no moment under a name that is swept: it is somebody's work.
        _exchange(fresh, target, _free(target))
    else:
        old = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix_of_old(target)))
        _exchange(fresh, target, old / target.name)
        shutil.rmtree(old, ignore_errors=True)


def _exchange(fresh: Path, target: Path, aside: Path) -> None:
    target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        aside.rename(target)
        raise


def _sweep(target: Path) -> None:
    """Finish what was killed: an old folder that was moved away goes back when nothing took its place."""
    for left in target.parent.glob(f"{prefix_of_old(target)}*"):
        moved = left / target.name
        # Nothing of ours is a link; what came with a project could lead anywhere.
        if left.is_symlink() or moved.is_symlink():
            continue
        if moved.is_dir() and not os.path.lexists(target):
            moved.rename(target)
        shutil.rmtree(left, ignore_errors=True)
    for left in target.parent.glob(f"{prefix_of_new(target)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _free(target: Path) -> Path:
    """A hidden name, so that no client takes the copy for a skill."""
    number = 1
    while os.path.lexists(copy := backup_of(target, number)):
        number += 1
    return copy
