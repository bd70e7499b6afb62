"""Debian packages: which are needed, where they come from, and what is in them.

apt verifies what it downloads against the archive's signatures; nothing is installed and nothing of a package
is run but its Python, which compiles its own library.
"""

import hashlib
import io
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from raptorflow.sandbox.errors import SandboxUnavailable

KERNEL = "linux-image-cloud-amd64"
# The interpreter and what programs of skills expect beside it; the libraries they need are found by apt.
PROGRAMS = (
    "python3",
    "ca-certificates",
    "coreutils",
    "dash",
    "findutils",
    "grep",
    "libstdc++6",
    "sed",
    "tzdata",
)
SECONDS = 600
PLAIN = (
    "--no-recommends",
    "--no-suggests",
    "--no-conflicts",
    "--no-breaks",
    "--no-replaces",
    "--no-enhances",
)
DEPENDS = re.compile(r"^ +\|?(?:Pre)?Depends: ([a-z0-9][a-z0-9.+-]*)$")
# Libraries are followed; what configures and maintains a system is not.
FOLLOWED = re.compile(r"lib|python3\.\d+|zlib")
LEFT_OUT = re.compile(r"libperl|libdebconf|libpython3-|libpam|libgdbm")


@dataclass(frozen=True)
class Package:
    """One downloaded package."""

    name: str
    version: str
    file: Path

    @property
    def sha256(self) -> str:
        """Hex digest of the file."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest()


def needed() -> tuple[str, ...]:
    """The names of all packages of an image, the kernel's first.

    Raises:
        SandboxUnavailable: apt does not know one.
    """
    depends = _depends(KERNEL, *PROGRAMS)
    kernels = [name for name in depends.get(KERNEL, []) if name.startswith("linux-image-")]
    if not kernels:
        raise SandboxUnavailable(f"apt knows no {KERNEL}.", hint="As root: apt-get update")
    found = dict.fromkeys(PROGRAMS)
    waiting = list(PROGRAMS)
    while waiting:
        new = [name for name in depends.get(waiting.pop(), []) if _is_followed(name) and name not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return (kernels[0], *sorted(found))


def download(names: tuple[str, ...], folder: Path, tell: Callable[[str], None]) -> list[Package]:
    """Bring packages that are not in the folder yet.

    Raises:
        SandboxUnavailable: apt cannot.
    """
    folder.mkdir(parents=True, exist_ok=True)
    versions = _candidates(names)
    if missing := [name for name in names if not _file(folder, name, versions[name])]:
        tell(f"Downloading {len(missing)} packages of {len(names)}")
        _run(["apt-get", "download", "-qq", *(f"{name}={versions[name]}" for name in missing)], folder)
    files = {name: _file(folder, name, versions[name]) for name in names}
    if lost := [name for name, file in files.items() if file is None]:
        raise SandboxUnavailable(f"apt did not bring {', '.join(lost)}.", hint="As root: apt-get update")
    return [Package(name, versions[name], file) for name, file in files.items() if file]


def members(package: Package) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """What a package would install: each entry and, for a file, its content.

    Raises:
        SandboxUnavailable: it cannot be read.
    """
    packed = _run(["dpkg-deb", "--fsys-tarfile", str(package.file)], package.file.parent)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() or member.islnk() else None
            yield member, file.read() if file else b""


def _depends(*names: str) -> dict[str, list[str]]:
    """Package -> the packages that it needs, for all that can be reached from these."""
    found: dict[str, list[str]] = {}
    needs: list[str] = []
    for line in _run(["apt-cache", "depends", "--recurse", *PLAIN, *names]).decode().splitlines():
        if depends := DEPENDS.match(line):
            needs.append(depends[1])
        elif line[:1].isalnum():
            needs = found.setdefault(line.strip(), [])
    return found


def _is_followed(name: str) -> bool:
    return bool(FOLLOWED.match(name)) and not LEFT_OUT.match(name)


def _candidates(names: tuple[str, ...]) -> dict[str, str]:
    text = _run(["apt-cache", "show", "--no-all-versions", *names]).decode("utf-8", "replace")
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        key, _, value = line.partition(": ")
        if key == "Package":
            name = value
        elif key == "Version":
            found[name] = value
    if unknown := [name for name in names if name not in found]:
        raise SandboxUnavailable(f"apt knows no {', '.join(unknown)}.", hint="As root: apt-get update")
    return found


def _file(folder: Path, name: str, version: str) -> Path | None:
    """As apt names it: the epoch's colon is escaped, and the architecture stands behind."""
    return next(iter(sorted(folder.glob(f"{name}_{version.replace(':', '%3a')}_*.deb"))), None)


def _run(command: list[str], folder: Path | None = None) -> bytes:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS, check=True)
    except FileNotFoundError as error:
        raise SandboxUnavailable(
            f"{command[0]} is not installed; images are built on Debian.", hint="Copy an image from a Debian"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SandboxUnavailable(f"{command[0]} did not answer within {SECONDS} s.") from error
    except subprocess.CalledProcessError as error:
        words = error.stderr.decode("utf-8", "replace").strip()[-400:]
        raise SandboxUnavailable(
            f"{' '.join(command[:2])} failed: {words}", hint="As root: apt-get update"
        ) from error
    return done.stdout
