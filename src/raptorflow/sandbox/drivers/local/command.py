"""The command line of bubblewrap: what a sandbox sees, and nothing else.

The workspace is a file system in memory whose size is the run's disk limit. `/tmp` and `/dev/shm` are small
ones; everything else is read-only. That includes `/proc`: when root runs the sandbox, root owns the files in
it that set up the kernel, and needs no capability to write them.
"""

import math
import os
from importlib.util import find_spec
from pathlib import Path

from raptorflow.sandbox.drivers.local.cgroups.group import scratch_bytes
from raptorflow.sandbox.interpreter import interpreter_mounts
from raptorflow.sandbox.spec import ENVIRONMENT, HELPER, INPUTS, OUTPUTS, SKILL, WORK, SandboxSpec

NOBODY = "65534"
STDIN = "/run/stdin"
SMALL = "65536"
DEV = "/dev"
SHARED_MEMORY = f"{DEV}/shm"
TMP = f"{os.sep}tmp"
SMALL_MEMORY_BYTES = 64 * 1024 * 1024
# What dynamic linking and time zones read; nothing that names users, hosts or secrets.
ETC = ("ld.so.cache", "localtime", "alternatives")
LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
DEVICES = ("null", "zero", "full", "random", "urandom")
DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
                "stderr": "/proc/self/fd/2"}  # fmt: skip
# Files of the kernel that tell about the host; unreadable for most users anyway.
HIDDEN = ("kcore", "keys", "timer_list", "sched_debug", "slabinfo", "vmallocinfo", "cmdline")
# The gate: tell the host that everything is mounted, wait for its word, then become the program.
GATE = f'printf r >&0 && read -r go && exec "$@" <{STDIN}'


class CommandLine:
    """Arguments for bubblewrap, and the descriptors that they name.

    Args:
        spec: the run.
        seccomp: a descriptor that the system call filter is read from.
        mark: names the manager in the arguments of what builds the sandbox.
    """

    def __init__(self, spec: SandboxSpec, seccomp: int, mark: str) -> None:
        self._spec = spec
        self._mark = mark
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
        for name, value in variables(self._spec).items():
            self._add("--setenv", name, value)
        self._add("--chdir", WORK)

    def packed(self) -> bytes:
        """For `bwrap --args`: so variables do not show in the host's list of processes."""
        return "\0".join((*self._arguments, "")).encode("utf-8", "surrogateescape")

    def program(self) -> list[str]:
        """What bubblewrap starts: the gate, and behind it the command."""
        return ["/bin/sh", "-c", GATE, self._mark, *inner_command(self._spec)]

    def close(self) -> None:
        """Close the descriptors; bubblewrap has its own copies."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors.clear()

    def _add(self, *arguments: str) -> None:
        self._arguments += arguments

    def _data(self, content: bytes, target: str) -> None:
        """A read-only file with this content."""
        descriptor = memory_file(content)
        self.descriptors.append(descriptor)
        self._add("--ro-bind-data", str(descriptor), target)

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
            self._add("--dev-bind", f"/dev/{name}", f"/dev/{name}")
        for name, target in DEVICE_LINKS.items():
            self._add("--symlink", target, f"/dev/{name}")
        size = min(SMALL_MEMORY_BYTES, self._spec.limits.memory_bytes)
        self._add("--perms", "1777", "--size", str(size), "--tmpfs", SHARED_MEMORY)

    def _kernel_files(self) -> None:
        self._add("--proc", "/proc")
        for name in HIDDEN:
            if os.path.exists(f"/proc/{name}"):
                self._add("--ro-bind", "/dev/null", f"/proc/{name}")
        self._add("--remount-ro", "/proc")

    def _mounts(self) -> None:
        """The skill, its environment, the workspace, the inputs and standard input."""
        spec = self._spec
        self._add("--ro-bind", str(spec.skill_dir), SKILL)
        pythons = [spec.python]
        if spec.env_dir:
            self._add("--ro-bind", str(spec.env_dir), ENVIRONMENT)
            pythons.append(spec.env_dir / "bin" / "python")
        for target, source in {m.target: m.source for p in pythons for m in interpreter_mounts(p)}.items():
            self._add("--ro-bind", str(source), str(target))
        helper = find_spec("raptorflow_skill")
        if helper and helper.origin:
            folder = Path(helper.origin).parent
            self._add("--ro-bind", str(folder), f"{HELPER}/{folder.name}")
        self._add("--size", str(spec.limits.disk_bytes), "--tmpfs", WORK)
        self._add("--dir", OUTPUTS)
        self._add("--perms", "1777", "--size", str(scratch_bytes(spec.limits)), "--tmpfs", TMP)
        self._add("--size", SMALL, "--tmpfs", INPUTS)
        for name, path in spec.inputs.items():
            self._add("--ro-bind", str(path), f"{INPUTS}/{name}")
        self._add("--remount-ro", INPUTS)
        self._data(spec.stdin, STDIN)


def memory_file(content: bytes) -> int:
    """A descriptor from which this content can be read once; the caller closes it."""
    descriptor = os.memfd_create("sandbox")
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def inner_command(spec: SandboxSpec) -> list[str]:
    """The command as it is called inside: our Python, and the skill's files by their place there."""
    program, *arguments = spec.command
    if program in {"python", "python3"}:
        program = f"{ENVIRONMENT}/bin/python" if spec.env_dir else str(spec.python)
    elif _is_file(spec.skill_dir, program):
        program = f"{SKILL}/{program}"
    placed = [f"{SKILL}/{part}" if _is_file(spec.skill_dir, part) else part for part in arguments]
    return [program, *placed]


def variables(spec: SandboxSpec) -> dict[str, str]:
    """An environment made from nothing; a spec adds to it and cannot change where programs are found."""
    path = f"{ENVIRONMENT}/bin:/usr/bin:/bin" if spec.env_dir else "/usr/bin:/bin"
    threads = str(math.ceil(spec.limits.cpus))
    return {
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        # Numeric libraries start a thread for each core of the host; a sandbox has few cores and processes.
        "OPENBLAS_NUM_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "RAPTORFLOW_RUN": spec.run_id,
        **spec.env,
        "PATH": path,
        "HOME": WORK,
        "USER": "nobody",
        "PYTHONPATH": HELPER,
    }


def _is_file(folder: Path, path: str) -> bool:
    """Whether an argument names a file of the skill."""
    if not path or path.startswith(("/", "-")) or ".." in path.split("/"):
        return False
    return os.path.isfile(folder / path)
