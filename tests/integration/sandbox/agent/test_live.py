"""A sandbox with its agent: ways out, daemons, Landlock, and an end at whatever step."""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from tests.support.descriptors import open_descriptors, opened_since

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.programs import Program, start
from raptorflow.sandbox.agent.ways import Way
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed
from raptorflow.sandbox.interpreter import Mount
from raptorflow.sandbox.running import live
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.running.live import LiveSandbox
from raptorflow.sandbox.running.live import start as start_sandbox
from raptorflow.sandbox.running.run import Run
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Capabilities

MakeSpec = Callable[..., SandboxSpec]
MIB = 1024 * 1024
PATH = {"PATH": "/usr/bin:/bin"}
REACH = Capabilities(network=frozenset({"files.example:443"}), services={"ads": frozenset({"read"})})
pytestmark = pytest.mark.timeout(120)
# Talks through one of the ways: sends so many bytes, ends its direction, and tells what it got.
TALK = """
import hashlib, os, socket, sys, threading
family, address = (socket.AF_INET, ("127.0.0.1", 3128)) if sys.argv[1] == "http" else (
    socket.AF_UNIX, "/run/raptorflow/services.sock")
with socket.socket(family) as way:
    way.connect(address)
    content = os.urandom(int(sys.argv[2]))
    def send():
        way.sendall(content)
        way.shutdown(socket.SHUT_WR)
    sending = threading.Thread(target=send)
    sending.start()
    got = hashlib.sha256()
    while part := way.recv(65536):
        got.update(part)
    sending.join()
print(hashlib.sha256(content).hexdigest() == got.hexdigest())
"""

# Connects to one of the ways, and reads from it only when it is told to.
READ_LATE = """
import socket, sys
family, address = (socket.AF_INET, ("127.0.0.1", 3128)) if sys.argv[1] == "http" else (
    socket.AF_UNIX, "/run/raptorflow/services.sock")
with socket.socket(family) as way:
    way.connect(address)
    sys.stdin.read()
    print(sum(len(part) for part in iter(lambda: way.recv(65536), b"")))
"""

# What comes through the proxy's way, and how it ends.
RECEIVE = """
import socket
with socket.create_connection(("127.0.0.1", 3128)) as way:
    try:
        while part := way.recv(65536):
            print(part.decode())
        print("end")
    except ConnectionResetError:
        print("reset")
"""


