"""What a program in a container has, sees and may call."""

import asyncio
import platform
import socket
from pathlib import Path

import pytest
from tests.support.docker_engine import Box, OwnEngine

from raptorflow.base.json import loads
from raptorflow.sandbox.drivers.docker.mounts import SERVICES, TMP
from raptorflow.sandbox.spec import WORK

TRY = "try:\n {code}\n print('got it')\nexcept OSError as error: print('refused', error.errno)"
CALL = (
    "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    "for name, call in {{ {calls} }}.items():\n"
    "    print(name, call() if call() != -1 else -ctypes.get_errno())"
)
# Numbers of x86-64.
CALLS = {
    "unshare-user": (272, "0x10000000"),
    "unshare-net": (272, "0x40000000"),
    "setns": (308, "0, 0"),
    "mount": (165, "b'x', b'/workspace', b'tmpfs', 0, None"),
    "remount": (165, "None, b'/skill', None, 0x1020, None"),
    "umount": (166, "b'/skill', 0"),
    "pivot_root": (155, "b'/', b'/'"),
    "chroot": (161, "b'/skill'"),
    "ptrace": (101, "0, 1, 0, 0"),
    "process_vm_readv": (310, "1, 0, 0, 0, 0, 0"),
    "bpf": (321, "0, 0, 0"),
    "perf_event_open": (298, "0, 0, 0, 0, 0"),
    "userfaultfd": (323, "0"),
    "io_uring_setup": (425, "8, 0"),
    "keyctl": (250, "0, 0, 0, 0, 0"),
    "init_module": (175, "0, 0, b''"),
    "reboot": (169, "0, 0, 0, 0"),
    "syslog": (103, "10, 0, 0"),
    "personality": (135, "0x0040000"),
    "open_by_handle_at": (304, "-1, 0, 0"),
    "mknod": (133, "b'/workspace/n', 8624, 259"),
    "clone-newuser": (56, "0x10000000 | 17, 0, 0, 0, 0"),
    "clone3": (435, "0, 0"),
    "clock_settime": (227, "0, 0"),
    "pidfd_getfd": (438, "3, 0, 0"),
    "unknown": (9999, "0"),
}
# EPERM, EACCES (Landlock was asked first), ENOSYS.
REFUSED = {-1, -13, -38}
WRITABLE = (WORK, TMP, SERVICES)


async def test_the_control_reads_its_skill_and_writes_its_workspace(inside: Box) -> None:
    ran = await inside.python("print(open('/skill/data.txt').read()); open('/workspace/x', 'w').write('x')")
    assert (ran.code, ran.out) == (0, "its own file\n")


async def test_it_has_no_rights(inside: Box) -> None:
    ran = await inside.python(
        "import json; print(json.dumps(dict(l.strip().split(':\\t', 1) for l in open('/proc/self/status'))))"
    )
    status = loads(ran.out)
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"65534"}
    assert status["Groups"].split() in ([], ["65534"])


async def test_it_sees_its_own_processes_and_names_only(inside: Box) -> None:
    ran = await inside.python(
        "import os, socket; print(len([n for n in os.listdir('/proc') if n.isdigit()]), socket.gethostname())"
    )
    assert ran.out == "2 sandbox\n"


async def test_it_has_only_a_loopback_interface(inside: Box) -> None:
    ran = await inside.python("print([l.split(':')[0].strip() for l in open('/proc/net/dev') if ':' in l])")
    assert ran.out == "['lo']\n"


async def test_with_reach_it_has_sockets_and_still_no_way(reaching: Box) -> None:
    for address in ("192.0.2.1", "169.254.169.254", "172.17.0.1", "10.0.0.1"):
        ran = await reaching.python(
            "import socket\n" + TRY.format(code=f"socket.create_connection(('{address}', 80), 2)")
        )
        assert ran.out in {"refused 101\n", "refused 113\n"}, ran
    for family in (16, 17, 38, 40, 44):
        assert (
            "refused"
            in (await reaching.python("import socket\n" + TRY.format(code=f"socket.socket({family}, 3)"))).out
        )
    for kind, number in (("SOCK_RAW", 1), ("SOCK_DGRAM", 13)):
        ping = TRY.format(code=f"socket.socket(socket.AF_INET, socket.{kind}, socket.IPPROTO_ICMP)")
        assert (await reaching.python(f"import socket\n{ping}")).out == f"refused {number}\n"


