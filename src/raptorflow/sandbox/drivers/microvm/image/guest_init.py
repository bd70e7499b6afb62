"""The first process of a guest: finds its disks, builds the box, starts the agent, and ends with it.

It is one file of the standard library that runs as `/init` of the kernel's first file system, with a handful
of modules beside it. What to build stands on a disk with the label `rf-plan`; what was refused inside for
lack of memory, processes or space is told in one line on the console, which the host reads and need not
believe.

    /init (pid 1) --- the agent --- programs, as another user, in a group with limits
"""

import ctypes
import os
import select
import struct
import time

READ_ONLY, NO_SETUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND, MOVE = 1, 2, 4, 8, 32, 4096, 8192
CLOSED = NO_SETUID | NO_DEVICES
RESTART = 0x01234567
FINIT_MODULE = 313
NOBODY = 65534
WAIT_SECONDS = 20.0
AGAIN_SECONDS = 0.002
LOOK_MS = 250
LABEL_AT, LABEL_BYTES = 1024 + 64, 16
INTERFACE = struct.Struct("16sH14x")
SET_FLAGS, UP = 0x8914, 1
INTERNET, DATAGRAM = 2, 2
# What this kernel leaves open by default.
SETTINGS = {
    "kernel/hostname": "sandbox",
    "kernel/dmesg_restrict": "1",
    "kernel/kptr_restrict": "2",
    "kernel/perf_event_paranoid": "3",
    "kernel/unprivileged_bpf_disabled": "1",
    "kernel/yama/ptrace_scope": "2",
    "kernel/sysrq": "0",
    "kernel/core_pattern": "|/bin/false",
    "user/max_user_namespaces": "0",
    "vm/unprivileged_userfaultfd": "0",
    "kernel/modules_disabled": "1",
}
# Files of the kernel that tell about the machine; a program has no use for them.
HIDDEN = ("cmdline", "kcore", "keys", "sched_debug", "slabinfo", "timer_list", "vmallocinfo")
DEVICES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
         "stderr": "/proc/self/fd/2"}  # fmt: skip
SYSTEM = ("bin", "sbin", "lib", "lib64")
# Where the root file system and the agent's own things lie; programs may not enter the latter.
TMP = f"{os.sep}tmp"
DISKS, NEW, PRIVATE = "/disks", "/new", "/run/agent"

libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """The system call, with the folder made first."""
    if not os.path.exists(target):
        os.makedirs(target)
    words = [word.encode() or None for word in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), options.encode() or None):
        raise OSError(ctypes.get_errno(), f"mount {source} on {target}")


def read(path: str) -> str:
    """A small file's text."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def write(path: str, text: str) -> None:
    """Set a value of the kernel's."""
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def load_modules() -> None:
    """Load the drivers in the order in which they need each other."""
    for name in read("/modules/order").split():
        module = os.open(f"/modules/{name}", os.O_RDONLY)
        if libc.syscall(FINIT_MODULE, module, b"", 0):
            raise OSError(ctypes.get_errno(), f"load {name}")
        os.close(module)


def wait_for(what: str, find: "Found") -> str:
    """Ask until there is an answer."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        if answer := find():
            return answer
        time.sleep(AGAIN_SECONDS)
    raise TimeoutError(f"there is no {what}")


class Found:
    """Looks for one thing among those that a folder of the kernel lists.

    Args:
        folder: such as `/sys/block`.
        wanted: the text that tells the right one.
        text: reads it from an entry's name.
    """

    def __init__(self, folder: str, wanted: str, text: "type[Label] | type[PortName]") -> None:
        self.folder, self.wanted, self.text = folder, wanted, text

    def __call__(self) -> str:
        """The entry's name, or nothing yet."""
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        return next((name for name in sorted(names) if self.text(name).value == self.wanted), "")


class Label:
    """The label of a disk's file system."""

    def __init__(self, name: str) -> None:
        self.value = ""
        if name.startswith("vd"):
            disk = os.open(f"/dev/{name}", os.O_RDONLY)
            self.value = os.pread(disk, LABEL_BYTES, LABEL_AT).rstrip(b"\0").decode("ascii", "replace")
            os.close(disk)


