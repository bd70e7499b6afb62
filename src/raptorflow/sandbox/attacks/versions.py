"""Which programs sandboxes stand on here, in which version, and which of those have flaws that are known."""

import platform
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from raptorflow.sandbox.drivers.docker.versions import RUNC
from raptorflow.sandbox.drivers.local.programs import bubblewraps
from raptorflow.sandbox.settings import SandboxSettings

ANSWER_SECONDS = 5.0
NUMBER = re.compile(r"\d+(?:\.\d+)+")
# Distributions mend flaws without a new version: `1.1.5+ds1-1+deb12u1`.
PATCHED = re.compile(r"\+ds|deb\d+u\d+|ubuntu|\.el\d|\.fc\d|~")
PROGRAMS = ("docker", "dockerd", "containerd", "runc", "runsc", "qemu-system-x86_64", "firecracker", "jailer")
COMPONENTS = {
    "local": ("bubblewrap",),
    "docker": ("runc", "containerd"),
    "microvm": ("firecracker", "qemu-system-x86_64"),
}


@dataclass(frozen=True)
class Flaw:
    """A flaw that was mended: in which versions, one for each line of releases.

    Sources: the advisories of opencontainers/runc (those of 2024 and later stand with the docker driver),
    containerd/containerd and containers/bubblewrap.
    """

    name: str
    program: str
    fixed: tuple[tuple[int, ...], ...]
    setuid: bool = False


FLAWS = (
    Flaw("CVE-2019-5736", "runc", ((1, 0, 0),)),
    *(Flaw(name, "runc", mended) for name, mended in RUNC),
    Flaw("CVE-2022-23648", "containerd", ((1, 4, 13), (1, 5, 10), (1, 6, 1))),
    Flaw("CVE-2020-5291", "bubblewrap", ((0, 4, 1),), setuid=True),
)


def versions(settings: SandboxSettings) -> dict[str, str]:
    """Program -> what it says of its version; those that are not here are left out."""
    found = {"kernel": f"{platform.system()} {platform.release()} {platform.machine()}"}
    for path in bubblewraps(settings)[:1]:
        found["bubblewrap"] = _version(path)
    for name in PROGRAMS:
        if path := shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin"):
            found[name] = _version(Path(path))
    return {name: version for name, version in found.items() if version}


def flaws(program: str, version: str, *, setuid: bool = False) -> Iterator[str]:
    """The flaws that a version has, as far as a number can tell."""
    numbers = NUMBER.search(version)
    if not numbers:
        return
    release = tuple(int(part) for part in numbers.group().split("."))
    for flaw in FLAWS:
        if flaw.program != program or (flaw.setuid and not setuid) or _is_fixed(release, flaw.fixed):
            continue
        if PATCHED.search(version):
            yield f"{flaw.name} unless the distribution has mended it ({program} {version})"
        else:
            yield f"{flaw.name} ({program} {version})"


def is_setuid(path: Path) -> bool:
    """Whether a program gets its owner's rights."""
    with suppress(OSError):
        return bool(path.stat().st_mode & stat.S_ISUID)
    return False


def _is_fixed(release: tuple[int, ...], fixed: tuple[tuple[int, ...], ...]) -> bool:
    """A line of releases has its own mended version; what is newer than all of them is mended too."""
    same_line = [version for version in fixed if version[:2] == release[:2]]
    return release >= (same_line[0] if same_line else max(fixed))


def _version(program: Path) -> str:
    """The first line with a number in it."""
    with suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
        for line in answer.stdout.splitlines():
            if NUMBER.search(line):
                return line.strip()[:100]
    return ""
