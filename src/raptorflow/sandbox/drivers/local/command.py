"""The command line of bubblewrap: what a sandbox sees, and nothing else.

The workspace is a file system in memory whose size is the run's disk limit. `/tmp` and `/dev/shm` are small
ones; everything else is read-only. That includes `/proc`: when root runs the sandbox, root owns the files in
it that set up the kernel, and needs no capability to write them.
"""

import os
from pathlib import Path

from raptorflow.sandbox.agent.launch import agent_command
from raptorflow.sandbox.cgroups.group import scratch_bytes
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.spec import INPUTS, OUTPUTS, WORK

NOBODY = "65534"
SOCKETS = "/run/raptorflow"
SMALL = "65536"
SOCKETS_SIZE = "1048576"
DEV = "/dev"
SHARED_MEMORY = f"{DEV}/shm"
TMP = f"{os.sep}tmp"
SMALL_MEMORY_BYTES = 64 * 1024 * 1024
# What dynamic linking and time zones read; nothing that names users, hosts or secrets.
ETC = ("ld.so.cache", "localtime", "alternatives")
LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
DEVICES = ("null", "zero", "full", "random", "urandom")
# Its pages can be shared without a file, which a watch over processes cannot see.
UNSEEN_DEVICE = "zero"
DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
                "stderr": "/proc/self/fd/2"}  # fmt: skip
# Files of the kernel that tell about the host; unreadable for most users anyway.
HIDDEN = ("kcore", "keys", "timer_list", "sched_debug", "slabinfo", "vmallocinfo", "cmdline")


class CommandLine:
    """Arguments for bubblewrap, and the descriptors that they name.

    Args:
        blueprint: what to build.
        seccomp: a descriptor that the system call filter is read from.
        mark: names the manager in the arguments of what builds the sandbox.
        watched: no group counts its memory, a watch over its processes does.
    """

    def __init__(self, blueprint: Blueprint, seccomp: int, mark: str, *, watched: bool) -> None:
        self._blueprint = blueprint
        self._mark = mark
        self._watched = watched
        self.descriptors = [seccomp]
        self._arguments: list[str] = []
        try:
            self._build(seccomp)
        except BaseException:
            self.close()
            raise

    def _build(self, seccomp: int) -> None:
        self._add(*("--unshare-all", "--unshare-user", "--uid", NOBODY, "--gid", NOBODY))
        self._add(*("--hostname", "sandbox", "--die-with-parent", "--new-session", "--cap-drop", "ALL"))
        self._add("--clearenv", "--seccomp", str(seccomp))
        self._system()
        self._devices()
        self._kernel_files()
        self._mounts()
        self._add("--remount-ro", "/dev", "--remount-ro", "/")
        self._add("--chdir", WORK)

    def packed(self) -> bytes:
        """For `bwrap --args`: so paths do not show in the host's list of processes."""
        return "\0".join((*self._arguments, "")).encode("utf-8", "surrogateescape")

    def program(self) -> list[str]:
        """What bubblewrap starts: the agent, on the socket that is its standard input."""
        return [*agent_command(str(self._blueprint.python), "socket", alone=True), self._mark]

    def close(self) -> None:
        """Close the descriptors; bubblewrap has its own copies."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors.clear()

    def _add(self, *arguments: str) -> None:
        self._arguments += arguments

    def _system(self) -> None:
        """The system's programs and libraries."""
        self._add("--ro-bind", "/usr", "/usr")
        for name in LINKS:
            path = Path("/") / name
            if path.is_symlink():
                self._add("--symlink", str(path.readlink()), str(path))
            elif path.is_dir():
                self._add("--ro-bind", str(path), str(path))
        for name in ETC:
            self._add("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")

    def _devices(self) -> None:
        self._add("--size", SMALL, "--tmpfs", "/dev")
        for name in DEVICES:
            if self._watched and name == UNSEEN_DEVICE:
                continue
            self._add("--dev-bind", f"/dev/{name}", f"/dev/{name}")
        for name, target in DEVICE_LINKS.items():
            self._add("--symlink", target, f"/dev/{name}")
        size = min(SMALL_MEMORY_BYTES, self._blueprint.limits.memory_bytes)
        self._add("--perms", "1777", "--size", str(size), "--tmpfs", SHARED_MEMORY)

    def _kernel_files(self) -> None:
        self._add("--proc", "/proc")
        for name in HIDDEN:
            if os.path.exists(f"/proc/{name}"):
                self._add("--ro-bind", "/dev/null", f"/proc/{name}")
        self._add("--remount-ro", "/proc")

    def _mounts(self) -> None:
        """What the blueprint shows, the workspace, and where the agent's sockets are."""
        blueprint = self._blueprint
        for mount in blueprint.mounts:
            self._add("--ro-bind", str(mount.source), str(mount.target))
        self._add("--size", str(blueprint.workspace_bytes), "--tmpfs", WORK)
        self._add("--dir", INPUTS, "--dir", OUTPUTS)
        self._add("--perms", "1777", "--size", str(scratch_bytes(blueprint.limits)), "--tmpfs", TMP)
        self._add("--size", SOCKETS_SIZE, "--tmpfs", SOCKETS)


def memory_file(content: bytes) -> int:
    """A descriptor from which this content can be read once; the caller closes it."""
    descriptor = os.memfd_create("sandbox")
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
