"""The main job as a newcomer meets it: a clean clone, `make run`, a question about a file of one's own.

Run as root and as an ordinary user, each with a home of its own and nothing installed beforehand.
"""

import contextlib
import json
import os
import pwd
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from raptorflow.stack.cluster import trace as postgres_trace
from raptorflow.stack.places import open_place
from raptorflow.stack.process import processes_of as left_by
from raptorflow.stack.valkey import trace as valkey_trace

REPOSITORY = Path(__file__).parents[3]
FIRST_START_SECONDS = 420.0
SECOND_START_SECONDS = 60.0
STOP_SECONDS = 30.0
# PostgreSQL, Valkey, the server and the worker.
LEAST_PROCESSES = 4
POLL_SECONDS = 0.05
SIGN_IN = re.compile(r"http://127\.0\.0\.1:\d+/sign-in\S+")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Newcomer:
    """Somebody with a home and a clone of the repository, and nothing else."""

    name: str
    home: Path
    clone: Path
    port: int

    @property
    def data(self) -> Path:
        """Where everything local of theirs is."""
        return self.home / "rf"

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "UV_", "SSL_"))}
        kept.pop("UV_CACHE_DIR", None)
        return kept | {
            "HOME": str(self.home),
            "USER": self.name,
            "PATH": SYSTEM_PATH,
            "LANG": "C.UTF-8",
            "RAPTORFLOW_DATA__DIR": str(self.data),
            "RAPTORFLOW_PORT": str(self.port),
        }

    def start(self, *command: str, output: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=self.clone,
            env=self.environment(),
            user=self.name,
            group=pwd.getpwnam(self.name).pw_gid,
            extra_groups=[],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def ask(self, question: str, file: Path) -> dict[str, Any]:
        answer = subprocess.run(
            [self.clone / ".venv/bin/raptorflow", "ask", question, "--file", str(file), "--json"],
            cwd=self.home,
            env=self.environment(),
            user=self.name,
            group=pwd.getpwnam(self.name).pw_gid,
            extra_groups=[],
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout.decode() + answer.stderr.decode()
        return json.loads(answer.stdout)


@pytest.fixture(params=["root", "ordinary"])
def newcomer(request: pytest.FixtureRequest) -> Generator[Newcomer]:
    """A user, removed again with everything that was theirs."""
    folder = Path(tempfile.mkdtemp(prefix="rf-", dir=tempfile.gettempdir()))
    made = request.param == "ordinary"
    name = f"rf{uuid.uuid4().hex[:8]}" if made else "root"
    home = folder / "home"
    if made:
        subprocess.run(["useradd", "--no-create-home", "--home-dir", str(home), name], check=True)
    home.mkdir(mode=0o700)
    clone = home / "raptorflow"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(clone)], check=True)
    subprocess.run(["chown", "-R", f"{name}:", str(home)], check=True)
    folder.chmod(0o755)
    try:
        yield Newcomer(name, home, clone, random.SystemRandom().randint(20_000, 40_000))
    finally:
        if made:
            subprocess.run(["userdel", name], check=False)
        elif (home / "rf").exists():
            # Root's servers keep their files outside the home.
            open_place(home / "rf").remove()
        shutil.rmtree(folder, ignore_errors=True)


def made_up_campaigns(path: Path, seed: int) -> str:
    """A CSV nobody has seen before, in which one campaign converts far better; returns its name."""
    chance = random.Random(seed)
    names = [
        f"{chance.choice(['Autumn', 'Brand', 'Video', 'Retail'])} {uuid.uuid4().hex[:4]}" for _ in range(4)
    ]
    best = chance.choice(names)
    rows = ["Campaign;Day;Spend;Clicks;Conversions"]
    for day in range(1, 29):
        for name in names:
            clicks = chance.randint(180, 220)
            rate = 0.12 if name == best else 0.04
            conversions = sum(chance.random() < rate for _ in range(clicks))
            rows.append(f"{name};2026-10-{day:02};{chance.uniform(90, 110):.2f};{clicks};{conversions}")
    path.write_text("\n".join(rows) + "\n")
    return best


def wait_for_output(
    process: subprocess.Popen[bytes], log: Path, pattern: re.Pattern[str], limit: float
) -> str:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        found = pattern.search(log.read_text(errors="replace"))
        if found:
            return found.group(0)
        assert process.poll() is None, f"`make run` ended early:\n{log.read_text(errors='replace')[-4000:]}"
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"not ready in {limit:.0f} s:\n{log.read_text(errors='replace')[-4000:]}")


def processes_of(newcomer: Newcomer) -> list[str]:
    """Command lines of the processes that work in the newcomer's home, or on the data folder in it.

    Root's servers work elsewhere: they are known as the product knows them.
    """
    folder, data = newcomer.home, newcomer.data
    found = [f"{pid} server" for pid in server_processes(data)] if newcomer.name == "root" else []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if str(folder) in command or os.readlink(entry / "cwd").startswith(str(folder)):
                    found.append(f"{entry.name} {command}")
    return found


def server_processes(data: Path) -> list[int]:
    """Root's database and Valkey servers of a data folder."""
    place = open_place(data)
    servers = left_by(postgres_trace(place.servers / "postgres" / "18"))
    return servers + left_by(valkey_trace(place.servers / "valkey", place.sockets / "valkey.sock"))


def run_once(newcomer: Newcomer, limit: float, question_file: Path, log_name: str) -> dict[str, Any]:
    """Start, ask, interrupt as Ctrl-C does, and see that nothing is left behind."""
    log = newcomer.home.parent / log_name
    with log.open("wb") as output:
        process = newcomer.start("make", "run", output=output)
        try:
            link = wait_for_output(process, log, SIGN_IN, limit)
            assert f":{newcomer.port}/" in link
            # Otherwise an empty list at the end would say nothing.
            assert len(processes_of(newcomer)) >= LEAST_PROCESSES
            answer = newcomer.ask("Which campaign should get more budget?", question_file)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=STOP_SECONDS)
    assert processes_of(newcomer) == []
    return answer


@pytest.mark.timeout(900)
def test_make_run_and_the_main_job_in_a_clean_clone(newcomer: Newcomer) -> None:
    csv = newcomer.home / "campaigns.csv"
    best = made_up_campaigns(csv, seed=random.SystemRandom().randint(0, 10**9))
    csv.chmod(0o644)

    first = run_once(newcomer, FIRST_START_SECONDS, csv, "first.log")

    assert best in first["answer"]
    assert first["skill"] == "analytics"
    assert first["sandbox"]["status"] == "ok"
    assert first["sandbox"]["driver"] == "local"
    assert any(artifact["name"].endswith(".png") for artifact in first["artifacts"])
    assert [event["seq"] for event in first["events"]] == list(range(1, len(first["events"]) + 1))

    second = run_once(newcomer, SECOND_START_SECONDS, csv, "second.log")
    assert second["answer"] == first["answer"]
