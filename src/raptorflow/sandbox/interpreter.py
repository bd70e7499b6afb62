"""Which Python runs skills: one that every sandbox and every environment build agrees on."""

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from raptorflow.sandbox.errors import SandboxUnavailable

SYSTEM = Path("/usr")
OLDEST = (3, 11)
ANSWER_SECONDS = 20
# A minimal Debian Python starts but has no json: a skill could not even read its input.
QUESTION = "import csv, json, sys, zipfile; print('%d %d' % sys.version_info[:2])"


@dataclass(frozen=True)
class Mount:
    """A host folder or file, and where it is seen inside, read-only."""

    source: Path
    target: Path


@cache
def sandbox_python() -> Path:
    """The interpreter for skills: the system's when 3.11 or newer, or else the one of this program.

    The system's is preferred because it lies in `/usr`, which every user can read and every sandbox mounts.

    Raises:
        SandboxUnavailable: there is none.
    """
    names = ["python3", *(f"python3.{minor}" for minor in range(19, OLDEST[1] - 1, -1))]
    candidates = [SYSTEM / folder / name for name in names for folder in ("bin", "local/bin")]
    own = Path(sys.executable).resolve()
    for candidate in (*candidates, own):
        if candidate.exists() and _inside_system_or(candidate, own) and _version(candidate) >= OLDEST:
            return candidate
    raise SandboxUnavailable(
        "No Python of 3.11 or newer was found for skills.", hint="Debian: apt-get install python3"
    )


def interpreter_mounts(python: Path) -> tuple[Mount, ...]:
    """What must be mounted, besides `/usr`, for this interpreter to start inside.

    Raises:
        SandboxUnavailable: the interpreter's folder does not look like a Python installation.
    """
    resolved = python.resolve()
    if resolved.is_relative_to(SYSTEM):
        return ()
    prefix = resolved.parent.parent
    if not any(prefix.glob("lib/python3*/os.py")):
        raise SandboxUnavailable(
            f"{python} is not part of a Python installation that can be mounted.",
            hint="Set RAPTORFLOW_SANDBOX__PYTHON to an interpreter such as /usr/bin/python3.",
        )
    mounts = [Mount(prefix, prefix)]
    # Managers of Python versions link `cpython-3.11` to `cpython-3.11.7`: environments name the former.
    link = python.readlink() if python.is_symlink() else python
    named = link.parent.parent
    if link.is_absolute() and named != prefix and named.resolve() == prefix:
        mounts.append(Mount(prefix, named))
    return tuple(mounts)


def _inside_system_or(candidate: Path, own: Path) -> bool:
    return candidate == own or candidate.resolve().is_relative_to(SYSTEM)


def _version(python: Path) -> tuple[int, int]:
    """(3, 11) and so on; (0, 0) when it does not run or lacks its standard library."""
    try:
        answer = subprocess.run(
            [python, "-I", "-c", QUESTION], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    major, minor = answer.stdout.split()
    return (int(major), int(minor))
