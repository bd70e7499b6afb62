"""What this machine has and lacks: one function a fact, each with the command that mends it."""

import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uv import find_uv_bin

from raptorflow.base.errors import RaptorFlowError
from raptorflow.stack.account import SERVICE_NAME
from raptorflow.stack.places import default_data_dir, leftover_servers
from raptorflow.stack.programs import wheel_postgres, wheel_valkey

State = Literal["ok", "weaker", "missing", "optional"]
"""`weaker`: works with less; `missing`: something does not work; `optional`: not there, and not needed."""

OLDEST_PYTHON = (3, 11)
VERSION_SECONDS = 10.0
ANSWER_SECONDS = 1.0
GIB = 1024**3
# Kernel switches and the value of each with which an ordinary user gets no namespaces (sysctl(8)); the last
# two are Debian's and Ubuntu's own.
NAMESPACE_SWITCHES = {
    "user.max_user_namespaces": 0,
    "kernel.unprivileged_userns_clone": 0,
    "kernel.apparmor_restrict_unprivileged_userns": 1,
}
LEAST_DISK_BYTES = 2 * GIB
LEAST_MEMORY_BYTES = 1 * GIB


@dataclass(frozen=True)
class Check:
    """One fact."""

    name: str
    state: State
    found: str
    remedy: str | None = None


def machine_checks(data_dir: Path | None) -> Iterator[Check]:
    """Every check that needs no other part of the product, in the order to read them."""
    yield _python()
    yield _system()
    yield _program("PostgreSQL", wheel_postgres)
    yield _program("Valkey", wheel_valkey)
    yield _program("uv", lambda: Path(find_uv_bin()))
    if os.geteuid() == 0:
        yield _service_account()
    folder = data_dir or default_data_dir()
    yield _data_folder(folder)
    yield _disk(folder)
    yield _memory()
    yield _user_namespaces()
    yield _cgroups()
    yield _docker()
    yield from _leftovers()


def _python() -> Check:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info >= OLDEST_PYTHON:
        return Check("Python", "ok", found)
    return Check("Python", "missing", found, "make install PYTHON=/path/to/python3.11")


def _system() -> Check:
    found = f"{platform.system()} {platform.release()} on {platform.machine()}"
    if platform.system() == "Linux":
        return Check("System", "ok", found)
    return Check("System", "missing", found, "The sandbox needs Linux: use a Linux machine or container.")


def _program(name: str, find: Callable[[], Path]) -> Check:
    """A program that a wheel brings: it must be there, and run on this machine's libc."""
    try:
        program = find()
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=VERSION_SECONDS, check=True
        )
    except (RaptorFlowError, OSError, subprocess.SubprocessError) as error:
        return Check(name, "missing", str(error), "make install")
    return Check(name, "ok", answer.stdout.strip())


def _service_account() -> Check:
    name = f"Account `{SERVICE_NAME}`"
    passwd = Path("/etc/passwd").read_text()
    if f"\n{SERVICE_NAME}:" in passwd:
        return Check(name, "ok", "PostgreSQL and Valkey run as it")
    if shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin"):
        return Check(name, "ok", "made on the first start (root's PostgreSQL and Valkey run as it)")
    return Check(name, "missing", "PostgreSQL does not run as root", "apt-get install passwd")


def _data_folder(folder: Path) -> Check:
    existing = _nearest(folder)
    if os.access(existing, os.W_OK | os.X_OK):
        state = "in use since an earlier start" if folder == existing else "made on the first start"
        return Check("Data folder", "ok", f"{folder}, {state}")
    return Check("Data folder", "missing", f"{existing} is not writable", "Choose another: `--data DIR`.")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(_nearest(folder)).free
    found = f"{free / GIB:.1f} GiB free for {folder}"
    if free >= LEAST_DISK_BYTES:
        return Check("Disk", "ok", found)
    remedy = f"Free {LEAST_DISK_BYTES / GIB:.0f} GiB, or choose another folder: `--data DIR`."
    return Check("Disk", "missing", found, remedy)


def _memory() -> Check:
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) * 1024
    found = f"{available / GIB:.1f} GiB available"
    if available >= LEAST_MEMORY_BYTES:
        return Check("Memory", "ok", found)
    return Check("Memory", "weaker", found, f"Free {LEAST_MEMORY_BYTES / GIB:.0f} GiB.")


def _user_namespaces() -> Check:
    """What an ordinary user's sandbox stands on; root needs none."""
    name = "User namespaces"
    if os.geteuid() == 0:
        return Check(name, "ok", "not needed: running as root")
    for switch, refused in NAMESPACE_SWITCHES.items():
        with suppress(OSError):
            file = Path("/proc/sys", *switch.split("."))
            if int(file.read_text()) == refused:
                allowed = "10000" if switch.startswith("user.") else str(1 - refused)
                return Check(name, "missing", f"{switch} is {refused}", f"sudo sysctl -w {switch}={allowed}")
    return Check(name, "ok", "open to ordinary users")


def _cgroups() -> Check:
    """Whether the kernel, and not a watching process, can hold memory, processes and CPU."""
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        own = root / Path("/proc/self/cgroup").read_text().rpartition("::")[2].strip().lstrip("/")
        version, folders = "v2", [own]
    else:
        version, folders = "v1", [root / "memory", root / "pids"]
    if all(os.access(folder, os.W_OK) for folder in folders):
        return Check("cgroups", "ok", f"{version}, writable")
    remedy = "systemd-run --user --scope -p Delegate=yes make run"
    return Check("cgroups", "weaker", f"{version}, not writable by this user", remedy)


def _docker() -> Check:
    path = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(ANSWER_SECONDS)
            probe.connect(path)
    except OSError:
        return Check("Docker engine", "optional", f"none answers at {path}; the local sandbox needs none")
    return Check("Docker engine", "ok", f"answers at {path}")


def _leftovers() -> Iterator[Check]:
    """Root's server folders whose data folder is gone or has another one now."""
    for folder in leftover_servers():
        yield Check("Leftover", "optional", f"{folder}: its data folder is gone", f"rm -r {folder}")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
