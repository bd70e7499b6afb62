"""What the broker decides as it stands in the log."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from raptorflow.base.clock import utc_now
from raptorflow.base.errors import InvalidInput
from raptorflow.base.json import JsonObject
from raptorflow.sandbox.audit.errors import AuditUnavailable
from raptorflow.sandbox.audit.export import Wanted, export
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.settings import AuditSettings
from raptorflow.sandbox.audit.writer import ChainWriter
from raptorflow.sandbox.broker.decisions import Decision
from raptorflow.sandbox.broker.ports import Identity
from raptorflow.sandbox.running.journal import Journal, Place
from raptorflow.sandbox.running.secrets import FolderSecrets
from raptorflow.sandbox.spec import SandboxSpec

DENIED = Decision(
    id="c1",
    time=utc_now(),
    stage="decided",
    who=Identity("s1", "r1", "t1", "o/s@1"),
    kind="http",
    host="a.example",
    port=80,
    address=None,
    rule=None,
    allowed=False,
    reason="host-not-allowed",
)
_PLACE = Place("local", "s1")
ALLOWED = replace(DENIED, allowed=True, reason="allowed", rule="a.example:80")
ENDED = replace(ALLOWED, stage="ended", reason="done", bytes_up=5)


class Written:
    """A journal, and what is in its log once it is closed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = AuditLog(folder, AuditSettings(retry_seconds=0.001))
        self.journal = Journal(self.log)

    async def rows(self) -> list[JsonObject]:
        await self.journal.close()
        return list(export(self.folder, Wanted()))


@pytest.fixture
async def written(tmp_path: Path) -> AsyncGenerator[Written]:
    made = Written(tmp_path)
    await made.log.start()
    yield made
    await made.journal.close()


async def test_a_service_and_its_operation_stand_apart(written: Written) -> None:
    written.journal.decided(replace(DENIED, kind="services", host="google-ads/campaigns.read", port=0))
    (row,) = await written.rows()
    assert (row["host"], row["operation"]) == ("google-ads", "campaigns.read")


async def test_what_one_record_stands_for_and_the_handles_that_were_left_are_told(written: Written) -> None:
    written.journal.decided(replace(DENIED, kind="connection", host="", reason="too-fast", times=5000))
    written.journal.decided(replace(ENDED, handles_left=3))
    many, left = await written.rows()
    assert (many["times"], many["way"]) == (5000, "connection")
    assert left["handles_left"] == 3
    assert "times" not in left


async def test_the_two_records_of_a_connection_can_be_paired(written: Written) -> None:
    written.journal.decided(ALLOWED)
    written.journal.decided(ENDED)
    pair = [(row["connection"], row["stage"], row["way"]) for row in await written.rows()]
    assert pair == [("c1", "decided", "http"), ("c1", "ended", "http")]


@pytest.mark.parametrize("name", ["_MY_KEY", "MY_KEY2", "k"])
async def test_every_name_that_a_manifest_may_give_a_secret_is_found_and_written(
    written: Written, tmp_path: Path, name: str
) -> None:
    written.journal.decided(replace(ALLOWED, kind="secret", rule=name))
    (row,) = await written.rows()
    assert row["secret"] == name
    (tmp_path / "t1").mkdir()
    (tmp_path / "t1" / name).write_text("value\n")
    assert await FolderSecrets(tmp_path, "t1").value(name) == "value"


async def test_an_address_may_have_a_zone(written: Written) -> None:
    written.journal.decided(replace(ALLOWED, address="fe80::1%2"))
    (row,) = await written.rows()
    assert row["address"] == "fe80::1%2"


async def test_what_cannot_be_written_as_it_is_is_not_allowed_and_is_kept_as_far_as_it_can_when_denied(
    written: Written,
) -> None:
    strange = {"address": "not an address", "port": 2**70}
    with pytest.raises(AuditUnavailable, match="address, port"):
        written.journal.decided(replace(ALLOWED, **strange))
    written.journal.decided(replace(DENIED, **strange))
    (row,) = await written.rows()
    assert (row["decision"], row["host"], row["port"], row.get("address")) == ("denied", "a.example", 0, None)


async def test_while_the_disk_takes_nothing_only_what_is_to_be_allowed_is_refused(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, full, tries, tried = ChainWriter.append, [True], [0], threading.Event()

    def maybe(self: ChainWriter, records: list[JsonObject]) -> None:
        if full[0]:
            # The second time, the first one has been noticed.
            tries[0] += 1
            if tries[0] > 1:
                tried.set()
            raise OSError(28, "No space left on device")
        append(self, records)

    monkeypatch.setattr(ChainWriter, "append", maybe)
    written.journal.decided(DENIED)
    assert await asyncio.to_thread(tried.wait, 10)
    for number in range(10):
        written.journal.decided(replace(DENIED, id=f"d{number}"))
        written.journal.decided(replace(ENDED, id=f"e{number}"))
    with pytest.raises(AuditUnavailable):
        written.journal.decided(ALLOWED)
    full[0] = False
    rows = await written.rows()
    assert len(rows) == 21
    assert {row["stage"] for row in rows} == {"decided", "ended"}


async def test_after_closing_nothing_is_taken_in_silence(written: Written, tmp_path: Path) -> None:
    await written.journal.close()
    spec = SandboxSpec(("python",), tmp_path, tmp_path / "python", run_id="r1")
    with pytest.raises(AuditUnavailable):
        await written.journal.cancelled(spec, _PLACE)
    # The reason of a refusal is not hidden by that.
    await written.journal.refused(spec, InvalidInput("It makes no sense."))


async def test_a_refusal_is_written_also_when_its_subject_is_what_is_wrong(
    written: Written, tmp_path: Path
) -> None:
    spec = SandboxSpec(("python",), tmp_path, tmp_path / "python", run_id="r1", tenant="no tenant\n")
    await written.journal.refused(spec, InvalidInput("It makes no sense."))
    (row,) = await written.rows()
    assert (row["kind"], row["run"], row.get("tenant")) == ("refusal", "r1", None)
