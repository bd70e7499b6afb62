"""`skills.lock`: a lock as text, one file of a skill a line, in an order that merges.

Format 1 had no files: it is read, and the next lock that is written has them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from semver import Version

from raptorflow.base.json import dumps
from raptorflow.skills.errors import FolderUnwritable, VersionRangeInvalid
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.listing import Listing
from raptorflow.skills.locking.lock import Lock, Locked, LockInvalid
from raptorflow.skills.manifest.document import REFERENCE
from raptorflow.skills.ranges import VersionRange
from raptorflow.skills.replacing import replace_file
from raptorflow.skills.text import control_in, shown
from raptorflow.skills.toml import read_toml

FILE = "skills.lock"
FORMAT = 2
READABLE = (1, FORMAT)
MAX_BYTES = 2 * 1024 * 1024
HEAD = "# Written by `raptorflow skill install`, `lock` and `update`. Keep it with the project.\n"
# Where git found two versions of a line.
CONFLICT = b"\n<<<<<<< "
ALGORITHM = "sha256:"


def read_lock(folder: Path) -> dict[str, Locked]:
    """A project's lock; empty when it has none.

    Raises:
        LockInvalid: the file is none.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        document = read_toml(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    written = document.get("format")
    if written is True or written not in READABLE:
        raise LockInvalid(f"{path} has the format {shown(written)}, and not {FORMAT}.")
    found: dict[str, Locked] = {}
    for entry in map(as_mapping, as_list(document.get("skill")) or []):
        name, locked = _entry(entry or {}, path)
        if name in found:
            raise LockInvalid(f"{path} names {name} twice.", hint="Delete one of the two.")
        found[name] = locked
    return found


def write_lock(folder: Path, lock: Lock) -> None:
    """Write a project's lock; the same lock is the same text.

    Raises:
        LockInvalid: it would be longer than what is read again.
        FolderUnwritable: the file cannot be written; what was there is as it was.
    """
    path = folder / FILE
    skills = (line for name, locked in sorted(lock.items()) for line in _lines(name, locked))
    content = "\n".join([HEAD, f"format = {FORMAT}", *skills, ""]).encode()
    if len(content) > MAX_BYTES:
        hint = "Wish for fewer skills, or split the project."
        raise LockInvalid(f"{path} would have over {MAX_BYTES} bytes.", hint=hint)
    try:
        replace_file(path, content)
    except OSError as error:
        raise FolderUnwritable(f"{path} cannot be written: {error.strerror}.") from error


def _lines(name: str, locked: Locked) -> Iterator[str]:
    yield "\n[[skill]]"
    texts = {"name": name, "version": locked.version, "digest": locked.digest, "source": locked.source}
    yield from (f"{key} = {_text(text)}" for key, text in texts.items())
    if locked.requires:
        pairs = [f"{_text(other)} = {_text(wanted)}" for other, wanted in sorted(locked.requires.items())]
        yield f"requires = {{ {', '.join(pairs)} }}"
    if locked.listing is None:
        return
    executables = locked.listing.executables
    plain = locked.listing.files.keys() - executables
    for table, paths in (("files", plain), ("executables", executables)):
        if paths:
            yield f"[skill.{table}]"
        for path in sorted(paths):
            yield f"{_text(path)} = {_text(ALGORITHM + locked.listing.files[path])}"


def _text(text: str) -> str:
    """A basic string: as in JSON, but for one character."""
    return dumps(text).replace("\x7f", "\\u007f")


def _entry(entry: dict[str, object], path: Path) -> tuple[str, Locked]:
    texts = [entry.get(key) for key in ("name", "version", "digest", "source")]
    requires = as_mapping(entry.get("requires", {}))
    if not all(isinstance(text, str) for text in texts) or requires is None:
        raise LockInvalid(f"An entry of {path} lacks its name, version, digest or source.")
    name, version, digest, source = map(str, texts)
    # Folders are named by it, and taken away by it.
    if not REFERENCE.fullmatch(name):
        raise LockInvalid(f"{path} locks {shown(name)}, which names no skill.")
    if control_in(source):
        raise LockInvalid(f"{path} locks {name} from {shown(source)}, which is no source.")
    if not Version.is_valid(version):
        raise LockInvalid(f"{path} locks {name} to {shown(version)}, which is no version.")
    listing = _listing(entry, f"What {path} lists of {name}")
    if listing and listing.digest() != digest:
        raise LockInvalid(f"What {path} lists of {name} is not what its digest says.")
    return name, Locked(version, digest, source, _requires(requires, f"{path}, {name}"), listing)


def _requires(table: Mapping[str, object], where: str) -> dict[str, str]:
    for other, wanted in table.items():
        try:
            VersionRange.parse(wanted if isinstance(wanted, str) else "?")
        except VersionRangeInvalid as error:
            raise LockInvalid(f"{where}: {shown(wanted)} is no version range.") from error
        if not REFERENCE.fullmatch(other):
            raise LockInvalid(f"{where}: {shown(other)} names no skill.")
    return {other: str(wanted) for other, wanted in table.items()}


def _listing(entry: Mapping[str, object], where: str) -> Listing | None:
    """The two tables of an entry; None when it has neither."""
    plain, executables = (as_mapping(entry.get(table, {})) for table in ("files", "executables"))
    if plain is None or executables is None or plain.keys() & executables.keys():
        raise LockInvalid(f"{where} is no table, or has a file twice.")
    both = plain | executables
    if not all(isinstance(digest, str) and digest.startswith(ALGORITHM) for digest in both.values()):
        raise LockInvalid(f"{where} has a file without its SHA-256.")
    digests = {path: str(digest).removeprefix(ALGORITHM) for path, digest in both.items()}
    return Listing(digests, frozenset(executables)) if both else None


def _unreadable(path: Path, error: Exception) -> LockInvalid:
    if isinstance(error, ValueError) and CONFLICT in _start(path):
        hint = "Take one side whole (`git checkout --ours skills.lock`), then run `raptorflow skill lock`."
        return LockInvalid(f"{path} has the marks of a merge that is not done.", hint=hint)
    return LockInvalid(f"{path} cannot be read: {error}.")


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return b"\n" + file.read(MAX_BYTES)
