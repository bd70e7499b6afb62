import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.audit.errors import AuditUnavailable
from raptorflow.sandbox.audit.export import Wanted, export
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.records import Destroyed, Egress, Killed, Subject
from raptorflow.sandbox.audit.settings import AuditSettings
from raptorflow.sandbox.audit.verify import verify
from raptorflow.sandbox.audit.writer import ChainWriter

WHO = Subject(sandbox="s1", run="r1", tenant="t1")
KILLED = Killed(reason="timeout")


@asynccontextmanager
async def log_in(folder: Path, **settings: Any) -> AsyncGenerator[AuditLog]:
    log = AuditLog(folder, AuditSettings.model_validate(settings))
    await log.start()
    yield log
    await log.close()


def records(folder: Path, **wanted: Any) -> list[JsonObject]:
    return list(export(folder, Wanted(**wanted)))


async def test_what_many_add_at_once_is_one_chain_in_order(tmp_path: Path) -> None:
    async with log_in(tmp_path) as log:
        subjects = [Subject(sandbox=f"s{number}") for number in range(500)]
        await asyncio.gather(*(log.add(subject, KILLED) for subject in subjects))
        await log.flush()
        assert log.head
        assert log.head.seq == 500
    (report,) = verify(tmp_path)
    assert (report.records, report.head, report.fault) == (500, log.head, None)
    assert [record["sandbox"] for record in records(tmp_path)] == [subject.sandbox for subject in subjects]


async def test_closing_writes_what_was_added(tmp_path: Path) -> None:
    async with log_in(tmp_path) as log:
        await log.add(WHO, KILLED)
    assert len(records(tmp_path)) == 1


class Disk:
    """A disk that is full until it is not, in place of the writer's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = True
        self.tries = threading.Semaphore(0)
        append = ChainWriter.append

        def trying(writer: ChainWriter, records: list[JsonObject]) -> None:
            self.tries.release()
            if self.full:
                raise OSError(28, "No space left on device")
            append(writer, records)

        monkeypatch.setattr(ChainWriter, "append", trying)


async def test_while_the_disk_is_full_nothing_is_dropped_and_nothing_new_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    with capture_logs() as lines:
        async with log_in(tmp_path, retry_seconds=0.001, queue=2) as log:
            log.check()
            await log.add(WHO, KILLED)
            # With the second try, the first one's failure is known.
            for _ in range(2):
                await asyncio.to_thread(disk.tries.acquire)
            await log.add(WHO, KILLED)
            await log.add(WHO, KILLED)
            with pytest.raises(AuditUnavailable, match="No space"):
                await log.add(WHO, KILLED)
            disk.full = False
            await log.flush()
            log.check()
    assert len(records(tmp_path)) == 3
    assert [line["event"] for line in lines] == ["audit log cannot be written", "audit log is written again"]


async def test_a_full_queue_makes_callers_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    going, append = threading.Event(), ChainWriter.append

    def slow(writer: ChainWriter, records: list[JsonObject]) -> None:
        going.wait()
        append(writer, records)

    monkeypatch.setattr(ChainWriter, "append", slow)
    async with log_in(tmp_path, queue=1) as log:
        adding = [asyncio.create_task(log.add(WHO, KILLED)) for _ in range(5)]
        done, waiting = await asyncio.wait(adding, timeout=0.02)
        assert done
        assert waiting
        going.set()
        await asyncio.gather(*adding)
    assert len(records(tmp_path)) == 5


async def test_closing_in_trouble_says_how_many_records_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Disk(monkeypatch)
    with capture_logs() as lines:
        async with log_in(tmp_path, retry_seconds=60, close_seconds=0) as log:
            for _ in range(3):
                await log.add(WHO, KILLED)
    (line,) = [line for line in lines if line["event"] == "audit records were not written"]
    assert line["records"] == 3


async def test_a_log_that_was_not_opened_allows_nothing(tmp_path: Path) -> None:
    with pytest.raises(AuditUnavailable):
        AuditLog(tmp_path, AuditSettings()).check()


async def test_a_flood_of_denials_is_counted_and_hides_no_connection(tmp_path: Path) -> None:
    denied = Egress(decision="denied", host="evil.example", port=443, reason="not-allowed", bytes_up=1)
    allowed = Egress(decision="allowed", host="api.example", port=443, rule="api.example:443")
    async with log_in(tmp_path, egress_in_full=5) as log:
        for _ in range(5000):
            await log.add(WHO, denied)
        await log.add(WHO, allowed)
        await log.add(WHO, Destroyed(reason="done", lived_ms=1))
    kinds = [(record["kind"], record.get("decision"), record.get("count")) for record in records(tmp_path)]
    assert kinds == [
        *[("egress", "denied", None)] * 5,
        ("egress-counted", "denied", 100),
        ("egress-counted", "denied", 1000),
        ("egress", "allowed", None),
        ("egress-counted", "denied", 4995),
        ("destroy", None, None),
    ]
    (last,) = [record for record in records(tmp_path) if record.get("count") == 4995]
    assert (last["bytes_up"], last["hosts"], last["other_hosts"]) == (4995, {"evil.example:443": 4995}, 0)


async def test_a_flood_of_names_does_not_make_a_record_grow(tmp_path: Path) -> None:
    async with log_in(tmp_path, egress_in_full=1) as log:
        for number in range(300):
            await log.add(WHO, Egress(decision="denied", host=f"h{number}.example", port=1))
        await log.add(WHO, Destroyed(reason="done", lived_ms=1))
    last = records(tmp_path, kinds=frozenset({"egress-counted"}))[-1]
    assert (len(last["hosts"]), last["other_hosts"], last["count"]) == (32, 267, 299)


async def test_sandboxes_are_counted_apart(tmp_path: Path) -> None:
    async with log_in(tmp_path, egress_in_full=1) as log:
        for sandbox in ("a", "b"):
            await log.add(Subject(sandbox=sandbox), Egress(decision="denied", host="h.example", port=1))
    assert [record["kind"] for record in records(tmp_path)] == ["egress", "egress"]


async def test_the_export_takes_what_is_asked_for_from_all_chains_in_order(tmp_path: Path) -> None:
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    clock = iter(times)
    logs = [AuditLog(tmp_path, AuditSettings(), lambda: next(clock)) for _ in range(2)]
    for log in logs:
        await log.start()
    for number, log in enumerate((logs[1], logs[0], logs[1], logs[0])):
        await log.add(Subject(sandbox=f"s{number}", tenant="odd" if number % 2 else "even"), KILLED)
        await log.flush()
    for log in logs:
        await log.close()
    assert [record["sandbox"] for record in records(tmp_path)] == ["s0", "s1", "s2", "s3"]
    assert [record["sandbox"] for record in records(tmp_path, tenant="odd")] == ["s1", "s3"]
    assert [record["sandbox"] for record in records(tmp_path, since=times[1], until=times[3])] == ["s1", "s2"]
    assert records(tmp_path, kinds=frozenset({"create"})) == []
    assert records(tmp_path, sandbox="s2")[0]["class_name"] == "Process Activity"


async def test_a_key_in_the_settings_seals_the_log(tmp_path: Path) -> None:
    async with log_in(tmp_path, key="a key of sixteen bytes or more") as log:
        await log.add(WHO, KILLED)
    (report,) = verify(tmp_path, key=b"a key of sixteen bytes or more")
    assert (report.keyed, report.records, report.fault) == (True, 1, None)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        AuditSettings.model_validate({"key": "short"})
