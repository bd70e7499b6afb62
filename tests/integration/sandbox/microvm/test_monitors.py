"""What a guest that has taken over its monitor finds on the host: nothing to speak to."""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from raptorflow.sandbox.drivers.microvm.cells import PREFIX
from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.microvm.namespaces import apart, apart_lack
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

MakeSpec = Callable[..., SandboxSpec]
NOBODY = 65534
SETTLE_SECONDS = 60.0
POLL_SECONDS = 0.02
LOOK = "id -u; grep CapEff: /proc/self/status; cut -s -d: -f1 /proc/net/dev; grep -c @ /proc/net/unix"


def emulator() -> int | None:
    """QEMU's process, once it is QEMU."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"qemu-system" in words[0] and f"{PREFIX}apart".encode() in words:
            return int(entry.parent.name)
    return None


async def until_emulating() -> int:
    deadline = time.monotonic() + SETTLE_SECONDS
    while (pid := emulator()) is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)
    return pid


def interfaces_of(pid: int) -> list[str]:
    lines = Path(f"/proc/{pid}/net/dev").read_text().splitlines()
    return [line.split(":")[0].strip() for line in lines if ":" in line]


def abstract_sockets_of(pid: int) -> int:
    return Path(f"/proc/{pid}/net/unix").read_text().count("@")


async def test_qemu_stands_in_a_network_with_nothing_in_it(parts: Path, make_spec: MakeSpec) -> None:
    driver = MicroVmDriver(MicroVmSettings(folder=parts, monitor="qemu"), SandboxSettings())
    starting = asyncio.create_task(driver.create(blueprint_of(make_spec("")), "apart", {}))
    pid = await until_emulating()
    assert interfaces_of(pid) == ["lo"]
    assert abstract_sockets_of(pid) == 0
    for kind in ("net", "ipc"):
        assert os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await driver.close()


def test_an_ordinary_users_monitor_stands_there_too_as_that_user_and_without_capabilities() -> None:
    who = NOBODY if os.geteuid() == 0 else None
    command = [*apart(root=False), "sh", "-c", LOOK]
    done = subprocess.run(command, user=who, capture_output=True, text=True, check=False, cwd="/")
    user, capabilities, *rest = done.stdout.splitlines()
    assert (int(user), capabilities.split()[1]) == (who or os.geteuid(), "0" * 16)
    assert [line.strip() for line in rest] == ["lo", "0"]


def test_where_no_namespace_can_be_made_that_is_told_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "unshare"
    program.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    program.chmod(0o755)
    assert apart_lack() is None
    monkeypatch.setenv("PATH", str(tmp_path))
    lack = apart_lack()
    assert lack
    assert "kept out of this machine's network: unshare failed: Operation not permitted" in lack.problem
    assert lack.remedy
    monkeypatch.setenv("PATH", "/none")
    missing = apart_lack()
    assert missing
    assert missing.remedy == "apt-get install util-linux"
