"""What each driver tells its engine for a blueprint, without asking any engine."""

import os
from collections.abc import Callable
from pathlib import Path

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.agent.launch import agent_command
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.docker.request import Base, create_request
from raptorflow.sandbox.drivers.kubernetes.objects.agent import agent_files
from raptorflow.sandbox.drivers.kubernetes.objects.pod import pod_spec
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings
from raptorflow.sandbox.drivers.local.command import CommandLine, memory_file
from raptorflow.sandbox.drivers.microvm.disks import Disk
from raptorflow.sandbox.drivers.microvm.image.manifest import Image, Manifest
from raptorflow.sandbox.drivers.microvm.machine import PORT_DEVICE, Machine, plan_of
from raptorflow.sandbox.drivers.microvm.qemu.command import Opened, qemu_command

QEMU = Path("qemu-system-x86_64")
DIGEST = "sha256:" + "0" * 64


def local_command(blueprint: Blueprint) -> object:
    """Bubblewrap's arguments."""
    command = CommandLine(blueprint, memory_file(b""), "attack", watched=False)
    try:
        return [os.fsdecode(part) for part in command.packed().split(b"\0") if part] + command.program()
    finally:
        command.close()


def docker_request(blueprint: Blueprint) -> object:
    """The body of the request for a container."""
    command = tuple(agent_command(str(blueprint.python), "stdio", alone=True))
    base = Base(DIGEST, blueprint.mounts, command, runtime=None, manager="attack")
    return create_request(base, blueprint, "attack", {"run": "attack"})


def machine_command(blueprint: Blueprint) -> object:
    """QEMU's arguments, and the plan that the guest is built by."""
    image = Image(folder=Path("/"), manifest=Manifest(python="3.11", files={}, packages=()))
    packed = [Disk(f"disk{number}", Path("/")) for number in range(len(blueprint.mounts))]
    machine = Machine(image, tuple(packed), 1, blueprint.limits.memory_bytes, 1.0)
    files = range(8, 8 + len(packed))
    opened = Opened(kernel=4, first=5, disks=files, channel=6, control=7)
    plan = plan_of(blueprint, packed, PORT_DEVICE).splitlines()
    return {"command": qemu_command(QEMU, machine, opened, "attack", kvm=True), "plan": plan}


def pod(blueprint: Blueprint) -> object:
    """The pod's description."""
    settings = KubernetesSettings(image=f"sandbox.example/skills@{DIGEST}", runtime_class="gvisor")
    files: JsonObject = agent_files("attack")
    return pod_spec(blueprint, settings, files)


RENDERED: dict[str, Callable[[Blueprint], object]] = {
    "local": local_command,
    "docker": docker_request,
    "microvm": machine_command,
    "kubernetes": pod,
}
