"""Attacks on the walls: files, processes, kernel, network, and what comes out."""

import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.result import SandboxResult

Attack = Callable[..., Coroutine[Any, Any, SandboxResult]]
TRY = "try:\n {code}\n print('got it')\nexcept OSError as error: print('refused', error.errno)"
SYSCALL = (
    "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    "result = libc.syscall({number}, {arguments})\n"
    "print('refused' if result == -1 and ctypes.get_errno() in (1, 13, 38) else f'got {{result}}')"
)

# Numbers of x86-64.
CALLS = {
    "unshare-user": (272, "0x10000000"),
    "unshare-net": (272, "0x40000000"),
    "setns": (308, "0, 0"),
    "mount": (165, "b'x', b'/workspace', b'tmpfs', 0, None"),
    "umount": (166, "b'/workspace', 0"),
    "pivot_root": (155, "b'/', b'/'"),
    "chroot": (161, "b'/skill'"),
    "ptrace": (101, "0, 1, 0, 0"),
    "process_vm_readv": (310, "1, 0, 0, 0, 0, 0"),
    "bpf": (321, "0, 0, 0"),
    "perf_event_open": (298, "0, 0, 0, 0, 0"),
    "userfaultfd": (323, "0"),
    "io_uring_setup": (425, "8, 0"),
    "keyctl": (250, "0, 0, 0, 0, 0"),
    "add_key": (248, "b'user', b'x', b'y', 1, 0"),
    "init_module": (175, "0, 0, b''"),
    "reboot": (169, "0, 0, 0, 0"),
    "syslog": (103, "10, 0, 0"),
    "personality": (135, "0x0040000"),
    "modify_ldt": (154, "1, 0, 0"),
    "open_by_handle_at": (304, "-1, 0, 0"),
    "mknod": (133, "b'/workspace/n', 8624, 259"),
    "clone-newuser": (56, "0x10000000 | 17, 0, 0, 0, 0"),
    "clone3": (435, "0, 0"),
    "settimeofday": (164, "0, 0"),
    "clock_settime": (227, "0, 0"),
    "pidfd_getfd": (438, "3, 0, 0"),
    "x32-getpid": (0x40000000 | 39, "0"),
}


async def test_the_control_can_read_its_own_skill_and_write_its_own_workspace(attack: Attack) -> None:
    code = "print(open('/skill/data.txt').read()); open('note', 'w').write('x'); print(open('note').read())"
    result = await attack(code)
    assert result.stdout == b"the skill's own file\nx\n"


HOST_PATHS = (
    *("/etc/shadow", "/root", "/home", "/var/lib", "/var/run/docker.sock", "/sys", "/boot", "/dev/mem"),
    *("/dev/kmsg", "/proc/kcore", "/proc/sysrq-trigger", str(Path.cwd())),
)


@pytest.mark.parametrize("path", HOST_PATHS)
async def test_the_host_is_not_there(attack: Attack, path: str) -> None:
    code = (
        f"import os\npath = {path!r}\n"
        "try: print('got', os.listdir(path) if os.path.isdir(path) else open(path, 'rb').read(10))\n"
        "except OSError: print('refused')"
    )
    assert (await attack(code)).stdout == b"refused\n"


@pytest.mark.parametrize(
    "path",
    [
        "/skill/data.txt",
        "/skill/new",
        "/usr/new",
        "/opt/raptorflow/x",
        "/proc/sys/kernel/core_pattern",
        "/new",
    ],
)
async def test_only_the_workspace_can_be_written(attack: Attack, path: str) -> None:
    # Opened, not written: a test that fails must not change the host.
    result = await attack(
        TRY.format(code=f"import os; os.close(os.open({path!r}, os.O_WRONLY | os.O_CREAT))")
    )
    assert result.stdout.startswith(b"refused")


