"""What a guest holds, found by booting one and trying what must not be possible in it."""

import errno
from pathlib import Path
from typing import Any

from raptorflow.base.json import loads
from raptorflow.sandbox.attempts import LOOPBACK_ONLY, START, is_powerless
from raptorflow.sandbox.driver import SandboxDriver
from raptorflow.sandbox.drivers.microvm.cells import Cells
from raptorflow.sandbox.drivers.microvm.quota import is_held_back
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.probing import Guarantee, ProbeReport
from raptorflow.sandbox.running.once import run_once
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import MIB, Limits

LIMITS = Limits(timeout_seconds=60, memory_bytes=64 * MIB, cpus=1, pids=16, disk_bytes=MIB, output_bytes=MIB)
SAID = 400
REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT}
FILTERED = "2"
AS_ROOT = "Run the manager as root: each monitor is then a user of its own, to whom nothing belongs"
# Memory last: it ends the program, which has told everything else by then.
ATTEMPTS = (
    START
    + """
def connect():
    with socket.socket() as tried:
        tried.settimeout(2)
        tried.connect(("192.0.2.1", 80))

answers = {
    "status": status(),
    "interfaces": interfaces(),
    "skill": answer(lambda: write("/skill/x", 1)),
    "system": answer(lambda: write("/usr/x", 1)),
    "root": answer(lambda: write("/x", 1)),
    "kernel": answer(lambda: os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))),
    "disks": answer(lambda: os.close(os.open("/dev/vda", os.O_RDONLY))),
    "disk": answer(lambda: write("/workspace/y", 3 * 1048576)),
    "network": answer(connect),
    "socket": answer(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()),
    "pids": processes(),
    "fork": answer(lambda: fork_many(64)),
}
print(json.dumps(answers), flush=True)
kept = []
while True:
    kept.append(b"x" * 1048576)
"""
)


class SelfTest:
    """One short run in one guest.

    Args:
        driver: boots it.
        policy: how long things may take.
        version: the monitor's, for the words.
        cells: in which machines are held.
        root: whether each monitor is a user of its own.
    """

    def __init__(
        self, driver: SandboxDriver, policy: SandboxSettings, version: str, cells: Cells, *, root: bool
    ) -> None:
        self._root = root
        self._cells = cells
        self._driver = driver
        self._policy = policy
        self._version = version

    async def execute(self) -> ProbeReport:
        """Who keeps which guarantee; a problem when no guest could be used.

        Raises:
            SandboxUnavailable: there is no image, or nothing can be shown to a guest.
            SandboxGone: the guest ended too soon.
            SandboxStartFailed: what tries the limit on processor time could not be started.
        """
        tried = await run_once(self._driver, self._spec(), settings=self._policy)
        try:
            answers: dict[str, Any] = loads(tried.stdout)
        except ValueError:
            said = tried.message or tried.stderr.decode(errors="replace").strip()[-SAID:] or tried.status
            problem = f"A guest of {self._version} was started, but could not be used: {said}"
            return ProbeReport(self._driver.name, problem=problem, boundary="virtual-machine")
        held = self._held(answers, tried.status) | {"cpu": await self._processors(tried.cpu_ms)}
        remedy = None if self._root else AS_ROOT
        return ProbeReport(self._driver.name, held, remedy=remedy, boundary="virtual-machine")

    def _spec(self) -> SandboxSpec:
        return SandboxSpec(
            command=("python", "-I", "-S", "-c", ATTEMPTS),
            skill_dir=Path(__file__).parent / "image",
            python=self._policy.python or sandbox_python(),
            run_id="self-test",
            limits=LIMITS,
        )

    def _held(self, answers: dict[str, Any], status_at_end: str) -> dict[str, Guarantee]:
        machine = f"a machine of its own ({self._version})"
        status = answers["status"]
        read_only = all(answers[name] in REFUSED for name in ("skill", "system", "root", "kernel", "disks"))
        alone = answers["interfaces"] == LOOPBACK_ONLY and answers["network"] != 0
        filtered = status["Seccomp"] == FILTERED and answers["socket"] == errno.EPERM
        own = len(answers["pids"]) == 1 and status["Uid"].split()[0] == "65534"
        return {
            "files": self._files(read_only, f"disks that are read-only for {machine}"),
            "network": Guarantee.tried(alone, f"{machine}, without a network device"),
            "processes": Guarantee.tried(own, machine),
            "privileges": Guarantee.tried(
                is_powerless(status), "another user, no capabilities, no new privileges; " + machine
            ),
            "syscalls": Guarantee.tried(filtered, "a seccomp filter, in front of the kernel of " + machine),
            "disk": Guarantee.tried(answers["disk"] == errno.ENOSPC, "a file system of the workspace's size"),
            "memory": Guarantee.tried(
                status_at_end == "oom", f"the guest's control group, and the memory of {machine}"
            ),
            "pids": Guarantee.tried(answers["fork"] == errno.EAGAIN, "the guest's control group"),
            "time": Guarantee("kernel", "a clock, at whose end the machine is ended"),
            "output": Guarantee("kernel", "the channel, read up to the limit, then the machine is ended"),
        }

    def _files(self, held: bool, by: str) -> Guarantee:
        """A guest has no way to a file of the host; one that has taken over its monitor has its user's."""
        if held and not self._root:
            return Guarantee("supervised", f"{by}; its monitor is this user, and may open this user's files")
        return Guarantee.tried(held, by)

    async def _processors(self, counted: float | None) -> Guarantee:
        """A group that has counted the guest's time held its monitor; that such a group holds is tried."""
        version = self._cells.version
        if not version:
            return Guarantee("supervised", "the number of the machine's processors; other runs may be slowed")
        by = f"the machine's processors, in a cgroup v{version} of the host"
        return Guarantee.tried(bool(counted) and await is_held_back(self._cells), by)
