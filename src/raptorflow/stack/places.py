"""Where embedded servers keep what they need, and who owns it.

An ordinary user has everything below the data folder. Root's servers run as the service account, which
cannot reach into root's home; so theirs is `/var/lib/raptorflow/<id>/`, and the data folder remembers the
id. The servers own `postgres`, `valkey` and `run` there; `etc` and the folder itself stay root's, so that
root never writes where a server could have put a link. Every folder is made private; none is ever changed.
"""

import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from raptorflow.stack.account import Account, service_account
from raptorflow.stack.errors import FolderNotPrivate, FolderUnusable

ROOT_HOME = Path("/var/lib/raptorflow")
PRIVATE = 0o700
GROUP_MAY_PASS = 0o710
GROUP_MAY_READ_FILE = 0o640
PRIVATE_FILE = 0o600
INSTANCE_FILE = "instance"
OWNER_FILE = "data-folder"
INSTANCE_BYTES = 4
INSTANCE_ID = re.compile(r"[0-9a-f]{8}")
# sun_path holds 108 bytes with its end (unix(7)); PostgreSQL's name below the folder is the longest.
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True)
class Place:
    """The folders of one embedded stack."""

    data: Path
    """The caller's own: passwords, locks, logs."""
    servers: Path
    """Holds `etc`, `postgres` and `valkey`."""
    sockets: Path
    account: Account | None
    """Whom the servers run as; None: the caller."""

    def server_folder(self, name: str) -> Path:
        """A private folder that the server owns."""
        return _private_folder(self.servers / name, self.account)

    def write_config(self, name: str, text: str) -> Path:
        """Write a file that the servers may read and not change; returns its path."""
        folder = self.servers / "etc"
        _shared_folder(folder, self.account)
        fresh = folder / f"{name}.new"
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
        with os.fdopen(descriptor, "w") as file:
            if self.account:
                os.fchown(descriptor, 0, self.account.gid)
                os.fchmod(descriptor, GROUP_MAY_READ_FILE)
            file.write(text)
        return fresh.replace(folder / name)

    def remove(self) -> None:
        """Delete the servers' folders with everything in them; they must have been stopped."""
        shutil.rmtree(self.sockets, ignore_errors=True)
        shutil.rmtree(self.servers, ignore_errors=True)
        (self.data / INSTANCE_FILE).unlink(missing_ok=True)


def default_data_dir() -> Path:
    """`$XDG_DATA_HOME/raptorflow` for an ordinary user, below `/var/lib/raptorflow` for root."""
    if os.geteuid() == 0:
        return ROOT_HOME / "data"
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "raptorflow"


def open_data_folder(data_dir: Path) -> Path:
    """Make the data folder, 0700, when it is missing; what exists stays as it is. Returns it as absolute.

    Raises:
        FolderUnusable: it cannot be made, is a file, or may not be written to.
    """
    folder = data_dir.expanduser().absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=PRIVATE, exist_ok=True)
    except FileExistsError as error:
        raise FolderUnusable(f"{error.filename} is a file, not a folder.") from error
    except OSError as error:
        raise FolderUnusable(f"The folder {folder} cannot be made: {error.strerror}.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FolderUnusable(f"The folder {folder} is not writable.")
    return folder


def open_place(data_dir: Path) -> Place:
    """Find or make the folders of the stack whose data folder this is.

    Raises:
        ServiceAccountMissing: root has no account to run servers as.
        FolderNotPrivate: a folder that should be the caller's alone is not.
    """
    account = service_account()
    if account is None:
        data = open_data_folder(data_dir)
        servers = _private_folder(data / "servers", None)
        return Place(data, servers, _socket_folder(servers / "run"), None)
    _shared_folder(ROOT_HOME, account)
    data = open_data_folder(data_dir)
    servers = ROOT_HOME / _instance_id(data)
    _shared_folder(servers, account)
    if not (servers / OWNER_FILE).exists():
        write_private(servers / OWNER_FILE, str(data))
    return Place(data, servers, _private_folder(servers / "run", account), account)


def leftover_servers() -> list[Path]:
    """Root's server folders that no data folder names any more; nobody else has any."""
    if os.geteuid() != 0:
        return []
    return [file.parent for file in ROOT_HOME.glob(f"*/{OWNER_FILE}") if not _is_named(file)]


def _is_named(owner_file: Path) -> bool:
    named = Path(owner_file.read_text()) / INSTANCE_FILE
    return named.exists() and named.read_text().strip() == owner_file.parent.name


def write_private(file: Path, text: str) -> None:
    """Write a file for its owner alone; it is whole or not there, whatever happens meanwhile."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(descriptor)
    fresh.replace(file)


def _instance_id(data: Path) -> str:
    file = data / INSTANCE_FILE
    if not file.exists():
        write_private(file, secrets.token_hex(INSTANCE_BYTES))
    name = file.read_text().strip()
    # It becomes part of a path that root makes and removes.
    if not INSTANCE_ID.fullmatch(name):
        raise FolderNotPrivate(
            f"{file} should hold {2 * INSTANCE_BYTES} hexadecimal digits, and does not.",
            hint=f"Put it back from a backup: it names a folder below {ROOT_HOME}.",
        )
    return name


def _private_folder(folder: Path, account: Account | None) -> Path:
    try:
        folder.mkdir(mode=PRIVATE)
        if account:
            os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    except FileExistsError:
        _check_private(folder, account.uid if account else os.geteuid())
    return folder


def _shared_folder(folder: Path, account: Account | None) -> None:
    """A folder of ours that the service account may pass through; private when there is none."""
    if account is None:
        _private_folder(folder, None)
        return
    try:
        folder.mkdir(mode=PRIVATE, parents=True)
    except FileExistsError:
        return
    os.chown(folder, 0, account.gid, follow_symlinks=False)
    folder.chmod(GROUP_MAY_PASS)


def _check_private(folder: Path, uid: int) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or stat.S_IMODE(found.st_mode) & 0o077:
        raise FolderNotPrivate(
            f"{folder} should be a folder of uid {uid} with mode 0700, "
            f"and is of uid {found.st_uid} with mode {stat.S_IMODE(found.st_mode):04o}.",
            hint=f"Look at what it is; if it is yours: `chmod 700 {folder}`.",
        )


def _socket_folder(preferred: Path) -> Path:
    """The preferred folder, or a short private one when its path is too long for a socket."""
    if len(os.fsencode(preferred)) <= LONGEST_SOCKET_FOLDER:
        return _private_folder(preferred, None)
    name = "rf-" + hashlib.sha256(os.fsencode(preferred)).hexdigest()[:12]
    for base in filter(None, (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir())):
        short = Path(base) / name
        if Path(base).is_dir() and len(os.fsencode(short)) <= LONGEST_SOCKET_FOLDER:
            # A name that somebody else took is refused there; it is never reused.
            return _private_folder(short, None)
    raise FolderNotPrivate(
        f"{preferred} is too long a path for a socket ({LONGEST_SOCKET_FOLDER} bytes at most).",
        hint="Give a shorter folder: `--data DIR`, or set XDG_RUNTIME_DIR or TMPDIR to a short one.",
    )