async def test_it_sees_no_process_but_its_own_and_none_of_the_hosts_environment(attack: Attack) -> None:
    os.environ["RAPTORFLOW_CANARY"] = "host-canary-value"
    code = (
        "import os\nprint(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()))\n"
        "def environ(pid):\n try: return open(f'/proc/{pid}/environ', 'rb').read()\n"
        " except OSError: return b''\n"
        "print(any(b'canary' in environ(pid) for pid in (1, 2, os.getpid())))\n"
        "print(sorted(os.environ))\nprint(sorted(os.listdir('/proc/self/fd')))"
    )
    lines = (await attack(code)).stdout.decode().splitlines()
    assert lines[0] in {"[1, 2]", "[1, 2, 3]"}
    assert lines[1] == "False"
    assert "RAPTORFLOW_CANARY" not in lines[2]
    assert "SSH_AUTH_SOCK" not in lines[2]
    # Standard streams, and the descriptor that lists the folder.
    assert lines[3] == "['0', '1', '2', '3']"


async def test_it_has_no_privileges(attack: Attack) -> None:
    code = "print(open('/proc/self/status').read())"
    status = (await attack(code)).stdout.decode()
    for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert f"{field}:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    assert "Uid:\t65534" in status


@pytest.mark.parametrize("name", CALLS)
async def test_the_kernels_riskier_calls_are_refused(attack: Attack, name: str) -> None:
    number, arguments = CALLS[name]
    result = await attack(SYSCALL.format(number=number, arguments=arguments))
    # The foreign ABI may also be answered with death.
    assert result.stdout == b"refused\n" or result.signal == "SIGSYS"


@pytest.mark.parametrize(
    "family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_ALG", "AF_VSOCK"]
)
async def test_no_socket_of_any_family_can_be_made(attack: Attack, family: str) -> None:
    kind = "SOCK_RAW" if family in {"AF_PACKET", "AF_NETLINK"} else "SOCK_STREAM"
    result = await attack(TRY.format(code=f"import socket; socket.socket(socket.{family}, socket.{kind})"))
    assert result.stdout.startswith(b"refused")


async def test_event_loops_work_without_a_network(attack: Attack) -> None:
    result = await attack("import asyncio\nasyncio.run(asyncio.sleep(0))\nprint('fine')")
    assert result.stdout == b"fine\n"


async def test_an_abstract_socket_of_the_host_is_out_of_reach(attack: Attack) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0raptorflow-canary")
        listener.listen()
        code = TRY.format(code="import socket; socket.socket(socket.AF_UNIX).connect('\\0raptorflow-canary')")
        assert (await attack(code)).stdout.startswith(b"refused")


async def test_runs_share_nothing(attack: Attack) -> None:
    await attack("open('/tmp/left', 'w').write('x'); open('/workspace/left', 'w').write('x')")
    result = await attack("import os; print(os.path.exists('/tmp/left'), os.path.exists('/workspace/left'))")
    assert result.stdout == b"False False\n"


@pytest.mark.parametrize(
    "code",
    [
        "os.symlink('/etc/passwd', 'out/x')",
        "os.symlink('/proc/self/root/etc', 'out/x')",
        "os.mkfifo('out/x')",
        "os.rmdir('out'); os.symlink('/etc', 'out')",
        "open('out/x', 'wb').write(b'x' * 2000)",
        "[open(f'out/{n}', 'w') for n in range(4)]",
        "os.makedirs('out/a/b/c/d/e/f')",
    ],
    ids=["link", "magic-link", "fifo", "swapped-folder", "too-large", "too-many", "too-deep"],
)
async def test_what_is_no_plain_small_file_does_not_come_out(attack: Attack, code: str) -> None:
    result = await attack(f"import os\n{code}")
    assert all(artifact.size <= 1000 for artifact in result.artifacts)
    assert result.message or result.artifacts == ()
    assert b"root:" not in b"".join(artifact.path.read_bytes() for artifact in result.artifacts)


async def test_names_of_artefacts_are_made_harmless(attack: Attack, tmp_path: Path) -> None:
    code = "import os\nfor name in ('-rf', 'a\\nb\\x1b[31m', '.hidden'): open('out/' + name, 'w').write('x')"
    result = await attack(code)
    names = sorted(artifact.name for artifact in result.artifacts)
    assert len(names) == 3
    for name in names:
        assert name.isprintable()
        assert not name.startswith(("-", "."))
    assert {path.name for path in (tmp_path / "artifacts").iterdir()} == set(names)


async def test_output_is_bytes_and_is_not_interpreted(attack: Attack) -> None:
    result = await attack("import os; os.write(1, bytes(range(256)))")
    assert result.stdout == bytes(range(256))
