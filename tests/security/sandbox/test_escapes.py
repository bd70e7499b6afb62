"""More ways out, each beside proof that the way is real: the same attempt gets through outside a sandbox."""

import platform
import socket
import struct
import subprocess
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import pytest

from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.result import SandboxResult

Attack = Callable[..., Coroutine[Any, Any, SandboxResult]]
CONTROL_SECONDS = 20
X86 = platform.machine() == "x86_64"

ATTEMPTS = {
    "a socket to the network": "import socket; socket.socket(socket.AF_INET)",
    "a socket to the machine": "import socket; socket.socket(socket.AF_UNIX)",
    "a socket to the kernel": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "a user namespace": "call('unshare', 0x10000000)",
    "a predictable address space": "call('personality', 0x0040000)",
    "reading its own child": (
        "child = os.fork()\nif child == 0: time.sleep(5); os._exit(0)\n"
        "try: call('ptrace', 16, child, 0, 0)\nfinally: os.kill(child, 9)"
    ),
    "another scheduler": "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))",
    "a file by its handle": (
        "handle = ctypes.create_string_buffer(b'\\x80' + bytes(200))\n"
        "call('name_to_handle_at', -100, b'/usr', handle, ctypes.byref(ctypes.c_int()), 0)"
    ),
}
PRELUDE = """
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    ctypes.set_errno(0)
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)
"""


def attempt(code: str) -> str:
    lines = "\n".join(f" {line}" for line in code.splitlines())
    return f"{PRELUDE}\ntry:\n{lines}\n print('got through')\nexcept OSError: print('refused')"


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_a_way_that_is_open_outside_is_shut_inside(attack: Attack, name: str) -> None:
    code = attempt(ATTEMPTS[name])
    assert outside(code) == "got through\n"
    assert (await attack(code)).stdout.startswith(b"refused")


def outside(code: str) -> str:
    """What the same code says without a sandbox."""
    done = subprocess.run(
        [sandbox_python(), "-c", code], capture_output=True, text=True, timeout=CONTROL_SECONDS, check=True
    )
    return done.stdout


async def test_only_a_pair_of_sockets_can_be_made_and_it_leads_nowhere(attack: Attack) -> None:
    code = (
        "import socket\none, two = socket.socketpair()\none.send(b'x'); print(two.recv(1))\n"
        "for step in (lambda: one.connect('/x'), lambda: one.bind('/workspace/s'), lambda: one.listen(),\n"
        "             lambda: one.sendto(b'x', '\\0raptorflow-canary')):\n"
        " try: step(); print('got through')\n except OSError: print('refused')\n"
        "try: socket.socketpair(socket.AF_INET); print('got through')\nexcept OSError: print('refused')\n"
    )
    assert (await attack(code)).stdout.decode().split("\n") == ["b'x'", *["refused"] * 5, ""]


@pytest.fixture
def listener() -> Generator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind("\0raptorflow-datagrams")
        datagrams.setblocking(False)
        yield datagrams


async def test_a_datagram_cannot_be_sent_to_the_host_through_a_pair(
    attack: Attack, listener: socket.socket
) -> None:
    code = (
        "import socket\none, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "try: one.sendto(b'out', '\\0raptorflow-datagrams'); print('got through')\n"
        "except OSError: print('refused')\n"
    )
    assert outside(code) == "got through\n"
    assert listener.recv(9) == b"out"
    assert (await attack(code)).stdout == b"refused\n"
    with pytest.raises(BlockingIOError):
        listener.recv(9)


if X86:  # other machines have no such entry

    async def test_the_32_bit_entry_to_the_kernel_kills(attack: Attack) -> None:
        """`int 0x80` with call number 20 (getpid): filters go by numbers, and these are another's."""
        machine_code = struct.pack("<B I B B B", 0xB8, 20, 0xCD, 0x80, 0xC3)
        code = (
            f"import ctypes, mmap\ncode = {machine_code!r}\n"
            "memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n"
            "memory.write(code)\naddress = ctypes.addressof(ctypes.c_char.from_buffer(memory))\n"
            "print('got through', ctypes.CFUNCTYPE(ctypes.c_int)(address)() != 0, flush=True)\n"
        )
        assert outside(code) == "got through True\n"
        result = await attack(code)
        assert (result.status, result.signal, result.stdout) == ("signal", "SIGSYS", b"")


async def test_devices_are_the_harmless_ones(attack: Attack) -> None:
    code = (
        "import os\nprint(sorted(os.listdir('/dev')))\n"
        "open('/dev/null', 'w').write('x'); open('/dev/shm/x', 'w').write('x')"
    )
    result = await attack(code)
    expected = ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero"]
    assert (result.status, result.stdout.decode()) == ("ok", f"{expected}\n")


