"""What to do when no sandbox can be built on this machine, or not one that holds everything."""

import os
from pathlib import Path

from raptorflow.sandbox.drivers.local.start import NOT_THERE
from raptorflow.sandbox.probing import Guarantee

RESTRICTED_BY_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


def remedy_for(problem: str) -> str:
    """What to do when no sandbox can be built, by what bubblewrap said and how this machine is set."""
    if NOT_THERE in problem:
        return "Let RAPTORFLOW_SANDBOX__BUBBLEWRAP name a program that is there, or unset it."
    if _is_restricted_by_apparmor():
        return (
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 "
            "(or: apt-get install bubblewrap, with a profile that allows it user namespaces)"
        )
    if "proc" in problem and os.geteuid() == 0:
        return (
            "In a container: start it with --security-opt systempaths=unconfined, or use the docker driver."
        )
    if os.geteuid() == 0:
        return (
            "In a container: start it with --cap-add SYS_ADMIN --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined, or run RaptorFlow on the host."
        )
    return "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000 (or run as root)"


def remedy_of(guarantees: dict[str, Guarantee]) -> str | None:
    """What would make the kernel hold what is only supervised."""
    if all(guarantee.holder == "kernel" for guarantee in guarantees.values()):
        return None
    if os.geteuid() == 0:
        return "Mount the memory, pids and cpu controllers below /sys/fs/cgroup, writable."
    return "systemd-run --user --scope -p Delegate=yes make run"


def _is_restricted_by_apparmor() -> bool:
    try:
        return os.geteuid() != 0 and RESTRICTED_BY_APPARMOR.read_text().strip() == "1"
    except OSError:
        return False
