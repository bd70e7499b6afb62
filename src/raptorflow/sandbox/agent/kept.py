"""The guest agent's code, compiled once for each interpreter and kept for every sandbox of this user.

A folder is named by what is in it: the agent's sources and the interpreter that compiled them. It lies in a
folder of this user's alone, a digest of all that was written stands beside it, and it is used only while it
is still that: what somebody else put there, or what a full disk cut off, is made anew and never run.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from raptorflow.sandbox.agent.launch import PACKAGE
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.places import is_ours, private_folder, runtime_folder

SOURCES = Path(__file__).parent / PACKAGE
COMPILE_SECONDS = 60
KEY_DIGITS = 24
SEEN, READ = 0o755, 0o644


def agent_folder(python: Path) -> Path:
    """A folder with the agent, compiled for this interpreter, to be seen inside at `AGENT`, read-only.

    Compiled, because otherwise each sandbox would compile it anew before it starts. It is made once, and
    looked at whole once in each process; after that only for whether it was cleaned away.

    Raises:
        SandboxUnavailable: the interpreter cannot compile it, or there is no place that is ours alone.
    """
    place = runtime_folder() / "agents"
    folder, before = _kept(python, place)
    if _changed_at(folder) != before:
        _kept.cache_clear()
        folder, _ = _kept(python, place)
    return folder


@cache
def _kept(python: Path, place: Path) -> tuple[Path, tuple[int, int] | None]:
    folder = keep(python, place)
    return folder, _changed_at(folder)


def _changed_at(folder: Path) -> tuple[int, int] | None:
    """Which folder it is and when a file was last removed from it; None when it is gone."""
    try:
        facts = (folder / PACKAGE).stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns


def keep(python: Path, place: Path) -> Path:
    """What `agent_folder` gives, in a place of the caller's choice.

    Raises:
        SandboxUnavailable: as above.
    """
    folder = private_folder(place) / _key(python)
    try:
        with _alone(place):
            if not _is_whole(folder):
                _remove(folder)
                _make(python, folder)
    except OSError as error:
        raise SandboxUnavailable(
            f"The guest agent cannot be kept in {place}: {error.strerror}.",
            hint=f"Make room in {place}, and let it belong to whoever runs RaptorFlow.",
        ) from error
    return folder


@contextmanager
def _alone(place: Path) -> Generator[None]:
    """No other process makes or looks meanwhile."""
    lock = os.open(place / "lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _make(python: Path, folder: Path) -> None:
    """Make it beside its place, move it there, and note last what it is: half of one is none."""
    with tempfile.TemporaryDirectory(prefix="draft-", dir=folder.parent) as beside:
        draft = Path(beside) / folder.name
        shutil.copytree(SOURCES, draft / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
        _compile(python, draft)
        for path in (draft, *draft.rglob("*")):
            path.chmod(SEEN if path.is_dir() else READ)
        digest = _digest(draft)
        draft.rename(folder)
    _note(folder).write_text(digest)


def _remove(folder: Path) -> None:
    _note(folder).unlink(missing_ok=True)
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)


def _is_whole(folder: Path) -> bool:
    """Whether it is what was written, and nobody else could have changed it."""
    try:
        kept = _note(folder).read_text()
        ours = all(map(is_ours, (folder, *folder.rglob("*"))))
        return ours and kept == _digest(folder)
    except OSError:
        return False


def _note(folder: Path) -> Path:
    return folder.with_suffix(".sha256")


def _compile(python: Path, folder: Path) -> None:
    """Without a look at the clock or the source later on: it is read-only inside."""
    compiling = [str(python), "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(
        [*compiling, str(folder)], capture_output=True, timeout=COMPILE_SECONDS, check=False
    )
    if done.returncode:
        raise SandboxUnavailable(
            f"{python} cannot compile the guest agent: {done.stderr.decode(errors='replace').strip()}",
            hint="Set RAPTORFLOW_SANDBOX__PYTHON to a Python of 3.11 or newer.",
        )


def _key(python: Path) -> str:
    """Changes with the agent's sources and with the interpreter."""
    try:
        program = python.resolve(strict=True)
        facts = program.stat()
    except OSError as error:
        raise SandboxUnavailable(
            f"The interpreter {python} is not there.",
            hint="Set RAPTORFLOW_SANDBOX__PYTHON to a Python of 3.11 or newer.",
        ) from error
    told = f"{program}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode()
    return _digest(SOURCES, (told,))[:KEY_DIGITS]


def _digest(folder: Path, told: Iterable[bytes] = ()) -> str:
    """Of every file's name and content; in the sources, without what was compiled for this program."""
    total = hashlib.sha256(b"".join(told))
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_dir() or (folder == SOURCES and path.suffix != ".py"):
            continue
        content = hashlib.sha256(path.read_bytes()).digest()
        total.update(b"%s\0%s" % (os.fsencode(name), content))
    return total.hexdigest()
