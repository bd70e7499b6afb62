"""`skills.lock`: exactly which versions a project uses, each with its digest, in an order that merges."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from semver import Version

from raptorflow.base.errors import Conflict, InvalidInput
from raptorflow.base.json import dumps
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.ranges import VersionRange
from raptorflow.skills.resolving.model import Wishes
from raptorflow.skills.toml import parse_toml

FILE = "skills.lock"
FORMAT = 1
MAX_BYTES = 4 * 1024 * 1024
HEAD = "# Written by `raptorflow skill install`, `lock` and `update`. Keep it with the project.\n"


class LockInvalid(InvalidInput):
    """A lock cannot be read."""

    code = "lock-invalid"
    default_hint = "Write it anew with `raptorflow skill lock`."


class LockOutdated(Conflict):
    """What is wished for and what is locked do not agree."""

    code = "lock-outdated"
    default_hint = "Run `raptorflow skill lock`, look at the difference, and keep it."


@dataclass(frozen=True)
class Locked:
    """A version of a skill.

    Attributes:
        digest: of its tree.
        source: where it came from: a server's address, a git commit, a folder.
        requires: skills that it builds on, each with a version range.
    """

    version: str
    digest: str
    source: str
    requires: Mapping[str, str] = field(default_factory=dict[str, str])


Lock = Mapping[str, Locked]


def read_lock(folder: Path) -> dict[str, Locked]:
    """A project's lock; empty when it has none.

    Raises:
        LockInvalid: the file is none.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        document = parse_toml(path.read_text(encoding="utf-8"), MAX_BYTES)
    except (OSError, ValueError) as error:
        raise LockInvalid(f"{path} cannot be read: {error}.") from error
    if document.get("format") != FORMAT:
        raise LockInvalid(f"{path} has the format {document.get('format')!r}, and not {FORMAT}.")
    found: dict[str, Locked] = {}
    for entry in map(as_mapping, as_list(document.get("skill")) or []):
        name, locked = _entry(entry or {}, path)
        if name in found:
            raise LockInvalid(f"{path} names {name} twice.")
        found[name] = locked
    return found


def write_lock(folder: Path, lock: Lock) -> None:
    """Write a project's lock; the same lock is the same text."""
    parts = [HEAD, f"format = {FORMAT}\n"]
    for name, locked in sorted(lock.items()):
        lines = [f"\n[[skill]]\nname = {dumps(name)}\nversion = {dumps(locked.version)}\n"]
        lines.append(f"digest = {dumps(locked.digest)}\nsource = {dumps(locked.source)}\n")
        if locked.requires:
            each = sorted(locked.requires.items())
            pairs = ", ".join(f"{dumps(other)} = {dumps(text)}" for other, text in each)
            lines.append(f"requires = {{ {pairs} }}\n")
        parts += lines
    with tempfile.NamedTemporaryFile(
        "w", dir=folder, prefix=f".{FILE}.", delete=False, encoding="utf-8"
    ) as fresh:
        fresh.write("".join(parts))
    os.chmod(fresh.name, 0o644)
    os.replace(fresh.name, folder / FILE)


def check_agreement(wishes: Wishes, lock: Lock) -> None:
    """Whether a lock is what the wishes ask for, and what that requires, and nothing else.

    Raises:
        LockOutdated: it is not.
    """
    needed: set[str] = set()
    waiting = list(wishes.items())
    while waiting:
        name, wanted = waiting.pop()
        locked = lock.get(name)
        if locked is None:
            raise LockOutdated(f"{name} is wished for and not locked.")
        fitting = VersionRange.parse(wanted)
        # Whoever asks for nothing in particular may have been given a prerelease.
        if fitting.clauses and not fitting.matches(locked.version):
            raise LockOutdated(f"{name} is locked to {locked.version}, which does not fit {wanted}.")
        if name not in needed:
            needed.add(name)
            waiting += locked.requires.items()
    if left := sorted(lock.keys() - needed):
        raise LockOutdated(f"{left[0]} is locked and no longer needed.")


def _entry(entry: dict[str, object], path: Path) -> tuple[str, Locked]:
    texts = [entry.get(key) for key in ("name", "version", "digest", "source")]
    requires = as_mapping(entry.get("requires", {}))
    if not all(isinstance(text, str) for text in texts) or requires is None:
        raise LockInvalid(f"An entry of {path} lacks its name, version, digest or source.")
    name, version, digest, source = map(str, texts)
    if not Version.is_valid(version):
        raise LockInvalid(f"{path} locks {name[:80]} to {version[:40]!r}, which is no version.")
    return name, Locked(version, digest, source, {key: str(text) for key, text in requires.items()})
