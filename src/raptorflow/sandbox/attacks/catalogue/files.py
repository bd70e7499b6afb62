"""F1-F8, F12, F16-F18: reading and writing what is not the sandbox's own."""

import asyncio
import json
import os
import secrets
from pathlib import Path

from raptorflow.sandbox.attacks.canary import canary, environment
from raptorflow.sandbox.attacks.model import Attack, Trial, outcomes
from raptorflow.sandbox.attacks.program import said
from raptorflow.sandbox.attacks.stage import KEPT, SHARED, TMP, Stage
from raptorflow.sandbox.attacks.steps import Step, Steps

READ = """
with open({path!r}, 'rb') as file:
    content = file.read(200)
if not content:
    raise Absent('empty')
"""
CLOSED = ("/", "/skill", "/env", "/usr", "/opt/raptorflow", "/run", "/etc", KEPT)
EVERYWHERE = ("/workspace", "/workspace/out", TMP, SHARED, *CLOSED)
LISTED = ("/home", "/root", "/var/lib", "/boot", "/etc", "/srv", "/opt", "/sys/kernel", "/run")
LIST = """
here = sorted(os.listdir({path!r}))
if not here or here[:20] != {names!r}:
    raise Absent('another folder')
"""
OPEN_TO_WRITE = "os.close(os.open({path!r}, os.O_WRONLY))"
OWN_FILE = "os.close(os.open('x', os.O_WRONLY | os.O_CREAT))"
# Opened, never written: an attack that gets through must not change the machine.
KERNEL_FILES = (
    *("/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/hostname"),
    *("/proc/sysrq-trigger", "/proc/sys/kernel/modprobe", "/sys/kernel/uevent_helper"),
    *("/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/release_agent", "/sys/kernel/mm/ksm/run"),
    *("/sys/power/state", "/proc/self/oom_adj", "/proc/mtrr"),
)
DEVICES = (
    *("/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/kvm", "/dev/fuse", "/dev/loop-control"),
    *("/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/loop0", "/dev/mapper/control", "/dev/net/tun"),
    *("/dev/console", "/dev/tty0", "/dev/uinput", "/dev/snd", "/dev/dri", "/dev/vhost-vsock"),
)
LINK = """
target = tempfile.mkdtemp(dir='.')
Path(target, 'x').write_text('x')
os.link(f'{target}/x', f'{target}/y')
"""
OTHERS = """
found = []
for entry in Path('/proc').glob('[0-9]*/{name}'):
    try:
        if CANARY.encode() in entry.read_bytes():
            found.append(entry)
    except OSError:
        continue
if not found:
    raise Absent('in no process')
"""
DESCRIPTORS = """
listing = os.listdir('/proc/self/fd')
strange = []
for name in listing:
    try:
        target = os.readlink(f'/proc/self/fd/{name}')
    except OSError:
        continue
    # Descriptor 3 is a program's own second way to say something.
    if int(name) > (3 if 'pipe:' in target else 2) and '/proc/' not in target:
        strange.append(f'{name} {target}')
if not strange:
    raise Absent('only standard streams')
return strange
"""
SETUID = """
child = subprocess.Popen(['/usr/bin/su', '-c', 'true'], stdin=subprocess.PIPE, stdout=-3, stderr=-3)
end = time.monotonic() + 2
while time.monotonic() < end:
    status = Path(f'/proc/{child.pid}/status').read_text()
    ids = [line for line in status.splitlines() if line.startswith('Uid:')][0].split()
    if ids[2] == '0':
        child.kill()
        return 'root'
    if child.poll() is not None:
        break
child.kill()
raise Refused('the program ran without its owner')
"""
NO_SETUID = """
flags = os.statvfs('/usr').f_flag
if flags & os.ST_NOSUID and flags & os.ST_NODEV:
    raise Absent('nosuid, nodev')
"""
ESCAPE = """
os.mkdir('jail')
out = os.open('/', os.O_RDONLY | os.O_DIRECTORY)
os.chroot('jail')
os.fchdir(out)
for _ in range(20):
    os.chdir('..')
os.chroot('.')
if 'jail' in os.listdir('/'):
    raise Refused('still inside')
"""


async def host_files(stage: Stage) -> Trial:
    """F1: files of this machine, and the home of whoever runs the sandbox."""
    with canary(stage.folder) as bird:
        readable = [str(bird.file), str(Path(__file__))]
        secret = [
            *("/etc/shadow", "/var/run/docker.sock", "/run/docker.sock", "/etc/ssh/ssh_host_rsa_key"),
            *(str(Path.home() / name) for name in (".ssh/id_rsa", ".aws/credentials", ".netrc")),
            *("/var/lib/raptorflow", "/root/.bash_history", "/etc/machine-id", "/boot/vmlinuz"),
        ]
        steps = {path: Step(READ.format(path=path)) for path in readable}
        steps |= {path: Step(READ.format(path=path), maybe=True) for path in secret}
        steps |= {f"{path}/": Step(LIST.format(path=path, names=_names(path)), maybe=True) for path in LISTED}
        return await Steps(steps)(stage)


