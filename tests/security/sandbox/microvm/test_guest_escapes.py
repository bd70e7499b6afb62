"""What code in a guest can reach of the host, and of the guest's own root: nothing."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.microvm_parts import built_image

from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.running.once import run_once
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

ATTACK = r"""
import ctypes, errno, json, os, socket
libc = ctypes.CDLL(None, use_errno=True)

def answer(attempt):
    try:
        value = attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "done" if value in (None, 0) else str(value)

def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")

def port(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.settimeout(2)
        tried.connect(address)

def alive(pid):
    # Also one that we may not see.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()

SCRIPT = {
    "mount": lambda: call(165, b"x", b"/tmp", b"tmpfs", 0, None),
    "remount": lambda: call(165, b"", b"/skill", b"", 32, None),
    "module": lambda: call(313, 0, b"", 0),
    "kexec": lambda: call(246, 0, 0, None, 0),
    "reboot": lambda: call(169, 0xfee1dead, 672274793, 0x01234567, None),
    "user-namespace": lambda: call(272, 0x10000000),
    "bpf": lambda: call(321, 0, None, 0),
    "keyring": lambda: call(248, b"user", b"x", b"y", 1, -3),
    "perf": lambda: call(298, bytes(128), 0, -1, -1, 0),
    "become-root": lambda: os.setuid(0),
    "kill-agent": lambda: os.kill(1, 9),
    "kill-others": lambda: [os.kill(pid, 9) for pid in range(1, 400) if alive(pid)] and None,
    "device": lambda: os.mknod("/tmp/disk", 0o060600, os.makedev(254, 0)),
    "channel": lambda: os.open("/run/agent/channel", os.O_RDWR),
    "agents-folder": lambda: os.listdir("/run/agent"),
    "console": lambda: os.open("/dev/console", os.O_WRONLY),
    "kernel-log": lambda: os.open("/dev/kmsg", os.O_RDONLY),
    "memory": lambda: os.open("/dev/mem", os.O_RDONLY),
    "sysrq": lambda: os.open("/proc/sysrq-trigger", os.O_WRONLY),
    "core-pattern": lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY),
    "write-skill": lambda: open("/skill/x", "w").close(),
    "write-root": lambda: open("/x", "w").close(),
    "write-usr": lambda: open("/usr/bin/x", "w").close(),
    "clock": lambda: __import__("time").clock_settime(0, 0),
    "host-vsock": lambda: port(40, (2, 1024)),
    "internet": lambda: port(socket.AF_INET, ("192.0.2.1", 80)),
    "packets": lambda: socket.socket(17, socket.SOCK_RAW).close(),
}
found = {name: answer(attempt) for name, attempt in SCRIPT.items()}
found["symbols"] = sum(int(line.split()[0], 16) for line in open("/proc/kallsyms"))
print(json.dumps(found))
"""
# A key of its own is no harm; the number is its name.
ALLOWED = {"keyring"}
REFUSALS = {
    *("EPERM", "EACCES", "EROFS", "ENOENT", "ENOSYS", "ENOSPC", "ENODEV", "ENETUNREACH", "EAFNOSUPPORT"),
    *("EHOSTUNREACH", "ESRCH", "EADDRNOTAVAIL"),
}


@pytest.mark.verify
async def test_a_guests_program_gets_no_further_than_its_folders(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("microvm")
    (folder / "image").symlink_to(built_image())
    skill = tmp_path / "skill"
    skill.mkdir()
    (skill / "kept.txt").write_text("the skill's own")
    root = built_image() / "root.erofs"
    before = hashlib.sha256(root.read_bytes()).hexdigest()
    policy = SandboxSettings(start_seconds=120)
    driver = MicroVmDriver(MicroVmSettings(folder=folder, monitor="qemu", boot_seconds=120), policy)
    limits = Limits(timeout_seconds=120)
    spec = SandboxSpec(("python", "-c", ATTACK), skill, sandbox_python(), limits=limits)
    result = await run_once(driver, spec, settings=policy)
    await driver.close()
    assert result.status == "ok", result
    found: dict[str, Any] = json.loads(result.stdout)
    assert found.pop("symbols") == 0
    got_through = {name: got for name, got in found.items() if got not in REFUSALS and name not in ALLOWED}
    assert got_through == {}
    assert (skill / "kept.txt").read_text() == "the skill's own"
    assert hashlib.sha256(root.read_bytes()).hexdigest() == before
