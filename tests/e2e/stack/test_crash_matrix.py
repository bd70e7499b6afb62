"""kill -9 of the worker, the server or everything, at random moments of publishes and turns.

What was acknowledged is never lost and never doubled: every publish that got its receipt is published once,
every message that got its run has one answer, and a run's events are numbered without a gap.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from raptorflow.skills.archive import pack_files
from raptorflow.stack.places import open_place

READY_SECONDS = 90.0
SETTLE_SECONDS = 90.0
POLL_SECONDS = 0.05
LONGEST_DELAY = 0.5
ONCE = ("RUN_STARTED", "TEXT_MESSAGE_END", "RUN_FINISHED")
ACTION = "analytics__compare"
SHORT_LEASES = {
    "RAPTORFLOW_ORCHESTRATOR__LEASE_SECONDS": "2",
    "RAPTORFLOW_ORCHESTRATOR__HEARTBEAT_SECONDS": "0.5",
    "RAPTORFLOW_ORCHESTRATOR__MAX_ATTEMPTS": "100",
    "RAPTORFLOW_ENGINE__LEASE_SECONDS": "2",
    "RAPTORFLOW_ENGINE__HEARTBEAT_SECONDS": "0.5",
}
CSV = b"campaign,spend,conversions\n" + b"".join(
    b"A,10,%d\nB,10,%d\n" % (n % 3, 9 + n % 3) for n in range(20)
)


@dataclass
class House:
    """A running RaptorFlow that can be hurt."""

    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    started: int = 0

    def start(self) -> None:
        self.started += 1
        log = self.data.parent / f"run-{self.started}.log"
        environment = {**os.environ, **SHORT_LEASES, "XDG_CONFIG_HOME": str(self.data.parent)}
        command = [sys.executable, "-m", "raptorflow.cli.main", "run", "--data", str(self.data)]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(lambda: "sign-in" in log.read_text(errors="replace"), READY_SECONDS, log)

    def kill(self, target: str) -> None:
        marks = {"worker": "raptorflow.worker", "server": "raptorflow.app:create_app"}
        assert self.process
        if target == "everything":
            for pid in (self.process.pid, *descendants(self.process.pid)):
                send(pid, signal.SIGKILL)
            self.process.wait()
            self.start()
            return
        for pid in descendants(self.process.pid):
            if marks[target] in command_line(pid):
                send(pid, signal.SIGKILL)

    def stop(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=READY_SECONDS)

    def request(self, method: str, path: str, **options: Any) -> Any:
        """Ask until an answer comes: the server may be dying, dead or starting."""
        connection = json.loads((self.data.parent / "raptorflow/connection.json").read_text())
        headers = {"Authorization": f"Bearer {connection['token']}", **options.pop("headers", {})}
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                url = f"http://127.0.0.1:{self.port}/api/v1{path}"
                response = httpx.request(method, url, headers=headers, timeout=10.0, **options)
                if response.status_code < 500:
                    assert response.is_success, response.text
                    return response.json()
            except httpx.HTTPError:
                # Dying, dead or starting: asked again below.
                response = None
            assert time.monotonic() < deadline, response
            time.sleep(POLL_SECONDS)


@dataclass
class Promises:
    """What the server has acknowledged."""

    publishes: dict[str, str] = field(default_factory=dict[str, str])
    runs: dict[str, str] = field(default_factory=dict[str, str])


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[House]:
    data = tmp_path_factory.mktemp("crash") / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    house = House(data, port)
    house.start()
    yield house
    house.stop()
    open_place(data).remove()


def until(true: Callable[[], bool], seconds: float, log: Path | None = None) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, log.read_text(errors="replace") if log else "it took too long"
        time.sleep(POLL_SECONDS)


def send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def descendants(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in (child, *descendants(child))]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def publish(house: House, number: int, promises: Promises) -> None:
    text = f"---\nname: made-{number}\ndescription: Made up.\n---\nNumber {number}.\n"
    archive = pack_files(f"made-{number}", {"SKILL.md": text.encode()}, ())
    key = {"Idempotency-Key": f"publish-{number}"}
    receipt = house.request("POST", "/registry/publishes", content=archive, headers=key)
    promises.publishes[f"made-{number}"] = receipt["publish_id"]


def ask(house: House, number: int, promises: Promises) -> None:
    file = house.request("POST", "/orchestrator/files?name=c.csv", content=CSV)
    session = house.request("POST", "/orchestrator/sessions", json={})
    message = {
        "text": "Which campaign should get more budget?",
        "files": [file["id"]],
        "idempotency_key": f"message-{number}",
    }
    run = house.request("POST", f"/orchestrator/sessions/{session['id']}/messages", json=message)
    promises.runs[run["id"]] = session["id"]


def check_publishes(house: House, promises: Promises) -> None:
    for name, publish_id in promises.publishes.items():

        def is_published(publish_id: str = publish_id) -> bool:
            receipt = house.request("GET", f"/registry/publishes/{publish_id}")
            assert receipt["status"] != "failed", receipt
            return receipt["status"] == "published"

        until(is_published, SETTLE_SECONDS)
        listed = [
            item
            for item in house.request("GET", "/registry/skills?limit=200")["items"]
            if item["name"] == name
        ]
        assert len(listed) == 1
        assert len(house.request("GET", f"/registry/skills/{listed[0]['ref']}/versions")["versions"]) == 1


def check_runs(house: House, promises: Promises) -> None:
    for run_id, session_id in promises.runs.items():

        def is_over(run_id: str = run_id) -> bool:
            run = house.request("GET", f"/orchestrator/runs/{run_id}")
            assert run["status"] not in {"failed", "cancelled"}, run
            return run["status"] == "succeeded"

        until(is_over, SETTLE_SECONDS)
        session = house.request("GET", f"/orchestrator/sessions/{session_id}")
        assert [message["role"] for message in session["messages"]].count("user") == 1
        assert [bool(message.get("content")) for message in session["messages"]][-1]
        check_events([event for event in events_of(house, run_id) if "seq" in event])


def check_events(events: list[dict[str, Any]]) -> None:
    """One run, told once: one beginning, one end, one answer, and the skill's action finished once."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    kinds = Counter(event["type"] for event in events)
    assert {kind: kinds[kind] for kind in ONCE} == dict.fromkeys(ONCE, 1), kinds
    assert kinds["RUN_ERROR"] == 0
    finished = [event for event in events if event["type"] == "STEP_FINISHED"]
    steps = Counter(event["stepName"] for event in finished)
    assert set(steps.values()) == {1}, steps
    assert [event["status"] for event in finished if event["name"] == ACTION] == ["ok"]


def events_of(house: House, run_id: str) -> list[dict[str, Any]]:
    connection = json.loads((house.data.parent / "raptorflow/connection.json").read_text())
    url = f"http://127.0.0.1:{house.port}/api/v1/orchestrator/runs/{run_id}/events"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {connection['token']}"}, timeout=30.0)
    return [json.loads(line[5:]) for line in answer.text.splitlines() if line.startswith("data:")]


def torment(house: House, rounds: int, chance: random.Random) -> None:
    promises = Promises()
    for number in range(rounds):
        chance.choice([publish, ask])(house, number, promises)
        time.sleep(chance.uniform(0, LONGEST_DELAY))
        house.kill(chance.choice(["worker", "server", "everything"]))
    check_publishes(house, promises)
    check_runs(house, promises)
    assert len(promises.publishes) + len(promises.runs) == rounds


def test_what_was_acknowledged_survives_a_few_kills(house: House) -> None:
    torment(house, rounds=5, chance=random.Random(3))


@pytest.mark.verify
@pytest.mark.timeout(1500)
def test_what_was_acknowledged_survives_fifty_kills(house: House) -> None:
    torment(house, rounds=50, chance=random.Random(50))