def _names(path: str) -> list[str]:
    """What lies in a folder of this machine, the first of it; nothing when nobody may look."""
    try:
        return sorted(os.listdir(path))[:20]
    except OSError:
        return []


async def root_makers(stage: Stage) -> Trial:
    """F16: an engine's mounts may allow what no process may use; our own do not even allow it."""
    steps = {"su": SETUID}
    if stage.driver == "local":
        steps["a file system that allows it"] = NO_SETUID
    return await Steps(steps, place="nobody")(stage)


async def host_processes(stage: Stage) -> Trial:
    """F2: what other processes of this machine are, hold and were given."""
    bird = f"canary-{secrets.token_hex(8)}"
    with environment(RAPTORFLOW_CANARY=bird):
        sleeper = await asyncio.create_subprocess_exec("sleep", "60", env={**os.environ})
        try:
            facts = {"CANARY": f"RAPTORFLOW_CANARY={bird}", "PID": sleeper.pid, "CWD": os.getcwd()}
            return await Steps(
                {
                    "environments": OTHERS.format(name="environ"),
                    "a process by its number": """
                    if Path(f'/proc/{PID}/comm').read_text() != 'sleep\\n':
                        raise Absent('another process has that number')
                    """,
                    "its root folder": "os.listdir(f'/proc/{PID}/root/proc')",
                    "its working folder": """
                    if os.readlink(f'/proc/{PID}/cwd') != CWD:
                        raise Absent('another process has that number')
                    """,
                    "its memory map": """
                    if 'sleep' not in Path(f'/proc/{PID}/maps').read_text():
                        raise Absent('another process has that number')
                    """,
                    "the root folder of the first process": Step(
                        "if os.readlink('/proc/1/root') != '/' or not Path(f'/proc/1/root{CWD}').exists():\n"
                        "    raise Absent('it is our own')",
                        twin="os.listdir(f'/proc/{PID}/root/proc')",
                        root=True,
                        maybe=True,
                    ),
                },
                facts=facts,
            )(stage)
        finally:
            sleeper.kill()
            await sleeper.wait()


async def sessions(stage: Stage) -> Trial:
    """F17: what one run writes, the next does not see, wherever it was."""
    mark = f"left-{secrets.token_hex(6)}"
    look = f"return [str(path) for path in {looking(mark)}]"
    write = f"""
    for folder in {EVERYWHERE!r}:
        try:
            Path(folder, {mark!r}).write_text('x')
        except OSError:
            continue
    {look}
    """
    first = await stage.inside(stage.text({"write": write}, {}, apart=False, outside=False))
    second = await stage.inside(stage.text({"look": look}, {}, apart=False, outside=False))
    wrote, found = said(first.stdout).get("write"), said(second.stdout).get("look")
    own = bool(wrote and f"/workspace/{mark}" in wrote.words)
    closed = bool(wrote and not any(f"'{Path(place, mark)}'" in wrote.words for place in CLOSED))
    clean = bool(found and found.words == "[]")
    words = f"wrote {wrote.words if wrote else 'nothing'}, the next run found {found.words if found else '?'}"
    seen = outcomes("refused" if clean and closed else "through")
    return Trial(seen, words, own, "the first run finds its own file")


def looking(mark: str) -> str:
    """Code that finds a name in every place where a run might leave it."""
    return f"[Path(p, {mark!r}) for p in {EVERYWHERE!r} if Path(p, {mark!r}).exists()]"


async def shared_tmp(stage: Stage) -> Trial:
    """F18: two sandboxes at the same time, each looking for the other's file in every shared place."""
    mark = f"shared-{secrets.token_hex(6)}"
    code = f"""
    for place in PLACES:
        Path(place, {mark!r} + str(os.getpid()) + NAME).write_text(NAME)
    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        names = [name for place in PLACES for name in os.listdir(place) if name.startswith({mark!r})]
        if any(not name.endswith(NAME) for name in names):
            return 'saw the other'
    raise Absent('only its own')
    """
    places = (TMP, SHARED)

    def text(name: str, outside: bool) -> str:
        return stage.text({"look": code}, {"PLACES": places, "NAME": name}, apart=False, outside=outside)

    try:
        inside = await asyncio.gather(*(stage.inside(text(name, False)) for name in ("one", "two")))
        outside = await asyncio.gather(*(stage.outside(text(name, True)) for name in ("one", "two")))
    finally:
        for place in places:
            _remove(place, mark)
    saw = [answer.saw for result in inside for answer in said(result.stdout).values()]
    free = [answer.saw for result in outside for answer in said(result.stdout).values()]
    return Trial(
        outcomes("absent" if saw == ["absent", "absent"] else "through"),
        json.dumps(saw),
        "through" in free,
        "two processes outside see each other's" if "through" in free else "not even outside",
    )


def _remove(place: str, mark: str) -> None:
    for left in Path(place).glob(f"{mark}*"):
        left.unlink()


