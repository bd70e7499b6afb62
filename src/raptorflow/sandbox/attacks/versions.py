"""Which programs a driver's sandboxes stand on here, in which versions, and the flaws these are known for."""

import asyncio
import platform
import re
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raptorflow.sandbox.drivers.docker.connection import connect
from raptorflow.sandbox.drivers.docker.engine import EngineFailed
from raptorflow.sandbox.drivers.docker.versions import RUNC
from raptorflow.sandbox.drivers.local.programs import bubblewraps
from raptorflow.sandbox.drivers.microvm.firecracker.monitor import FirecrackerMonitor
from raptorflow.sandbox.drivers.microvm.qemu.monitor import QemuMonitor
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.probing import ProbeReport
from raptorflow.sandbox.settings import SandboxSettings

ANSWER_SECONDS = 5.0
NUMBER = re.compile(r"\d+(?:\.\d+)+")
# Distributions mend flaws without a new version: `1.1.5+ds1-1+deb12u1`.
PATCHED = re.compile(r"\+ds|deb\d+u\d+|ubuntu|\.el\d|\.fc\d|~")
MONITOR_WORD = re.compile(r"(QEMU|Firecracker) \d")


@dataclass(frozen=True)
class Flaw:
    """A flaw that was mended: in which versions, one for each line of releases.

    Sources: the advisories of opencontainers/runc (those of 2024 and later stand with the docker driver),
    containerd/containerd, containers/bubblewrap and firecracker-microvm/firecracker, and QEMU's list of
    security flaws.

    Attributes:
        since: the first version that has it; all before the mended ones when empty.
        setuid: only a program that gets its owner's rights has it.
    """

    name: str
    program: str
    fixed: tuple[tuple[int, ...], ...]
    since: tuple[int, ...] = ()
    setuid: bool = False


FLAWS = (
    Flaw("CVE-2019-5736", "runc", ((1, 0, 0),)),
    *(Flaw(name, "runc", mended) for name, mended in RUNC),
    Flaw("CVE-2022-23648", "containerd", ((1, 4, 13), (1, 5, 10), (1, 6, 1))),
    Flaw("CVE-2020-5291", "bubblewrap", ((0, 4, 1),), setuid=True),
    # Out of bounds by the vsock device, which carries our channel; by devices on a PCI bus.
    Flaw("CVE-2019-18960", "firecracker", ((0, 18, 1), (0, 19, 1)), since=(0, 18, 0)),
    Flaw("CVE-2026-5747", "firecracker", ((1, 14, 4), (1, 15, 1)), since=(1, 13, 0)),
    # Freed twice by devices such as the serial port that carries our channel.
    Flaw("CVE-2024-3446", "qemu", ((7, 2, 11), (8, 2, 3), (9, 0, 0))),
)


async def versions(settings: SandboxSettings, report: ProbeReport) -> dict[str, str]:
    """What a driver's sandboxes stand on -> what it says of its version.

    Args:
        settings: where the driver finds its programs, or its engine.
        report: the driver's.

    Raises:
        SandboxUnavailable: its engine cannot be reached.
    """
    found: dict[str, str] = {}
    if report.driver == "local":
        for path in bubblewraps(settings)[:1]:
            found["bubblewrap"] = await asyncio.to_thread(_version, path)
    elif report.driver == "docker":
        found = parts_of(await _engine(settings))
    elif report.driver == "microvm":
        found = await monitor(settings.microvm, report)
    if report.driver != "kubernetes":
        # A cluster's nodes have others.
        found["kernel"] = f"{platform.system()} {platform.release()} {platform.machine()}"
    return {name: version for name, version in sorted(found.items()) if version}


async def monitor(settings: MicroVmSettings, report: ProbeReport) -> dict[str, str]:
    """The monitor that the driver has tried, and its own word; distributions say there what they mended."""
    told = " ".join(each.by for each in report.guarantees.values())
    used = MONITOR_WORD.search(told)
    if used is None:
        return {}
    program = FirecrackerMonitor(settings, None) if used[1] == "Firecracker" else QemuMonitor(settings)
    path = program.program()
    return {used[1].lower(): await asyncio.to_thread(_version, path) if path else ""}


def parts_of(version: Mapping[str, Any]) -> dict[str, str]:
    """An engine's parts, as it tells them: those are what it uses, whatever else is installed."""
    parts: list[Mapping[str, Any]] = version.get("Components") or []
    return {str(part.get("Name", "")).lower(): str(part.get("Version", "")) for part in parts}


async def _engine(settings: SandboxSettings) -> Mapping[str, Any]:
    engine = connect(settings.docker)
    try:
        return await engine.version()
    except EngineFailed as error:
        raise SandboxUnavailable(f"The engine does not say its version: {error}") from error
    finally:
        await engine.close()


def flaws(program: str, version: str, *, setuid: bool = False) -> Iterator[str]:
    """The flaws that a version has, as far as a number can tell."""
    numbers = NUMBER.search(version)
    if not numbers:
        return
    release = tuple(int(part) for part in numbers.group().split("."))
    for flaw in FLAWS:
        if flaw.program != program or (flaw.setuid and not setuid) or not _has(release, flaw):
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


def _has(release: tuple[int, ...], flaw: Flaw) -> bool:
    """A line of releases has its own mended version; what is newer than all of them is mended too."""
    same_line = [version for version in flaw.fixed if version[:2] == release[:2]]
    return flaw.since <= release < (same_line[0] if same_line else max(flaw.fixed))


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
