"""The account that root's servers run as: PostgreSQL refuses to run as root, and Valkey need not."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass

from raptorflow.stack.errors import ServiceAccountMissing

SERVICE_NAME = "raptorflow"
# Below this the ids belong to the system (useradd's SYS_UID_MAX); a person's account is never borrowed.
FIRST_PERSONAL_UID = 1000
USERADD_SECONDS = 30.0
USERADD_ARGUMENTS = (
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir",
    "/nonexistent",
    "--shell",
    "/usr/sbin/nologin",
    SERVICE_NAME,
)


@dataclass(frozen=True)
class Account:
    """Ids to run as."""

    uid: int
    gid: int


def service_account() -> Account | None:
    """The servers' account when we are root, made when missing; None when we are an ordinary user.

    Raises:
        ServiceAccountMissing: there is none and it cannot be made, or a person's account has its name.
    """
    if os.geteuid() != 0:
        return None
    return _existing() or _made()


def _existing() -> Account | None:
    try:
        entry = pwd.getpwnam(SERVICE_NAME)
    except KeyError:
        return None
    if entry.pw_uid == 0 or entry.pw_uid >= FIRST_PERSONAL_UID:
        raise ServiceAccountMissing(
            f"The account `{SERVICE_NAME}` (uid {entry.pw_uid}) is a person's, not a system account.",
            hint=f"Run as an ordinary user, or rename it: `usermod --login NEW {SERVICE_NAME}`.",
        )
    return Account(entry.pw_uid, entry.pw_gid)


def _made() -> Account:
    command = "useradd " + " ".join(USERADD_ARGUMENTS)
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        raise ServiceAccountMissing(
            f"Root needs a system account `{SERVICE_NAME}` for the database, and `useradd` is missing.",
            hint=f"Run as an ordinary user, or install it: `apt-get install passwd`, then `{command}`.",
        )
    made = subprocess.run(
        [program, *USERADD_ARGUMENTS], capture_output=True, text=True, timeout=USERADD_SECONDS, check=False
    )
    account = _existing()
    if account is None:
        raise ServiceAccountMissing(
            f"The system account `{SERVICE_NAME}` could not be made: {made.stderr.strip()}",
            hint=f"As root: `{command}`.",
        )
    return account
