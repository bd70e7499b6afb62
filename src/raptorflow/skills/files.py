"""The files of a skill's folder: which belong to it, and whether they may."""

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from raptorflow.skills.findings import Findings
from raptorflow.skills.paths import Spellings, path_problem
from raptorflow.skills.text import printable

MIB = 1024 * 1024
MAX_FILES = 1000
MAX_FILE_BYTES = 10 * MIB
MAX_TREE_BYTES = 50 * MIB
# What programs and systems leave behind; no part of any skill.
CACHES = {"__pycache__", ".pytest_cache", ".ruff_cache"}
EXCLUDED_FOLDERS = {"node_modules", ".git", ".venv", "__MACOSX", *CACHES}
EXCLUDED_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}
EXCLUDED_SUFFIXES = (".pyc", ".pyo", ".swp")


def belongs(path: str) -> bool:
    """Whether a path (relative, `/`) is the skill's and not something that a program left behind."""
    *folders, name = path.split("/")
    left_behind = name in EXCLUDED_FILES or name.endswith(EXCLUDED_SUFFIXES)
    return not left_behind and EXCLUDED_FOLDERS.isdisjoint(folders)


def collect_files(folder: Path, findings: Findings) -> tuple[dict[str, bytes], set[str]]:
    """The files of a skill's folder that belong to it, and which of them are executable."""
    files: dict[str, bytes] = {}
    executables: set[str] = set()
    total = 0
    for path, name in _walk(folder, findings):
        content, executable = _read(path, name, findings)
        if content is None:
            continue
        total += len(content)
        if len(content) > MAX_FILE_BYTES or total > MAX_TREE_BYTES or len(files) >= MAX_FILES:
            each, whole = MAX_FILE_BYTES // MIB, MAX_TREE_BYTES // MIB
            limits = f"{MAX_FILES} files, {each} MiB each, {whole} MiB in all"
            message = f"{name} passes the limits ({limits})."
            findings.error("too-large", name, message, "Leave out large files.")
            break
        files[name] = content
        if executable:
            executables.add(name)
    return files, executables


def check_paths(paths: Collection[str], findings: Findings) -> bool:
    """Find the paths that another machine could not store; False when one is not even text."""
    spellings = Spellings()
    for path in sorted(paths):
        if problem := path_problem(path):
            remedy = "Rename it: letters, digits, `-`, `_` and `.` are safe everywhere."
            findings.error("path-unportable", path, f"The path {problem}.", remedy)
        elif other := spellings.clash(path):
            message = f"{path} and {other} are one path on systems that do not tell case apart."
            findings.error("path-clash", path, message, "Rename one of the two.")
    return all(path == printable(path) for path in paths)


def _read(path: Path, name: str, findings: Findings) -> tuple[bytes | None, bool]:
    """A regular file's content, at most one byte over the limit, and whether it is executable."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            findings.error("not-a-file", name, f"{name} is no regular file.", "Put a copy of the file there.")
            return None, False
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1), bool(mode & 0o100)
    except OSError as error:
        findings.error("unreadable", name, f"It cannot be read: {error.strerror}.", "Mend its permissions.")
        return None, False


def _walk(folder: Path, findings: Findings) -> Iterator[tuple[Path, str]]:
    def unreadable(error: OSError) -> None:
        message = f"A folder cannot be read: {error.strerror}."
        place = Path(os.path.relpath(str(error.filename), folder)).as_posix()
        findings.error("unreadable", place, message, "Mend its permissions.")

    for root, folders, names in os.walk(folder, onerror=unreadable):
        place = Path(root)
        inside = place.relative_to(folder).as_posix()
        links = [name for name in folders if os.path.islink(f"{root}/{name}")]
        folders[:] = sorted(set(folders) - EXCLUDED_FOLDERS - set(links))
        for name in sorted([*names, *links]):
            relative = name if inside == "." else f"{inside}/{name}"
            if belongs(relative):
                yield place / name, relative
