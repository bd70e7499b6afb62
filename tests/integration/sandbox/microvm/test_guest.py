"""A whole run in a guest under QEMU, and what its limits do."""

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from raptorflow.sandbox.result import SandboxResult
from raptorflow.skills.capabilities import MIB

RunCode = Callable[..., Coroutine[Any, Any, SandboxResult]]
Kept = Callable[[], list[str]]
LOOK = """
import json, os, platform, sys
os.makedirs("out", exist_ok=True)
open("out/made.txt", "w").write(open("/workspace/in/given.txt").read().upper())
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print(json.dumps({
    "kernel": platform.release(),
    "host": platform.node(),
    "user": [os.getuid(), os.getgid(), os.getgroups()],
    "skill": open("/skill/deep/file.txt").read(),
    "many": len(os.listdir("/skill/many")),
    "link": os.readlink("/skill/link"),
    "runs": os.access("/skill/tool", os.X_OK),
    "input": sys.stdin.read(),
    "root": sorted(os.listdir("/")),
    "devices": sorted(os.listdir("/dev")),
    "interfaces": [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line],
    "processes": [name for name in os.listdir("/proc") if name.isdigit()],
    "capabilities": [status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd")],
    "sealed": status["NoNewPrivs"].strip(),
    "disk": os.statvfs("/workspace").f_blocks * os.statvfs("/workspace").f_frsize,
    "mounts": [words[3] for words in map(str.split, open("/proc/mounts")) if words[1] in ("/", "/skill")],
}))
"""


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    folder = tmp_path / "skill"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file.txt").write_text("from the skill")
    (folder / "many").mkdir()
    for number in range(400):
        (folder / "many" / f"{number}-{'n' * 40}").touch()
    (folder / "link").symlink_to("deep/file.txt")
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o700)
    return folder


async def test_a_run_sees_its_skill_its_files_and_nothing_else(
    run_code: RunCode, skill: Path, tmp_path: Path, kept: Kept
) -> None:
    given = tmp_path / "given.txt"
    given.write_text("given")
    result = await run_code(
        LOOK, inputs={"given.txt": given}, stdin=b"on stdin", limits={"disk_bytes": 16 * MIB}
    )
    assert (result.status, result.exit_code) == ("ok", 0), result
    seen = json.loads(result.stdout)
    assert "cloud-amd64" in seen["kernel"]
    assert seen["host"] == "sandbox"
    assert seen["user"] == [65534, 65534, []]
    assert (seen["skill"], seen["many"], seen["link"], seen["runs"]) == (
        "from the skill",
        400,
        "deep/file.txt",
        True,
    )
    assert seen["input"] == "on stdin"
    assert set(seen["root"]) == {
        *(
            "bin",
            "dev",
            "etc",
            "lib",
            "lib64",
            "opt",
            "proc",
            "run",
            "sbin",
            "skill",
            "tmp",
            "usr",
            "workspace",
        )
    }
    assert set(seen["devices"]) == {
        *("fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero")
    }
    assert seen["interfaces"] == ["lo"]
    assert len(seen["processes"]) == 1
    assert (seen["capabilities"], seen["sealed"]) == (["0" * 16] * 3, "1")
    # Room for its own files, and a power of two for its inputs.
    assert seen["disk"] == 17 * MIB
    assert all("ro" in options.split(",") for options in seen["mounts"])
    assert [(a.name, a.path.read_text()) for a in result.artifacts] == [("made.txt", "GIVEN")]
    assert result.cpu_ms
    assert result.peak_memory_bytes
    assert kept() == []


@pytest.mark.verify
async def test_too_much_memory_is_told_as_such(run_code: RunCode) -> None:
    code = "kept = []\nwhile True: kept.append(b'x' * 1048576)"
    assert (await run_code(code, limits={"memory_bytes": 64 * MIB})).status == "oom"


@pytest.mark.verify
async def test_a_fork_bomb_stops_at_its_limit(run_code: RunCode) -> None:
    code = "import os, time\nfor _ in range(100):\n if os.fork() == 0: time.sleep(60)"
    assert (await run_code(code, limits={"pids": 16})).status == "pids"


@pytest.mark.verify
async def test_a_full_workspace_is_told_as_such(run_code: RunCode) -> None:
    code = "open('big', 'wb').write(bytes(32 * 1024 * 1024))"
    assert (await run_code(code, limits={"disk_bytes": 8 * MIB})).status == "disk_full"


@pytest.mark.verify
async def test_a_run_ends_with_its_time(run_code: RunCode, kept: Kept) -> None:
    result = await run_code("import time; time.sleep(600)", limits={"timeout_seconds": 2})
    assert result.status == "timeout"
    assert kept() == []


@pytest.mark.verify
async def test_a_flood_of_output_is_cut(run_code: RunCode) -> None:
    code = "import os\nwhile True: os.write(1, bytes(65536))"
    result = await run_code(code, limits={"output_bytes": 1 * MIB})
    assert result.status == "output_limit"
    assert len(result.stdout) <= MIB


@pytest.mark.verify
@pytest.mark.parametrize(("code", "expected"), [("raise SystemExit(3)", 3), ("import os; os.abort()", None)])
async def test_an_exit_is_told_as_it_was(run_code: RunCode, code: str, expected: int | None) -> None:
    result = await run_code(code)
    assert result.exit_code == expected
    assert result.signal == (None if expected else "SIGABRT")
