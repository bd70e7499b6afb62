"""A secret is used by a program inside, and is found nowhere but with the broker and the host it is bound to.

Looked for from outside, in every process of the sandbox (of a machine: in all of its memory), in every file
inside, in variables and arguments, in the audit log, in what the program logs, and in the result. What the
program was given instead, a handle, is found by the same search.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.memory import forms, in_files, in_process
from tests.support.outside import HOST, ok, read_request
from tests.support.subjects import MICROVM, Subject

from raptorflow.sandbox.drivers.local.processes import descendants
from raptorflow.sandbox.result import SandboxResult
from raptorflow.skills.capabilities import Capabilities

NAME = "EXAMPLE_KEY"
# A handle is `rfsec_` and 40 digits; the program spells it out where it can be found.
USE = """
import os, sys, traceback, urllib.request
handle, there = os.environ["EXAMPLE_KEY"], sys.argv[1]

def ask(path):
    request = urllib.request.Request(there + path, headers={"Authorization": "Bearer " + handle})
    try:
        answer = urllib.request.urlopen(request, timeout=60)
        return answer.read().decode() + str(answer.headers)
    except Exception:
        return traceback.format_exc()

kept = [ask("/echo"), ask("/break")]
open("/workspace/out/kept.txt", "w").write(handle + repr(kept))
kept.append(ask("/hold"))
print(kept, handle)
raise RuntimeError(f"{kept} {dict(os.environ)}")
"""
PLACES = ("workspace", "tmp", "run", "dev/shm", "skill", "opt", "etc", "var", "home", "root")


@dataclass
class Bank:
    """The host that the secret is for: repeats it, breaks off, and lets the program wait."""

    value: str
    heard: bytearray = field(default_factory=bytearray)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await read_request(reader)
            self.heard += request
            if b"/break" in request:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + request)
            elif b"/hold" in request:
                self.reached.set()
                await self.go_on.wait()
                writer.write(ok(b"held"))
            else:
                writer.write(ok(request, b"X-Yours: %s\r\n" % self.value.encode()))
            await writer.drain()
        finally:
            writer.close()


@dataclass
class Scene:
    """A program that holds still after it has used the secret."""

    subject: Subject
    bank: Bank
    running: asyncio.Task[SandboxResult]
    inhabitants: list[int]


@pytest.fixture
async def scene(subject: Subject, tmp_path: Path) -> AsyncGenerator[Scene]:
    bank = Bank(f"canary-{secrets.token_hex(16)}")
    subject.world.vault.values[NAME] = bank.value
    port = await subject.world.serve(bank.serve, tls=HOST)
    there = f"{HOST}:{port}"
    reach = Capabilities(network=frozenset({there}), secrets={NAME: there})
    await subject.manager.check()
    before = set(descendants(os.getpid()))
    spec = subject.spec(
        "", tmp_path, command=("python", "-c", USE, f"https://{there}"), reach=reach, tenant="acme"
    )
    running = asyncio.create_task(subject.manager.run(spec))
    arrived = asyncio.create_task(bank.reached.wait())
    await asyncio.wait({running, arrived}, return_when=asyncio.FIRST_COMPLETED)
    assert bank.reached.is_set(), running.result()
    inside = set(descendants(os.getpid())) - before | subject.guests()
    yield Scene(subject, bank, running, sorted(inside))
    bank.go_on.set()
    await running
    arrived.cancel()


async def test_a_secret_is_found_nowhere(logged: Callable[[], str], scene: Scene, tmp_path: Path) -> None:
    needles = forms(scene.bank.value)
    assert scene.bank.heard.count(needles["raw"]) == 3, "the host was given it each time"
    pattern = {"handle": b"rfsec_", **needles}

    hits = {pid: in_process(pid, pattern) for pid in scene.inhabitants}
    assert "handle" in set().union(*hits.values()), "what is there is found in memory"
    assert {pid: found - {"handle"} for pid, found in hits.items() if found - {"handle"}} == {}

    is_machine = scene.subject.name == MICROVM
    places = [tmp_path / "microvm"] if is_machine else inside_of(scene.inhabitants)
    seen = in_files(places, pattern)
    if not is_machine:
        assert any("kept.txt" in path for path in seen), "what is there is found in files"
    assert {path: found for path, found in seen.items() if found != {"handle"}} == {}

    scene.bank.go_on.set()
    result = await scene.running
    assert (result.status, result.exit_code) == ("error", 1), result
    assert "rfsec_" in repr(result)
    outputs = {
        "result": repr(result),
        "log": logged(),
        "decisions": repr(scene.subject.world.decisions),
    }
    assert "sandbox run" in outputs["log"]
    for name, text in outputs.items():
        assert not [form for form, needle in needles.items() if needle in text.encode()], name
    await scene.subject.audit.close()
    kept = in_files(
        [tmp_path / "host", tmp_path / "artifacts", tmp_path / "skill"], {**pattern, "audit": b"acme"}
    )
    assert any(found == {"audit"} for found in kept.values()), "the audit log was written"
    assert any("kept.txt" in path for path in kept), "so were artefacts"
    assert {path: found for path, found in kept.items() if found - {"handle", "audit"}} == {}


def inside_of(pids: list[int]) -> list[Path]:
    """Where files are as those processes see them; once for each of their mount namespaces, and not ours."""
    spaces = {os.stat(f"/proc/{pid}/ns/mnt").st_ino: pid for pid in pids}
    spaces.pop(os.stat("/proc/self/ns/mnt").st_ino, None)
    assert spaces
    return [Path(f"/proc/{pid}/root/{name}") for pid in spaces.values() for name in PLACES]