async def test_a_listener_of_this_machine_cannot_be_reached(reaching: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0raptorflow-canary")
        abstract.listen()
        port = listener.getsockname()[1]
        tried = await reaching.python(
            "import socket\n" + TRY.format(code=f"socket.create_connection(('127.0.0.1', {port}), 2)")
        )
        assert tried.out == "refused 111\n"
        tried = await reaching.python(
            "import socket\n"
            + TRY.format(code="socket.socket(socket.AF_UNIX).connect('\\0raptorflow-canary')")
        )
        assert tried.out == "refused 111\n"
        # The control: both listen for whoever is on this machine.
        socket.create_connection(("127.0.0.1", port)).close()
        with socket.socket(socket.AF_UNIX) as near:
            near.connect("\0raptorflow-canary")


async def test_it_cannot_write_outside_of_its_folders(inside: Box) -> None:
    paths = [
        *("/x", "/usr/x", "/etc/x", "/skill/x", "/opt/raptorflow/agent/guest/main.py", "/run/x", "/dev/x"),
        *("/sys/x", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/x", "/workspace/x"),
    ]
    tried = await inside.python(
        f"for path in {paths}:\n    try: open(path, 'w').write('x'); print(path)\n    except OSError: pass"
    )
    assert tried.out == "/workspace/x\n"


async def test_every_mount_that_is_its_own_to_write_has_a_size_and_no_devices(inside: Box) -> None:
    lines = (await inside.python("print(open('/proc/self/mounts').read())")).out.split("\n")
    mounts = {parts[1]: parts for parts in (line.split() for line in lines) if parts}
    for place in WRITABLE:
        options = mounts[place][3].split(",")
        assert {"rw", "nosuid", "nodev"} <= set(options), place
        assert [option for option in options if option.startswith("size=")], place
    assert mounts["/"][3].split(",")[0] == "ro"
    assert mounts["/usr"][3].split(",")[0] == "ro"


async def test_nothing_of_this_machine_can_be_read(inside: Box) -> None:
    paths = [
        *("/etc/passwd", "/etc/shadow", "/root", "/home", "/var/run/docker.sock", "/run/docker.sock"),
        *("/var/lib/docker", "/proc/kcore", "/proc/kallsyms", "/proc/keys", "/proc/1/mem", "/dev/mem"),
        *("/sys/class", "/sys/fs/cgroup/memory", "/sys/firmware", "/dev/kmsg", "/proc/timer_list"),
        *("/proc/cmdline", "/skill/data.txt"),
    ]
    ran = await inside.python(
        f"import os\nfor path in {paths}:\n"
        "    try:\n"
        "        found = os.listdir(path) if os.path.isdir(path) else open(path, 'rb').read(9)\n"
        "        if found: print(path)\n"
        "    except OSError: pass"
    )
    assert ran.out == "/skill/data.txt\n"


async def test_the_engine_cannot_be_reached_through_its_folder(inside: Box, docker_engine: OwnEngine) -> None:
    ran = await inside.python(f"import os; print(os.path.exists({str(docker_engine.folder)!r}))")
    assert ran.out == "False\n"


async def test_only_harmless_devices_are_there(inside: Box) -> None:
    ran = await inside.python("import os; print(sorted(os.listdir('/dev')))")
    streams = ["stderr", "stdin", "stdout"]
    devices = ["full", "null", "ptmx", "random", "tty", "urandom", "zero"]
    assert ran.out == f"{sorted([*streams, *devices, 'fd', 'mqueue', 'pts', 'shm'])}\n"


async def test_message_queues_cannot_be_made(inside: Box) -> None:
    ran = await inside.python(TRY.format(code="open('/dev/mqueue/x', 'w')"))
    assert ran.out.startswith("refused")


async def test_the_environment_has_nothing_of_this_machine(inside: Box) -> None:
    ran = await inside.python("print(open('/proc/1/environ').read().split('\\0'))")
    assert "Permission" in ran.err or ran.out == (
        "['PATH=/usr/bin:/bin', 'HOSTNAME=sandbox', 'LANG=C.UTF-8', 'HOME=/workspace', '']\n"
    )


@pytest.mark.parametrize("kind", ["inside", "reaching"])
async def test_dangerous_calls_are_refused(request: pytest.FixtureRequest, kind: str) -> None:
    assert platform.machine() == "x86_64", "the numbers of these calls are x86-64's"
    target: Box = request.getfixturevalue(kind)
    answers = await called(target, **CALLS, getpid=(39, "0"))
    assert answers.pop("getpid") > 0
    assert {name: said for name, said in answers.items() if said not in REFUSED} == {}
    assert answers.keys() == CALLS.keys()


async def test_calls_under_another_architectures_numbers_kill(inside: Box) -> None:
    ran = await inside.python(CALL.format(calls=f"'x32': lambda: libc.syscall({0x40000000 | 39})"))
    assert ran.code == -31, ran


async def called(target: Box, **calls: tuple[int, str]) -> dict[str, int]:
    """What the kernel said to each: a result, or minus the error's number."""
    listed = ", ".join(
        f"'{name}': lambda: libc.syscall({number}, {arguments})"
        for name, (number, arguments) in calls.items()
    )
    ran = await target.python(CALL.format(calls=listed))
    return {name: int(said) for name, said in (line.split() for line in ran.out.splitlines())}


async def test_what_the_engine_wrote_about_it_holds_no_host_names(inside: Box) -> None:
    ran = await inside.python(
        "import os\nfor n in ('hosts', 'resolv.conf', 'hostname'):\n"
        "    p = f'/etc/{n}'\n    print(open(p).read() if os.path.exists(p) else '')"
    )
    host = await asyncio.to_thread(lambda: Path("/etc/resolv.conf").read_text().split())
    assert not [word for word in host if word.count(".") > 1 and word in ran.out and word != "127.0.0.1"]
    assert socket.gethostname() not in ran.out.split()
