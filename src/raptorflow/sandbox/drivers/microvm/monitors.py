"""Which monitor is used."""

from raptorflow.sandbox.drivers.microvm.firecracker.monitor import FirecrackerMonitor
from raptorflow.sandbox.drivers.microvm.monitor import Monitor
from raptorflow.sandbox.drivers.microvm.qemu.monitor import QemuMonitor
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.errors import SandboxUnavailable


def choose(settings: MicroVmSettings, groups: int | None) -> Monitor:
    """The monitor that the settings name, or the first that can boot guests here.

    Args:
        settings: which may be used.
        groups: the version of this machine's control groups.

    Raises:
        SandboxUnavailable: none can; the first one's reason and remedy.
    """
    candidates: list[Monitor] = [FirecrackerMonitor(settings, groups), QemuMonitor(settings)]
    wanted = [each for each in candidates if settings.monitor in ("auto", each.name)]
    lacks = [(each, each.lacks()) for each in wanted]
    for monitor, lack in lacks:
        if lack is None:
            return monitor
    problems = "; ".join(lack.problem for _, lack in lacks if lack)
    remedy = next((lack.remedy for _, lack in lacks if lack and lack.remedy), None)
    raise SandboxUnavailable(f"No machine can be started: {problems}", hint=remedy)
