"""Takes a monitor out of the host's network, into one in which there is nothing.

A guest that takes over its monitor finds no service of the host on loopback, no abstract socket, no metadata
service of a cloud, and no shared memory or semaphores of others. Channels are open descriptors, or sockets
with a file, which lead across.
"""

import os
import subprocess
from pathlib import Path

from raptorflow.sandbox.drivers.microvm.monitor import Lack

TRIAL_SECONDS = 10
RESTRICTED_BY_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


def apart(*, root: bool) -> list[str]:
    """What a command starts with so that it runs in namespaces of its own; `unshare` becomes the command.

    Args:
        root: whether who starts it is; others own the namespaces through a user namespace, as themselves.
    """
    owner = [] if root else ["--user", "--map-current-user"]
    return ["unshare", *owner, "--net", "--ipc", "--"]


def apart_lack() -> Lack | None:
    """Why this user may not make these namespaces, found by making some; None when they can be made."""
    root = os.geteuid() == 0
    try:
        done = subprocess.run(
            [*apart(root=root), "true"], capture_output=True, text=True, timeout=TRIAL_SECONDS, check=False
        )
    except FileNotFoundError:
        return Lack("unshare is not installed.", "apt-get install util-linux")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Lack(f"Namespaces for monitors cannot be tried: {error}")
    if done.returncode == 0:
        return None
    problem = f"A monitor cannot be kept out of this machine's network: {done.stderr.strip()}"
    return Lack(problem, _remedy(root=root))


def _remedy(*, root: bool) -> str:
    if root:
        return "In a container: start it with --cap-add SYS_ADMIN, or run RaptorFlow on the host"
    if RESTRICTED_BY_APPARMOR.exists():
        return "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (or run the manager as root)"
    return "sudo sysctl -w user.max_user_namespaces=10000 (or run the manager as root)"
