"""What each driver tells its engine for a blueprint, without asking any engine."""

import os
from collections.abc import Callable
from pathlib import Path

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.agent.kept import agent_folder
from raptorflow.sandbox.agent.launch import agent_command
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.docker.mounts import blueprint_mounts, system_mounts
from raptorflow.sandbox.drivers.docker.request import Base, create_request
from raptorflow.sandbox.drivers.kubernetes.objects.agent import agent_files
from raptorflow.sandbox.drivers.kubernetes.objects.pod import pod_spec
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings
from raptorflow.sandbox.drivers.local.command import CommandLine, memory_file
from raptorflow.sandbox.drivers.microvm.cells import Cell
from raptorflow.sandbox.drivers.microvm.disks import Disk
from raptorflow.sandbox.drivers.microvm.firecracker.jail import Jail
from raptorflow.sandbox.drivers.microvm.image.manifest import Image, Manifest
from raptorflow.sandbox.drivers.microvm.machine import PORT_DEVICE, Machine, plan_of
from raptorflow.sandbox.drivers.microvm.qemu.command import Opened, qemu_command
from raptorflow.sandbox.interpreter import interpreter_mounts
from raptorflow.sandbox.settings import SandboxSettings

QEMU, FIRECRACKER, JAILER = Path("qemu-system-x86_64"), Path("firecracker"), Path("jailer")
# Programs, libraries, and what linking and time zones read.
SYSTEM_ROOTS = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives"),
)
DIGEST = "sha256:" + "0" * 64


def local_command(blueprint: Blueprint, settings: SandboxSettings) -> object:
    """Bubblewrap's arguments."""
    command = CommandLine(blueprint, memory_file(b""), "attack", watched=False)
    try:
        return [os.fsdecode(part) for part in command.packed().split(b"\0") if part] + command.program()
    finally:
        command.close()


def docker_request(blueprint: Blueprint, settings: SandboxSettings) -> object:
    """The body of the request for a container, with all that is mounted in it."""
    own = settings.docker.image is not None
    named = blueprint_mounts(blueprint, settings.docker.engine_socket(), own_python=own)
    mounts = named if own else (*system_mounts(), *named)
    command = tuple(agent_command(str(blueprint.python), "stdio", alone=True))
    base = Base(DIGEST, mounts, command, settings.docker.runtime, manager="attack")
    return create_request(base, blueprint, "attack", {"run": "attack"})


def machine_command(blueprint: Blueprint, settings: SandboxSettings) -> object:
    """QEMU's arguments, those of Firecracker's jailer, and the plan that the guest is built by."""
    image = Image(folder=Path("/"), manifest=Manifest(python="3.11", files={}, packages=()))
    packed = [Disk(f"disk{number}", Path("/")) for number in range(len(blueprint.mounts))]
    machine = Machine(image, tuple(packed), 1, blueprint.limits.memory_bytes, 1.0)
    files = range(8, 8 + len(packed))
    opened = Opened(kernel=4, first=5, disks=files, channel=6, control=7)
    plan = plan_of(blueprint, packed, PORT_DEVICE).splitlines()
    jail = Jail(Cell("attack", Path("/"), settings.microvm.first_uid, None), FIRECRACKER, JAILER)
    return {
        "command": qemu_command(QEMU, machine, opened, "attack", kvm=True),
        "jail": jail.command(None, machine.memory_bytes),
        "plan": plan,
    }


def pod(blueprint: Blueprint, settings: SandboxSettings) -> object:
    """The pod's description, as the operator has set it."""
    own = settings.kubernetes
    if not own.image:
        own = KubernetesSettings(image=f"sandbox.example/skills@{DIGEST}", runtime_class="gvisor")
    files: JsonObject = agent_files("attack")
    return pod_spec(blueprint, own, files)


def allowed_roots(blueprint: Blueprint) -> list[str]:
    """Folders of this machine of which parts may be seen inside."""
    python = [mount.source for mount in interpreter_mounts(blueprint.python)]
    given = [mount.source for mount in blueprint.mounts]
    return [*SYSTEM_ROOTS, *map(str, [agent_folder(blueprint.python), *python, *given])]


RENDERED: dict[str, Callable[[Blueprint, SandboxSettings], object]] = {
    "local": local_command,
    "docker": docker_request,
    "microvm": machine_command,
    "kubernetes": pod,
}
