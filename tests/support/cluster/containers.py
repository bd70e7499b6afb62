"""The fake node's containers: bubblewrap with what a pod's spec says, and `nsenter` for exec.

So what the driver sends is not only looked at: its command, its config map and its volumes have to start the
real agent, with a read-only root, without a network, without capabilities.
"""

import asyncio
import json
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.local.programs import bubblewraps
from raptorflow.sandbox.settings import SandboxSettings

SYSTEM = ("bin", "lib", "lib64", "sbin")
NAMESPACES = ("--preserve-credentials", "--user", "--mount", "--pid", "--net", "--uts", "--ipc")
# Says that everything is mounted, then becomes the container's program.
ENTER = ("/bin/sh", "-c", 'echo >"/dev/fd/$0"; exec "$@"')
BOUND = ("setpriv", "--no-new-privs", "--bounding-set=-all", "--")


@dataclass
class Container:
    """One container that runs.

    Attributes:
        first: bubblewrap, whose end is the container's.
        inner: the number of its first process, outside.
    """

    first: Process
    inner: int

    @classmethod
    async def start(cls, spec: JsonObject, maps: Mapping[str, JsonObject], folder: Path) -> "Container":
        """Start a pod's one container.

        Args:
            spec: the pod's.
            maps: the namespace's config maps.
            folder: an empty one, for their files.
        """
        container = spec["containers"][0]
        told, tell = os.pipe()
        entered, enter = os.pipe()
        (bwrap, *_) = bubblewraps(SandboxSettings())
        arguments = [
            *("--unshare-all", "--unshare-user", "--as-pid-1", "--die-with-parent", "--cap-drop", "ALL"),
            *("--uid", str(container["securityContext"]["runAsUser"]), "--hostname", spec["hostname"]),
            *("--clearenv", "--info-fd", str(tell)),
            *_system(),
            *_volumes(spec, container, maps, folder),
            *("--remount-ro", "/", "--chdir", container["workingDir"]),
        ]
        first = await asyncio.create_subprocess_exec(
            *(bwrap, *arguments, "--", *ENTER, str(enter), *container["command"]),
            stdin=DEVNULL,
            pass_fds=(tell, enter),
        )
        os.close(tell)
        os.close(enter)
        inner = json.loads(await asyncio.to_thread(_read, told))["child-pid"]
        await asyncio.to_thread(_read, entered, 1)
        return cls(first, inner)

    async def run(self, command: Sequence[str]) -> Process:
        """Start one more program inside."""
        inside = ["nsenter", f"--target={self.inner}", *NAMESPACES, "--", *BOUND, *command]
        return await asyncio.create_subprocess_exec(*inside, stdin=PIPE, stdout=PIPE, stderr=PIPE)

    async def end(self) -> None:
        """Kill it; its pid namespace goes with it."""
        if self.first.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.inner, 9)
        await self.first.wait()


def _read(descriptor: int, size: int = -1) -> str:
    with os.fdopen(descriptor) as file:
        return file.read(size)


def _system() -> list[str]:
    links = [(name, Path("/") / name) for name in SYSTEM]
    linked = [
        word
        for _, path in links
        if path.is_symlink()
        for word in ("--symlink", str(path.readlink()), str(path))
    ]
    return ["--ro-bind", "/usr", "/usr", *linked, "--proc", "/proc", "--dev", "/dev"]


def _volumes(
    spec: JsonObject, container: JsonObject, maps: Mapping[str, JsonObject], folder: Path
) -> list[str]:
    volumes: dict[str, JsonObject] = {volume["name"]: volume for volume in spec["volumes"]}
    words: list[str] = []
    for mount in container["volumeMounts"]:
        volume, target = volumes[mount["name"]], mount["mountPath"]
        if "emptyDir" in volume:
            words += ["--perms", "1777", "--size", volume["emptyDir"]["sizeLimit"], "--tmpfs", target]
        else:
            source = _written(volume["configMap"], maps, folder / mount["name"])
            words += ["--ro-bind", str(source), target]
    return words


def _written(volume: Any, maps: Mapping[str, JsonObject], folder: Path) -> Path:
    data = maps[volume["name"]]["data"]
    for item in volume["items"]:
        file = folder / item["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(data[item["key"]])
    return folder