@pytest.fixture(scope="module")
async def driver(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[LocalDriver]:
    made = LocalDriver(SandboxSettings(allow_supervised=True, state_dir=tmp_path_factory.mktemp("state")))
    await made.probe()
    yield made
    await made.close()


@pytest.fixture
async def sandbox(driver: LocalDriver, make_spec: MakeSpec) -> AsyncGenerator[LiveSandbox]:
    live = await start_sandbox(
        driver, blueprint_of(make_spec("", reach=REACH)), f"live-{os.getpid()}", {}, 20
    )
    yield live
    await live.destroy()


async def said(sandbox: LiveSandbox, code: str, *arguments: str) -> tuple[int, bytes]:
    """What Python code said inside, errors included."""
    out = bytearray()
    words = [str(sandbox.blueprint.python), "-I", "-S", "-c", code, *arguments]
    running = await start(sandbox.link, Program(words, PATH), lambda _, part: out.extend(part))
    await running.feed(b"")
    return await running.wait(), bytes(out)


def ignored(_kind: int, _payload: bytes) -> None:
    """Take output and forget it."""


async def echo(_kind: str, way: Way) -> None:
    while chunk := await way.read():
        await way.write(chunk)
    await way.end()


@pytest.mark.parametrize("kind", ["http", "services"])
@pytest.mark.parametrize("size", [0, 1, 4 * MIB])
async def test_what_goes_out_comes_back(sandbox: LiveSandbox, kind: str, size: int) -> None:
    sandbox.link.opened = echo
    assert await said(sandbox, TALK, kind, str(size)) == (0, b"True\n")


@pytest.mark.parametrize("kind", ["http", "services"])
async def test_what_was_sent_before_an_end_arrives_however_late_it_is_read(
    sandbox: LiveSandbox, kind: str
) -> None:
    left = asyncio.Event()

    async def answer(_kind: str, way: Way) -> None:
        await way.write(bytes(wire.CREDIT_BYTES))
        await way.end()
        asyncio.get_running_loop().call_soon(left.set)

    sandbox.link.opened = answer
    out = bytearray()
    words = [str(sandbox.blueprint.python), "-I", "-S", "-c", READ_LATE, kind]
    running = await start(sandbox.link, Program(words, PATH), lambda _, part: out.extend(part))
    await left.wait()
    # With the answer to this, the agent has heard that the host has closed it.
    await sandbox.link.ping()
    await running.feed(b"")
    assert (await running.wait(), bytes(out)) == (0, b"%d\n" % wire.CREDIT_BYTES)


async def test_many_ways_are_open_at_once(sandbox: LiveSandbox) -> None:
    sandbox.link.opened = echo
    answers = await asyncio.gather(*(said(sandbox, TALK, "http", "300000") for _ in range(10)))
    assert answers == [(0, b"True\n")] * 10


async def test_nobody_is_let_out_before_there_is_somebody_to_ask(sandbox: LiveSandbox) -> None:
    assert await said(sandbox, RECEIVE) == (0, b"reset\n")


async def test_who_does_not_read_is_not_sent_more_than_was_granted(sandbox: LiveSandbox) -> None:
    sent = 0

    async def pour(_kind: str, way: Way) -> None:
        nonlocal sent
        while True:
            await way.write(bytes(wire.MAX_PAYLOAD))
            sent += wire.MAX_PAYLOAD

    sandbox.link.opened = pour
    code = "import socket, time; s = socket.create_connection(('127.0.0.1', 3128)); time.sleep(1)"
    assert (await said(sandbox, code))[0] == 0
    # What both socket buffers inside take, and what is granted.
    assert 0 < sent < 16 * MIB


async def test_a_way_that_breaks_off_does_not_look_whole_inside(sandbox: LiveSandbox) -> None:
    async def leave(_kind: str, way: Way) -> None:
        await way.write(b"half")

    sandbox.link.opened = leave
    assert (await said(sandbox, RECEIVE))[1] in {b"half\nreset\n", b"reset\n"}


async def test_a_way_that_the_host_ends_ends_inside(sandbox: LiveSandbox) -> None:
    async def leave(_kind: str, way: Way) -> None:
        await way.write(b"whole")
        await way.end()

    sandbox.link.opened = leave
    assert await said(sandbox, RECEIVE) == (0, b"whole\nend\n")


async def test_a_way_that_the_program_breaks_is_told_to_the_host(sandbox: LiveSandbox) -> None:
    broken = asyncio.Event()

    async def pour(_kind: str, way: Way) -> None:
        try:
            while True:
                await way.write(bytes(wire.MAX_PAYLOAD))
        except ConnectionError:
            broken.set()

    sandbox.link.opened = pour
    code = "import socket; s = socket.create_connection(('127.0.0.1', 3128)); s.recv(9); s.close()"
    assert (await said(sandbox, code))[0] == 0
    await asyncio.wait_for(broken.wait(), 20)


async def test_a_daemon_that_writes_for_ever_does_not_hold_its_program(sandbox: LiveSandbox) -> None:
    other = await start(sandbox.link, Program(["cat"], PATH), ignored)
    code = (
        "import os\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0:\n"
        "  while True: os.write(1, b'x' * 65536)\nos._exit(7)"
    )
    async with asyncio.timeout(30):
        assert (await said(sandbox, code))[0] == 7
        await other.feed(b"")
        assert await other.wait() == 0
        # With the last program everything has ended.
        _, out = await said(sandbox, "import os; print(len([p for p in os.listdir('/proc') if p.isdigit()]))")
    assert int(out) <= 3


async def test_landlock_keeps_programs_from_the_agent(sandbox: LiveSandbox) -> None:
    code = "import os\ntry: os.kill(os.getppid(), 0); print(0)\nexcept OSError as error: print(error.errno)"
    _, out = await said(sandbox, code)
    assert int(out) == (errno.EPERM if sandbox.link.landlock >= 6 else 0)


async def test_a_run_can_be_cancelled_at_each_step(driver: LocalDriver, make_spec: MakeSpec) -> None:
    spec = make_spec(
        "import sys; sys.stdin.read(); open('out/x', 'w').write('x' * 99999)", stdin=bytes(99_999)
    )

    async def once() -> None:
        live = await start_sandbox(driver, blueprint_of(spec), f"step-{os.getpid()}", {}, 20)
        try:
            await Run(spec, SandboxSettings(), Stopwatch()).through(live)
        finally:
            await live.destroy()

    await once()
    before = open_descriptors()
    for step in range(1, 200, 4):
        running = asyncio.create_task(once())
        for _ in range(step):
            await asyncio.sleep(0)
        running.cancel()
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled() or running.exception() is None
        assert await driver.list() == []
    assert not opened_since(before)


async def test_destroyed_while_it_runs_is_an_error_with_a_type(
    driver: LocalDriver, make_spec: MakeSpec
) -> None:
    spec = make_spec("import time; time.sleep(60)")
    live = await start_sandbox(driver, blueprint_of(spec), f"gone-{os.getpid()}", {}, 20)
    running = asyncio.create_task(Run(spec, SandboxSettings(), Stopwatch()).through(live))
    await live.link.ping()
    await live.destroy()
    with pytest.raises(SandboxGone):
        await running
    with pytest.raises(SandboxGone):
        await Run(spec, SandboxSettings(), Stopwatch()).through(live)
    await live.destroy()


def peak_kib() -> int:
    """The most memory this process held since that was forgotten."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def fresh_peak_kib() -> int:
    """The most memory from now on is counted anew; what it is now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_kib()


async def flood(sandbox: LiveSandbox, count: int) -> int:
    """Have so many pieces of 64 KiB printed; how many bytes came."""
    came = 0

    def take(_kind: int, part: bytes) -> None:
        nonlocal came
        came += len(part)

    code = f"import os\npart = bytes(65536)\nfor _ in range({count}): os.write(1, part)"
    words = [str(sandbox.blueprint.python), "-I", "-S", "-c", code]
    running = await start(sandbox.link, Program(words, PATH), take)
    assert await running.wait() == 0
    return came


@pytest.mark.verify
@pytest.mark.timeout(600)
async def test_ten_gigabytes_of_output_leave_the_hosts_memory_alone(sandbox: LiveSandbox) -> None:
    await flood(sandbox, 1000)
    before = fresh_peak_kib()
    assert await flood(sandbox, 163_840) == 163_840 * 65536
    assert peak_kib() - before <= 8 * 1024


def shares_of(name: str) -> list[int]:
    """What the kernel gives a sandbox's groups of busy processors."""
    found = [Path(folder, name) for folder, names, _ in os.walk("/sys/fs/cgroup") if name in names]
    files = [group / file for group in found for file in ("cpu.shares", "cpu.weight")]
    return [int(file.read_text()) for file in files if file.exists()]


async def test_what_is_made_ahead_gives_way_until_it_is_claimed(
    driver: LocalDriver, make_spec: MakeSpec
) -> None:
    name = f"ahead-{os.getpid()}"
    live = await start_sandbox(driver, blueprint_of(make_spec("")), name, {}, 20, ahead=True)
    before = shares_of(name)
    await live.claim()
    after = shares_of(name)
    await live.destroy()
    # An ordinary user may have no group; root has one on every machine that has the controllers.
    report = await driver.probe()
    assert bool(after) == (report.guarantees["memory"].holder == "kernel")
    assert all(waiting * 9 < used for waiting, used in zip(before, after, strict=True))
    with pytest.raises(SandboxGone):
        await live.claim()


async def test_a_failure_to_make_one_leaves_the_others_alone(
    driver: LocalDriver, sandbox: LiveSandbox, make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the host has no descriptors left: sandboxes of others must not pay for it."""

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    blueprint = blueprint_of(make_spec(""))
    with monkeypatch.context() as broken:
        broken.setattr("raptorflow.sandbox.drivers.local.driver.memory_file", full)
        with pytest.raises(SandboxStartFailed):
            await driver.create(blueprint, f"full-{os.getpid()}", {})
    other = await start_sandbox(driver, blueprint, f"after-{os.getpid()}", {}, 20)
    await other.destroy()
    await sandbox.link.ping()


CHAINS = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        end = time.time() + 20
        while time.time() < end:
            if os.fork():
                os._exit(0)
        os._exit(0)
print("up", flush=True)
time.sleep(20)
"""


async def test_what_never_stands_still_is_paused(driver: LocalDriver, sandbox: LiveSandbox) -> None:
    spoke = asyncio.Event()

    def heard(*_: object) -> None:
        spoke.set()

    program = Program([str(sandbox.blueprint.python), "-c", CHAINS], PATH)
    await start(sandbox.link, program, heard)
    await asyncio.wait_for(spoke.wait(), 20)
    for _ in range(5):
        await driver.pause(sandbox.handle)
        before = (await sandbox.usage()).cpu_ms
        for _ in range(300):
            assert (await sandbox.usage()).cpu_ms == before
        await driver.resume(sandbox.handle)
    await sandbox.link.ping()


async def test_files_that_a_sandbox_does_not_take_in_time_end_its_start(
    driver: LocalDriver, make_spec: MakeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a sandbox on another machine, whose files are put in over the channel."""
    with (tmp_path / "large").open("wb") as large:
        large.truncate(1024 * MIB)
    monkeypatch.setattr(live, "PUT_SECONDS", 0.001)
    mounts = [Mount(tmp_path, Path("/workspace/put"))]
    monkeypatch.setattr(driver, "to_put", Mock(return_value=mounts), raising=False)
    with pytest.raises(SandboxStartFailed, match=r"did not take the skill's files in 0\.001 s"):
        await start_sandbox(driver, blueprint_of(make_spec("")), "slow", {}, 20)
    assert await driver.list() == []
