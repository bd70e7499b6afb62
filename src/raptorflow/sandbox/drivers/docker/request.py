"""What the engine is asked for: one closed container, from one blueprint.

There is no way to ask for less: no field of a blueprint or of the settings makes it privileged, gives it a
capability, a device, a network, another's namespace, or something writable of this machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raptorflow.sandbox.cgroups.group import (
    PERIOD_MICROSECONDS,
    memory_limit,
    quota_microseconds,
    scratch_bytes,
    tasks_limit,
)
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.docker.mounts import SERVICES, TMP
from raptorflow.sandbox.drivers.docker.runtimes import runtime_named
from raptorflow.sandbox.drivers.docker.seccomp import profile
from raptorflow.sandbox.interpreter import Mount
from raptorflow.sandbox.spec import WORK
from raptorflow.skills.capabilities import MIB

LABEL = "raptorflow.sandbox"
MANAGER = "raptorflow.manager"
NOBODY = "65534"
SHARED_BYTES = 64 * MIB
# Of the agent, which gives its programs fewer.
OPEN_FILES = 1024
SMALL = 1024 * 1024
# A file needs at least this much of a workspace; so many are enough for any skill and bounded for the kernel.
BYTES_PER_FILE = 4096
# All of /sys (a sandbox has no use for what it tells about the machine), and what /proc tells about it.
MASKED = (
    "/sys", "/proc/acpi", "/proc/asound", "/proc/cmdline", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi", "/proc/slabinfo", "/proc/timer_list", "/proc/timer_stats",
    "/proc/vmallocinfo", "/proc/interrupts", "/proc/kallsyms", "/proc/modules",
)  # fmt: skip
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
VARIABLES = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": WORK}


@dataclass(frozen=True)
class Base:
    """What every container of this driver shares.

    Attributes:
        image: its id.
        mounts: what is seen inside besides the image, read-only.
        command: the first process, whose standard input and output are the channel.
        runtime: the engine's name of it; None for the engine's own.
        manager: the process that makes it, named for good.
        stays: whether it is kept when it has ended, so that its end can be looked at.
    """

    image: str
    mounts: tuple[Mount, ...]
    command: tuple[str, ...]
    runtime: str | None
    manager: str
    stays: bool = False


def create_request(
    base: Base, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]
) -> dict[str, Any]:
    """The body of the engine's `POST /containers/create`."""
    return {
        "Image": base.image,
        "Entrypoint": list(base.command),
        "Cmd": [],
        "User": f"{NOBODY}:{NOBODY}",
        "WorkingDir": WORK,
        "Hostname": "sandbox",
        "Env": [f"{name}={value}" for name, value in VARIABLES.items()],
        # Its standard input ends with the one connection to it, and with that the agent.
        **dict.fromkeys(("OpenStdin", "StdinOnce", "AttachStdin", "AttachStdout", "AttachStderr"), True),
        "Tty": False,
        "NetworkDisabled": True,
        "Healthcheck": {"Test": ["NONE"]},
        "StopSignal": "SIGKILL",
        "Labels": {f"raptorflow.label.{name}": value for name, value in labels.items()}
        | {LABEL: sandbox_id, MANAGER: base.manager},
        "HostConfig": {"AutoRemove": not base.stays}
        | _privileges(blueprint)
        | _limits(base, blueprint)
        | _files(base, blueprint)
        | ({"Runtime": base.runtime} if base.runtime else {}),
    }


def _privileges(blueprint: Blueprint) -> dict[str, Any]:
    """Namespaces of its own, no capabilities, no new privileges, few system calls."""
    return {
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": [],
        "SecurityOpt": ["no-new-privileges:true", f"seccomp={profile(reach=blueprint.reach)}"],
        "NetworkMode": "none",
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "Devices": [],
        # The engine would copy this machine's resolver, which names its network.
        "Dns": ["127.0.0.1"],
        "DnsSearch": ["."],
        # Engines let every user ping; nobody here has anybody to ping.
        "Sysctls": {"net.ipv4.ping_group_range": "1 0"},
        "Init": False,
        "RestartPolicy": {"Name": "no"},
        "LogConfig": {"Type": "none"},
    }


def _limits(base: Base, blueprint: Blueprint) -> dict[str, Any]:
    limits = blueprint.limits
    runtime = runtime_named(base.runtime)
    memory = memory_limit(blueprint) + runtime.bytes
    return {
        "Memory": memory,
        "MemorySwap": memory,
        # A quota and not `NanoCpus`, which the engine refuses when it is more than this machine has.
        "CpuPeriod": PERIOD_MICROSECONDS,
        "CpuQuota": quota_microseconds(limits),
        "PidsLimit": tasks_limit(blueprint) + runtime.tasks,
        "OomKillDisable": False,
        "Ulimits": [
            _ulimit("core", 0),
            # Above what fits: a full folder should say so.
            _ulimit("fsize", blueprint.workspace_bytes + scratch_bytes(limits)),
            _ulimit("msgqueue", 0),
            _ulimit("nofile", OPEN_FILES),
        ],
    }


def _files(base: Base, blueprint: Blueprint) -> dict[str, Any]:
    """A read-only root; what can be written lies in memory, has a size, and ends with the container."""
    limits = blueprint.limits
    return {
        "ReadonlyRootfs": True,
        "Tmpfs": {
            WORK: _memory_folder(blueprint.workspace_bytes, "0755"),
            TMP: _memory_folder(scratch_bytes(limits), "1777"),
            SERVICES: _memory_folder(SMALL, "0755"),
        },
        "ShmSize": min(SHARED_BYTES, limits.memory_bytes),
        "Mounts": [_bind(mount) for mount in base.mounts],
        "MaskedPaths": list(MASKED),
        "ReadonlyPaths": list(READ_ONLY),
    }


def _memory_folder(size: int, mode: str) -> str:
    files = max(64, size // BYTES_PER_FILE)
    owner = f"uid={NOBODY},gid={NOBODY}"
    return f"rw,exec,nosuid,nodev,size={size},nr_inodes={files},mode={mode},{owner}"


def _bind(mount: Mount) -> dict[str, Any]:
    """One folder. What is mounted below it is left out: older engines would leave that writable."""
    return {
        "Type": "bind",
        "Source": str(mount.source),
        "Target": str(mount.target),
        "ReadOnly": True,
        "BindOptions": {"Propagation": "rprivate", "NonRecursive": True},
    }


def _ulimit(name: str, value: int) -> dict[str, Any]:
    return {"Name": name, "Soft": value, "Hard": value}