class PortName:
    """The name that the host gave to a serial port."""

    def __init__(self, name: str) -> None:
        path = f"/sys/class/virtio-ports/{name}/name"
        self.value = read(path).strip() if os.path.exists(path) else ""


def mount_disk(label: str) -> str:
    """Mount the disk with this label; where it is then."""
    place = f"{DISKS}/{label}"
    if not os.path.ismount(place):
        name = wait_for(f"disk {label}", Found("/sys/block", label, Label))
        mount(f"/dev/{name}", place, "erofs", READ_ONLY | CLOSED)
    return place


class Plan:
    """What to build, line by line: a key, and its value or values behind spaces."""

    def __init__(self, text: str) -> None:
        self.values: dict[str, str] = {}
        self.mounts: list[tuple[str, str, str]] = []
        self.arguments: list[str] = []
        for line in text.splitlines():
            key, _, value = line.partition(" ")
            if key == "mount":
                label, kind, target = value.split(" ", 2)
                self.mounts.append((label, kind, target))
            elif key == "argument":
                self.arguments.append(value)
            else:
                self.values[key] = value


def build(plan: Plan) -> None:
    """Make the file system that the agent and its programs see, and move into it."""
    mount("root", NEW, "tmpfs", CLOSED, "size=1m,nr_inodes=4096,mode=755")
    system = mount_disk("rf-root")
    for name in ("usr", "etc"):
        bind(f"{system}/{name}", f"{NEW}/{name}")
    for name in read("/shared").split():
        mount(f"/{name}", f"{NEW}/{name}", "", BIND)
        mount("", f"{NEW}/{name}", "", REMOUNT | BIND | READ_ONLY | CLOSED)
    for name in SYSTEM:
        os.symlink(f"usr/{name}", f"{NEW}/{name}")
    for label, kind, target in plan.mounts:
        place = mount_disk(label)
        bind(place if kind == "folder" else f"{place}/content", NEW + target)
    mount("proc", f"{NEW}/proc", "proc", CLOSED | NO_EXEC, "hidepid=2")
    owner = f"uid={NOBODY},gid={NOBODY}"
    size = f"size={plan.values['workspace']}"
    mount("workspace", f"{NEW}/workspace", "tmpfs", CLOSED, f"{size},{owner},mode=700")
    for name in ("in", "out"):
        os.mkdir(f"{NEW}/workspace/{name}")
        os.chown(f"{NEW}/workspace/{name}", NOBODY, NOBODY)
    mount("tmp", NEW + TMP, "tmpfs", CLOSED, f"size={plan.values['scratch']},mode=1777")
    mount("run", f"{NEW}/run", "tmpfs", CLOSED & ~NO_DEVICES | NO_EXEC, "size=256k,mode=755")
    if plan.values["reach"] == "1":
        os.mkdir(f"{NEW}/run/raptorflow")
    devices(f"{NEW}/dev")
    for name in HIDDEN:
        if os.path.exists(f"{NEW}/proc/{name}"):
            mount(f"{NEW}/dev/null", f"{NEW}/proc/{name}", "", BIND)
    group(NEW + PRIVATE, plan)
    channel(NEW + PRIVATE, plan)
    mount("", NEW, "", REMOUNT | READ_ONLY | CLOSED, "size=1m,mode=755")


