"""Fetches what a run left in `/work/out`, trusting nothing about it.

The folder is held open from before the command starts until after all its processes are dead, so nothing
changes while it is read. Every step opens one name below an open directory and never follows a link; what is
no plain file is refused, and names are made harmless.
"""

import hashlib
import mimetypes
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from raptorflow.sandbox.result import Artifact
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import OUTPUTS

CHUNK = 256 * 1024
MAX_DEPTH = 4
MAX_NAME = 120
NO_FOLLOW = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HARMFUL = re.compile(r"[^\w.() \-]|^[.\-]+")


class ArtifactRefused(ValueError):
    """What was left cannot be taken out; the message says what and why."""


def open_outputs(pid: int) -> int:
    """Hold the output folder of the sandbox whose first process is `pid`; the caller closes it."""
    return os.open(f"/proc/{pid}/root{OUTPUTS}", NO_FOLLOW | os.O_DIRECTORY)


def fetch(folder: int, target: Path, settings: SandboxSettings) -> tuple[Artifact, ...]:
    """Copy plain files from the held output folder into `target`.

    Raises:
        ArtifactRefused: something else than a plain file is there, or a limit is passed.
    """
    artifacts: list[Artifact] = []
    taken: set[str] = set()
    left = settings.max_artifacts_bytes
    for descriptor, name in _files(folder, "", 0):
        try:
            if len(artifacts) >= settings.max_artifacts:
                raise ArtifactRefused(f"There are more than {settings.max_artifacts} files in ./out.")
            limit = min(settings.max_artifact_bytes, left)
            artifacts.append(_copy(descriptor, _harmless(name, taken), target, limit))
            left -= artifacts[-1].size
        finally:
            os.close(descriptor)
    return tuple(artifacts)


def _files(folder: int, prefix: str, depth: int) -> Iterator[tuple[int, str]]:
    """Open files below an open folder, each with its path."""
    for name in sorted(os.listdir(folder)):
        try:
            descriptor = os.open(name, NO_FOLLOW, dir_fd=folder)
        except OSError as error:
            raise ArtifactRefused(f"{prefix}{name!r} in ./out is a link or cannot be read.") from error
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            yield descriptor, f"{prefix}{name}"
        elif stat.S_ISDIR(mode) and depth < MAX_DEPTH:
            try:
                yield from _files(descriptor, f"{prefix}{name}/", depth + 1)
            finally:
                os.close(descriptor)
        else:
            os.close(descriptor)
            raise ArtifactRefused(f"{prefix}{name!r} in ./out is no plain file.")


def _copy(descriptor: int, name: str, target: Path, limit: int) -> Artifact:
    digest, size = hashlib.sha256(), 0
    path = target / name
    with path.open("xb") as copy:
        while chunk := os.read(descriptor, CHUNK):
            size += len(chunk)
            if size > limit:
                raise ArtifactRefused(f"{name} in ./out has more than {limit:,} bytes.")
            digest.update(chunk)
            copy.write(chunk)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Artifact(name, path, size, digest.hexdigest(), media_type)


def _harmless(path: str, taken: set[str]) -> str:
    """A plain file name for a path: no separators, control characters or leading dots and dashes."""
    name = _HARMFUL.sub("_", path.encode("utf-8", "replace").decode())[-MAX_NAME:] or "_"
    stem, dot, suffix = name.rpartition(".")
    number = 2
    unique = name
    while unique.casefold() in taken:
        unique = f"{stem}-{number}{dot}{suffix}" if stem else f"{name}-{number}"
        number += 1
    taken.add(unique.casefold())
    return unique