FILES = (
    Attack(
        "F1",
        "The machine's files",
        "read canaries, keys, passwords and sockets of the machine",
        "a mount namespace with a new root; nothing of the machine but its programs is in it",
        host_files,
    ),
    Attack(
        "F2",
        "The machine's processes",
        "read environment, root folder and memory map of processes outside",
        "a pid namespace, and a /proc of its own",
        host_processes,
    ),
    Attack(
        "F3",
        "The kernel's switches",
        "open the kernel's settings for writing",
        "/proc is read-only and there is no /sys",
        Steps(
            {
                path: Step(OPEN_TO_WRITE.format(path=path), twin=OWN_FILE, root=True, maybe=True)
                for path in KERNEL_FILES
            }
        ),
        in_guest=outcomes("refused", "absent"),
    ),
    Attack(
        "F4",
        "Memory, logs and disks",
        "read the machine's memory, kernel log and raw disks",
        "/dev holds harmless devices only, and what /proc tells about memory is covered",
        Steps(
            {
                "memory as a file": Step(READ.format(path="/proc/kcore"), twin=READ.format(path="/dev/zero")),
                **{path: Step(f"os.stat({path!r})", maybe=True) for path in DEVICES},
            }
        ),
    ),
    Attack(
        "F5",
        "Making devices",
        "make a node for the machine's disk, or for its memory",
        "no capability in the machine's user namespace; file systems are mounted without devices",
        Steps(
            {
                "block": Step(
                    "os.mknod('x', stat.S_IFBLK | 0o666, os.makedev(259, 0))",
                    twin="os.mknod('x', stat.S_IFIFO | 0o666)",
                    root=True,
                ),
                "character": Step(
                    "os.mknod('y', stat.S_IFCHR | 0o666, os.makedev(1, 1))",
                    twin="os.mknod('y', stat.S_IFIFO | 0o666)",
                    root=True,
                ),
            }
        ),
    ),
    Attack(
        "F6",
        "Mounting",
        "remount what is read-only, bind, mount memory, overlay and fuse, open files by their handle",
        "no capability, and the filter refuses the calls; on the host the folders are never writable",
        Steps(
            {
                "remount": "call('mount', None, b'/', None, 0x20 | 0x1000, None)",
                "bind": "os.mkdir('b'); call('mount', b'/usr', b'b', None, 0x1000, None)",
                "memory": "os.mkdir('m'); call('mount', b'x', b'm', b'tmpfs', 0, None)",
                "proc": "os.mkdir('p'); call('mount', b'x', b'p', b'proc', 0, None)",
                "overlay": "os.mkdir('o'); reach('mount', b'x', b'o', b'overlay', 0, b'')",
                "fuse": "os.mkdir('f'); reach('mount', b'x', b'f', b'fuse', 0, b'')",
                "umount": "os.mkdir('u'); reach('umount2', b'u', 0)",
                "pivot_root": "reach('pivot_root', b'/', b'/')",
                "fsopen": "call('fsopen', b'tmpfs', 0)",
                "open_tree": "call('open_tree', -100, b'.', 1)",
                "move_mount": "reach('move_mount', -1, b'', -1, b'', 0)",
                "handle of a file": "reach('name_to_handle_at', -100, b'/usr', None, None, 0)",
                "file by its handle": Step(
                    "reach('open_by_handle_at', -1, ctypes.byref((ctypes.c_int * 40)(8, 1)), 0)",
                    twin="reach('name_to_handle_at', -100, b'/usr', None, None, 0)",
                    root=True,
                ),
            },
            place="unguarded",
        ),
        in_guest=outcomes("refused", "absent", "contained"),
    ),
    Attack(
        "F7",
        "Leaving a root folder",
        "change the root folder, then leave it through an open descriptor",
        "chroot is refused, and the sandbox's root is a mount, not a folder",
        Steps({"chroot": ESCAPE}, place="unguarded"),
        in_guest=outcomes("refused", "contained"),
    ),
    Attack(
        "F8",
        "Inherited descriptors",
        "use what whoever started it left open",
        "every descriptor but the standard streams is closed on exec",
        Steps({"descriptors": Step(DESCRIPTORS, twin=f"kept = os.open('/dev/zero', 0){DESCRIPTORS}")}),
    ),
    Attack(
        "F12",
        "Hard links to what is outside",
        "link files of the skill and of the system into the workspace",
        "the workspace is a file system of its own, and links do not cross file systems",
        Steps(
            {
                name: Step(f"os.link({path!r}, 'linked')", twin=LINK)
                for name, path in {
                    "the skill's file": "/skill/data.txt",
                    "a program": "/usr/bin/env",
                    "an open file": "/proc/self/exe",
                }.items()
            }
        ),
    ),
    Attack(
        "F16",
        "Programs that make root",
        "start `su` and see whose process it is",
        "no new privileges; our own mounts are without set-user-id too",
        root_makers,
        outcomes("refused", "absent"),
    ),
    Attack(
        "F17",
        "What another run left",
        "write everywhere, and look for it in the next run; write into the skill and the environment",
        "everything writable is made anew for each run; the rest is read-only",
        sessions,
        outcomes("refused"),
    ),
    Attack(
        "F18",
        "A shared /tmp",
        "find the file of a sandbox that runs at the same time",
        "each sandbox has its own /tmp and /dev/shm",
        shared_tmp,
        outcomes("absent"),
    ),
)