def bind(source: str, target: str) -> None:
    """Show a folder or a file at another place too."""
    if os.path.isfile(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    mount(source, target, "", BIND)
    mount("", target, "", REMOUNT | BIND | READ_ONLY | CLOSED)


def devices(folder: str) -> None:
    """The few devices that a program may know."""
    mount("dev", folder, "tmpfs", NO_SETUID | NO_EXEC, "size=64k,mode=755")
    mask = os.umask(0)
    for name, minor in DEVICES.items():
        os.mknod(f"{folder}/{name}", 0o020666, os.makedev(1, minor))
    os.umask(mask)
    for name, target in LINKS.items():
        os.symlink(target, f"{folder}/{name}")
    mount("shm", f"{folder}/shm", "tmpfs", CLOSED | NO_EXEC, "size=64m,mode=1777")
    mount("", folder, "", REMOUNT | READ_ONLY | NO_SETUID | NO_EXEC, "size=64k,mode=755")


def group(private: str, plan: Plan) -> None:
    """The group that holds the agent and its programs to their limits."""
    os.makedirs(private, 0o700)
    mount("group", f"{private}/group", "cgroup2", CLOSED | NO_EXEC)
    write(f"{private}/group/cgroup.subtree_control", "+memory +pids")
    os.mkdir(f"{private}/group/all")
    write(f"{private}/group/all/memory.max", plan.values["memory"])
    write(f"{private}/group/all/pids.max", plan.values["pids"])


def channel(private: str, plan: Plan) -> None:
    """The device that leads to the host, where only the agent finds it."""
    if plan.values["channel"] == "port":
        name = wait_for("channel", Found("/sys/class/virtio-ports", "raptorflow", PortName))
        major, minor = read(f"/sys/class/virtio-ports/{name}/dev").split(":")
        os.mknod(f"{private}/channel", 0o020600, os.makedev(int(major), int(minor)))


def enter() -> None:
    """Make the new file system the root."""
    os.chdir(NEW)
    mount(".", "/", "", MOVE)
    os.chroot(".")
    os.chdir("/")


def loopback() -> None:
    """Programs reach the agent at 127.0.0.1; there is no other interface."""
    any_socket = libc.socket(INTERNET, DATAGRAM, 0)
    if libc.ioctl(any_socket, ctypes.c_ulong(SET_FLAGS), INTERFACE.pack(b"lo", UP)):
        raise OSError(ctypes.get_errno(), "lo cannot be brought up")
    os.close(any_socket)


def harden() -> None:
    """Close what this kernel leaves open by default; not every kernel knows every setting."""
    for name, value in SETTINGS.items():
        if os.path.exists(f"/proc/sys/{name}"):
            write(f"/proc/sys/{name}", value)


def start_agent(plan: Plan) -> int:
    """Start the agent in its group; its process id."""
    pid = os.fork()
    if pid == 0:
        become_agent(plan)
    return pid


def become_agent(plan: Plan) -> None:
    """Turn this copy of the first process into the agent."""
    write(f"{PRIVATE}/group/all/cgroup.procs", str(os.getpid()))
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/workspace"}
    os.execve(plan.arguments[0], plan.arguments, environment)


def counted(events: int, key: str) -> int:
    """One number of a file of events. Reading it is also what makes the kernel wake us at the next one."""
    for line in os.pread(events, 4096, 0).decode("ascii").splitlines():
        word, _, value = line.partition(" ")
        if word == key:
            return int(value)
    return 0


def watch(agent: int) -> None:
    """Bury every process, tell the host what was refused, and return when the agent has ended."""
    memory, tasks = (
        os.open(f"{PRIVATE}/group/all/{name}.events", os.O_RDONLY) for name in ("memory", "pids")
    )
    poll = select.poll()
    poll.register(os.pidfd_open(agent), select.POLLIN)
    poll.register(memory, select.POLLPRI)
    poll.register(tasks, select.POLLPRI)
    told = ""
    while not ended(agent):
        full = any(os.statvfs(folder).f_bavail == 0 for folder in ("/workspace", TMP))
        killed, refused = counted(memory, "oom_kill"), counted(tasks, "max")
        facts = f"raptorflow: oom={killed} pids={refused} full={int(full)}\n"
        if facts != told:
            os.write(2, facts.encode("ascii"))
            told = facts
        poll.poll(LOOK_MS)


def ended(agent: int) -> bool:
    """Bury the processes that have ended; whether the agent is among them."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid in (0, agent):
            return pid == agent


def main() -> None:
    """Build, start, watch."""
    mount("proc", "/proc", "proc")
    mount("sys", "/sys", "sysfs")
    mount("dev", "/dev", "devtmpfs")
    load_modules()
    plan = Plan(read(f"{mount_disk('rf-plan')}/plan"))
    build(plan)
    enter()
    if plan.values["reach"] == "1":
        loopback()
    harden()
    watch(start_agent(plan))


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        os.write(2, f"raptorflow: the guest cannot be built: {error!r}\n".encode())
    finally:
        libc.reboot(RESTART)
