"""From its making to its end, whenever that comes: one sandbox, one use, and nothing left."""

import asyncio
from pathlib import Path

import pytest
from tests.integration.sandbox.contract.conftest import Take
from tests.integration.sandbox.contract.expected import EXPECTED
from tests.support.subjects import Subject

from raptorflow.sandbox.agent import files, programs
from raptorflow.sandbox.agent.programs import Running
from raptorflow.sandbox.driver import CanPause, CanSnapshot, Handle, Usage
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed
from raptorflow.sandbox.running.commands import program_of
from raptorflow.sandbox.running.live import LiveSandbox, new_sandbox_id

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
# Turns of the event loop after which a run is given up, from before its first step to long after it is up.
TURNS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 512, 2048)


class Started:
    """A program inside, and what it said."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.spoke = asyncio.Event()

    def take(self, _kind: int, chunk: bytes) -> None:
        self.said += chunk
        self.spoke.set()


async def begin(subject: Subject, sandbox: LiveSandbox, code: str, folder: Path) -> tuple[Running, Started]:
    spec = subject.spec(code, folder, python=sandbox.blueprint.python)
    heard = Started()
    running = await programs.start(sandbox.link, program_of(spec, subject.settings), heard.take)
    await running.feed(b"")
    return running, heard


async def test_one_after_the_other_programs_run_in_a_live_sandbox(
    subject: Subject, take: Take, tmp_path: Path
) -> None:
    sandbox = await take()
    await files.put(sandbox.link, "/workspace/in/given", [b"20 ", b"22"])
    code = "open('/workspace/out/sum', 'w').write(str(sum(map(int, open('in/given').read().split()))))"
    running, _ = await begin(subject, sandbox, code, tmp_path)
    assert await running.wait() == 0
    running, heard = await begin(subject, sandbox, "print(open('out/sum').read())", tmp_path)
    assert (await running.wait(), bytes(heard.said)) == (0, b"42\n")
    parts = [part async for part in files.get(sandbox.link, "/workspace/out/sum", 100)]
    assert b"".join(parts) == b"42"


async def test_what_exists_is_listed_and_measured(subject: Subject, take: Take, tmp_path: Path) -> None:
    one, other = await take(), await take()
    assert set(await subject.driver.list()) == {one.handle, other.handle}
    running, heard = await begin(subject, one, f"kept = b'x' * 30_000_000\n{SLEEP}", tmp_path)
    await heard.spoke.wait()
    usage = await one.usage()
    assert usage.exact == EXPECTED[subject.name].exact
    if EXPECTED[subject.name].counts:
        assert (usage.peak_memory_bytes or 0) > 30_000_000
        assert (usage.cpu_ms or 0) > 0
    assert (usage.out_of_memory, usage.tasks_refused, usage.over) == (0, 0, None)
    await other.destroy()
    assert await subject.driver.list() == [one.handle]
    await one.destroy()
    with pytest.raises(SandboxGone):
        await running.wait()


async def test_two_at_once_do_not_meet(subject: Subject, take: Take, tmp_path: Path) -> None:
    one, other = await take(), await take()
    hide = "open('/workspace/x', 'w').write('x'); open('/tmp/x', 'w').write('x')"
    running, _ = await begin(subject, one, hide, tmp_path)
    assert await running.wait() == 0
    look = "import os; print(sorted(os.listdir('/workspace')), os.listdir('/tmp'))"
    running, heard = await begin(subject, other, look, tmp_path)
    assert await running.wait() == 0
    assert bytes(heard.said) == b"['in', 'out'] []\n"


async def test_a_paused_sandbox_stands_still_and_goes_on(
    subject: Subject, take: Take, tmp_path: Path
) -> None:
    driver = subject.driver
    assert isinstance(driver, CanPause) == EXPECTED[subject.name].pauses
    assert isinstance(driver, CanSnapshot) == EXPECTED[subject.name].snapshots
    if not isinstance(driver, CanPause):
        return
    sandbox = await take()
    running, heard = await begin(subject, sandbox, "while True: print('x', flush=True)", tmp_path)
    await heard.spoke.wait()
    await driver.pause(sandbox.handle)
    spent = (await sandbox.usage()).cpu_ms
    pinged = asyncio.create_task(sandbox.link.ping())
    assert (await sandbox.usage()).cpu_ms == spent
    assert not pinged.done()
    await driver.resume(sandbox.handle)
    # Who cannot know whether it did may ask again.
    await driver.resume(sandbox.handle)
    await pinged
    heard.spoke.clear()
    await heard.spoke.wait()
    await sandbox.destroy()
    with pytest.raises(SandboxGone):
        await running.wait()


async def test_a_paused_sandbox_can_be_destroyed(subject: Subject, take: Take) -> None:
    sandbox = await take()
    if isinstance(subject.driver, CanPause):
        await subject.driver.pause(sandbox.handle)
    await sandbox.destroy()
    assert await subject.left() == []


async def test_destroying_again_or_what_never_was_does_nothing(subject: Subject, take: Take) -> None:
    sandbox = await take()
    await asyncio.gather(sandbox.destroy(), sandbox.destroy())
    await sandbox.destroy()
    await subject.driver.destroy(Handle(subject.name, "never-was"))
    assert await subject.left() == []


async def test_destroying_it_ends_what_runs_in_it(subject: Subject, take: Take, tmp_path: Path) -> None:
    sandbox = await take()
    running, heard = await begin(subject, sandbox, SLEEP, tmp_path)
    await heard.spoke.wait()
    waiting = asyncio.create_task(running.wait())
    await sandbox.destroy()
    with pytest.raises(SandboxGone):
        await waiting
    assert await subject.left() == []


async def test_nothing_can_be_done_with_what_was_destroyed(
    subject: Subject, take: Take, tmp_path: Path
) -> None:
    sandbox = await take()
    await sandbox.destroy()
    with pytest.raises(SandboxGone) as refused:
        await begin(subject, sandbox, "", tmp_path)
    assert refused.value.hint
    with pytest.raises(SandboxGone):
        await files.put(sandbox.link, "/workspace/x", [b""])
    with pytest.raises(SandboxGone):
        await sandbox.link.ping()
    with pytest.raises(SandboxGone):
        await subject.driver.channel(sandbox.handle)


async def test_a_sandbox_ends_when_its_channel_does(subject: Subject, take: Take, tmp_path: Path) -> None:
    sandbox = await take()
    running, heard = await begin(subject, sandbox, SLEEP, tmp_path)
    await heard.spoke.wait()
    await sandbox.link.close()
    with pytest.raises(SandboxGone):
        await running.wait()
    with pytest.raises(SandboxGone):
        await sandbox.link.ping()


async def test_a_name_is_taken_once_and_the_first_is_unhurt(subject: Subject, take: Take) -> None:
    sandbox = await take()
    with pytest.raises(SandboxStartFailed):
        await subject.driver.create(sandbox.blueprint, sandbox.handle.sandbox_id, {})
    await sandbox.link.ping()
    assert await subject.driver.list() == [sandbox.handle]


@pytest.mark.parametrize("turns", TURNS)
async def test_a_run_can_be_given_up_at_any_moment(subject: Subject, tmp_path: Path, turns: int) -> None:
    running = asyncio.create_task(subject.manager.run(subject.spec(SLEEP, tmp_path)))
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await subject.left() == []


async def test_a_run_can_be_given_up_while_its_program_runs(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, stats = asyncio.Event(), subject.driver.stats

    async def look(handle: Handle) -> Usage:
        looked.set()
        return await stats(handle)

    monkeypatch.setattr(subject.driver, "stats", look)
    running = asyncio.create_task(subject.manager.run(subject.spec(SLEEP, tmp_path)))
    async with asyncio.timeout(subject.seconds):
        await looked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await subject.left() == []


async def test_many_at_once_are_each_their_own(subject: Subject, tmp_path: Path) -> None:
    specs = [subject.spec(f"print({number})", tmp_path, run_id=f"run-{number}") for number in range(4)]
    results = await asyncio.gather(*(subject.manager.run(spec) for spec in specs))
    assert [result.stdout for result in results] == [b"%d\n" % number for number in range(4)], results
    assert len({new_sandbox_id() for _ in specs}) == 4
    assert await subject.left() == []