async def test_there_is_no_terminal(attack: Attack) -> None:
    code = (
        "import fcntl, os, termios\n"
        "for name in ('TIOCSTI', 'TIOCSCTTY'):\n"
        " try: fcntl.ioctl(0, getattr(termios, name), b'x'); print('got through')\n"
        " except OSError: print('refused')\n"
        "try: os.open('/dev/tty', os.O_RDWR); print('got through')\nexcept OSError: print('refused')\n"
        "print(os.isatty(0), os.getsid(0) != 0)"
    )
    assert (await attack(code)).stdout == b"refused\nrefused\nrefused\nFalse True\n"


async def test_signals_reach_only_its_own(attack: Attack) -> None:
    result = await attack("import os\nos.kill(-1, 9)\nprint('alive')")
    # Everything inside but the caller and the first process is killed: there is nothing else.
    assert result.stdout in {b"alive\n", b""}


@pytest.mark.parametrize("program", ["su", "mount", "passwd", "newgrp", "umount", "chsh"])
async def test_programs_that_make_root_do_not(attack: Attack, program: str) -> None:
    path = f"/usr/bin/{program}"
    code = (
        f"import os, subprocess\npath = {path!r}\n"
        "print(os.path.exists(path), os.stat(path).st_mode & 0o4000 if os.path.exists(path) else 0)\n"
        "print(open('/proc/self/mounts').read().split(' /usr ')[1].split()[1])\n"
    )
    lines = (await attack(code)).stdout.decode().splitlines()
    options = lines[1].split(",")
    assert {"ro", "nosuid", "nodev"} <= set(options)


@pytest.mark.parametrize("kind", ["shm", "sem", "msg"])
async def test_memory_and_queues_of_the_host_are_not_seen(attack: Attack, kind: str) -> None:
    assert (await attack(f"print(len(open('/proc/sysvipc/{kind}').readlines()))")).stdout == b"1\n"


async def test_the_hosts_name_and_its_start_are_not_told(attack: Attack) -> None:
    code = (
        "import os; print(os.uname().nodename)\n"
        "try: print(open('/proc/cmdline').read())\nexcept OSError: print('refused')"
    )
    assert "refused" not in outside(code)
    assert (await attack(code)).stdout == b"sandbox\nrefused\n"


async def test_many_small_files_and_deep_folders_are_cleared_away(attack: Attack) -> None:
    deep = "import os\nfor _ in range(3000): os.mkdir('d'); os.chdir('d')"
    assert (await attack(deep)).status in {"ok", "disk_full"}
    many = "for n in range(10**7): open(f'out/{n}', 'w').close()"
    result = await attack(many, timeout_seconds=3)
    assert result.status in {"timeout", "disk_full", "oom"}
    assert len(result.artifacts) <= 3


async def test_odd_permissions_neither_hide_nor_protect_files(attack: Attack) -> None:
    code = "import os\nos.mkdir('out/a'); open('out/a/x', 'w').write('x'); os.chmod('out/a', 0)"
    result = await attack(code)
    assert result.status == "ok"
    assert result.artifacts or result.artifacts_refused


async def test_what_is_written_into_memory_counts_wherever_it_is(attack: Attack) -> None:
    mib = 1024 * 1024
    shm = f"open('/dev/shm/x', 'wb').write(bytes(90 * {mib}))"
    assert (await attack(shm)).status in {"oom", "disk_full"}
    anonymous = (
        f"import os\nkept = [os.memfd_create('x') for _ in range(200)]\n"
        f"for file in kept: os.write(file, bytes({mib}))"
    )
    assert (await attack(anonymous)).status == "oom"


async def test_a_huge_sparse_file_does_not_fit(attack: Attack) -> None:
    result = await attack("open('out/x', 'wb').truncate(1 << 40)")
    assert (result.status, [artifact.size for artifact in result.artifacts]) == ("disk_full", [0])


async def test_too_many_open_files_are_refused(attack: Attack) -> None:
    code = (
        "import os\nkept = []\ntry:\n while True: kept.append(os.open('/dev/null', 0))\n"
        "except OSError: print(len(kept) < 600)"
    )
    assert (await attack(code)).stdout == b"True\n"


async def test_the_clock_and_the_priority_cannot_be_changed(attack: Attack) -> None:
    code = (
        "import os, time\n"
        "steps = (lambda: time.clock_settime(0, 0), lambda: os.setpriority(0, 0, -20), lambda: os.nice(-5))\n"
        "for step in steps:\n try: step(); print('got through')\n except OSError: print('refused')"
    )
    assert (await attack(code)).stdout == b"refused\nrefused\nrefused\n"


async def test_a_link_to_a_mounted_file_cannot_be_made_an_artefact(attack: Attack) -> None:
    code = (
        "import os\nfor source in ('/skill/data.txt', '/usr/bin/env', '/run/stdin'):\n"
        " try: os.link(source, 'out/x'); print('got through')\n except OSError: print('refused')"
    )
    result = await attack(code)
    assert result.stdout == b"refused\nrefused\nrefused\n"
    assert result.artifacts == ()
