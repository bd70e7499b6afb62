"""From a blueprint to a machine: its size, its disks, and the plan that its first process follows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from raptorflow.sandbox.agent.launch import agent_command
from raptorflow.sandbox.cgroups.group import memory_limit, scratch_bytes, tasks_limit
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.microvm.disks import Disk, Disks
from raptorflow.sandbox.drivers.microvm.image.build import ROOT_LABEL
from raptorflow.sandbox.drivers.microvm.image.manifest import Image
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.seccomp import filter_program
from raptorflow.skills.capabilities import MIB, Limits

PLAN_LABEL = "rf-plan"
PORT_DEVICE = "device:/run/agent/channel"
VSOCK_PORT = 52
# A machine has some twenty places for devices; what is left is for the channel and randomness.
MOST_MOUNTS = 14
# Places that the guest makes itself.
OWN = tuple(map(Path, ("/", "/usr", "/etc", "/proc", "/dev", "/run", "/workspace", "/disks")))


@dataclass(frozen=True)
class Machine:
    """All that a monitor needs to start a guest.

    Attributes:
        image: kernel, first file system, root.
        disks: the root, the plan and the mounts.
        processors: virtual ones.
        memory_bytes: of the machine; whole MiB.
        cpus: how much processor time it may use.
    """

    image: Image
    disks: tuple[Disk, ...]
    processors: int
    memory_bytes: int
    cpus: float

    def group_blueprint(self, blueprint: Blueprint, monitor_bytes: int, monitor_tasks: int) -> Blueprint:
        """The limits of the group that holds the monitor and, in its memory, the machine."""
        limits = Limits(
            memory_bytes=self.memory_bytes + monitor_bytes,
            cpus=self.cpus,
            pids=monitor_tasks + self.processors,
            disk_bytes=MIB,
        )
        return replace(blueprint, limits=limits, workspace_bytes=0)


def machine_of(blueprint: Blueprint, image: Image, disks: Disks, how: str, overhead_bytes: int) -> Machine:
    """What is started for a blueprint; its folders are packed when they are not yet.

    Args:
        blueprint: what is wanted.
        image: what it starts from.
        disks: keeps what is packed.
        how: the agent's word for its channel, see `agent/guest/main.py`.
        overhead_bytes: memory of the guest's kernel.

    Raises:
        SandboxUnavailable: a mount cannot be shown, or there are too many; or libseccomp is not installed.
    """
    _check(blueprint)
    packed = [disks.pack(mount.source) for mount in blueprint.mounts]
    plan = disks.of_text("plan", plan_of(blueprint, packed, how), PLAN_LABEL)
    wanted = memory_limit(blueprint) + overhead_bytes
    return Machine(
        image=image,
        disks=(Disk(ROOT_LABEL, image.root), plan, *dict.fromkeys(packed)),
        processors=math.ceil(blueprint.limits.cpus),
        memory_bytes=math.ceil(wanted / MIB) * MIB,
        cpus=blueprint.limits.cpus,
    )


def _check(blueprint: Blueprint) -> None:
    targets = [mount.target for mount in blueprint.mounts]
    if len(targets) > MOST_MOUNTS:
        raise SandboxUnavailable(f"A guest takes {MOST_MOUNTS} folders, and {len(targets)} are to be shown.")
    for target in targets:
        above = [other for other in targets if other != target and target.is_relative_to(other)]
        if not target.is_absolute() or target in OWN or above or "\n" in str(target):
            raise SandboxUnavailable(f"Nothing can be shown at {target} in a guest.")


def plan_of(blueprint: Blueprint, packed: Sequence[Disk], how: str) -> str:
    """Line by line, as the guest's first process reads it; `packed` are the disks of the mounts."""
    values = {
        "channel": "port" if how == PORT_DEVICE else how,
        "workspace": blueprint.workspace_bytes,
        "scratch": scratch_bytes(blueprint.limits),
        "memory": memory_limit(blueprint),
        "pids": tasks_limit(blueprint),
        "reach": int(blueprint.reach),
    }
    lines = [f"{key} {value}" for key, value in values.items()]
    lines += [
        f"mount {disk.label} {disk.kind} {mount.target}"
        for disk, mount in zip(packed, blueprint.mounts, strict=True)
    ]
    # All of a guest's memory counts, also what no process has mapped: nothing has to watch over it.
    calls = filter_program(reach=blueprint.reach, watched=False)
    command = agent_command(str(blueprint.python), how, alone=True, calls=calls)
    lines += [f"argument {argument}" for argument in command]
    return "\n".join(lines) + "\n"
