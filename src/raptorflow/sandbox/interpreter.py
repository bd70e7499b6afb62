"""Which Python runs inside: one that the sandbox can see, and that environments are built on."""

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

SYSTEM = [Path(f"/usr/bin/python3{minor}") for minor in ("", ".14", ".13", ".12", ".11")]


@lru_cache(maxsize=1)
def sandbox_python() -> Path:
    """A system Python of 3.11 or later (it starts fastest), otherwise the one that runs this program."""
    return next(
        (path.resolve() for path in SYSTEM if _fits(path)), Path(sys.base_prefix) / "bin" / "python3"
    ).resolve()


def interpreter_folder(python: Path) -> Path | None:
    """The folder the sandbox must also see for an interpreter outside `/usr`; None for one inside."""
    folder = python.resolve().parent.parent
    return None if folder == Path("/usr") or folder.is_relative_to("/usr") else folder


def _fits(path: Path) -> bool:
    if not os.access(path, os.X_OK):
        return False
    command = [path, "-I", "-c", "import sys; raise SystemExit(sys.version_info < (3, 11))"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
