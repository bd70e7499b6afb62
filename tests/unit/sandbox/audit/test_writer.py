import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from raptorflow.base.json import JsonObject, loads
from raptorflow.sandbox.audit.chain import Seal
from raptorflow.sandbox.audit.errors import AuditUnavailable
from raptorflow.sandbox.audit.records import Killed, Subject
from raptorflow.sandbox.audit.verify import verify
from raptorflow.sandbox.audit.writer import ChainWriter, fields_of

AT = datetime(2026, 1, 2, tzinfo=UTC)


def record(number: int = 0) -> JsonObject:
    return fields_of(AT, Subject(sandbox=f"s{number}"), Killed(reason="timeout"))


def opened(folder: Path, max_file_bytes: int = 10**6) -> ChainWriter:
    return ChainWriter(folder, Seal(), max_file_bytes, lambda: AT)


def written(folder: Path, count: int) -> Path:
    writer = opened(folder)
    writer.append([record(number) for number in range(count)])
    writer.close()
    (file,) = folder.glob("*.jsonl")
    return file


def test_the_next_process_goes_on_with_the_chain(tmp_path: Path) -> None:
    for _ in range(3):
        written(tmp_path, 2)
    (report,) = verify(tmp_path)
    assert (report.records, report.fault, report.torn) == (6, None, 0)


def test_two_at_once_have_a_chain_each_and_the_first_is_free_again_afterwards(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    one.append([record()])
    two.append([record()])
    assert (one.head.chain, two.head.chain) == ("chain-1", "chain-2")
    one.close()
    three = opened(tmp_path)
    assert (three.head.chain, three.head.seq) == ("chain-1", 1)
    two.close()
    three.close()
    assert [report.fault for report in verify(tmp_path)] == [None, None]


def test_a_full_file_is_followed_by_the_next_and_the_chain_goes_on(tmp_path: Path) -> None:
    writer = opened(tmp_path, max_file_bytes=600)
    for number in range(10):
        writer.append([record(number)])
    writer.close()
    files = sorted(tmp_path.glob("*.jsonl"))
    assert len(files) > 2
    assert all(file.stat().st_size < 1000 for file in files)
    (report,) = verify(tmp_path)
    assert (report.records, report.fault) == (10, None)


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    file = written(folder, 1)
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("left", [b'{"at":"2026-01', b"\0" * 4096, b"not a record\n", b"{}\n{}\n{"])
def test_a_torn_write_is_kept_aside_and_written_down(tmp_path: Path, left: bytes) -> None:
    file = written(tmp_path, 2)
    with file.open("ab") as handle:
        handle.write(left)
    written(tmp_path, 1)
    (report,) = verify(tmp_path)
    assert (report.records, report.torn, report.fault) == (4, 1, None)
    torn = loads(file.read_bytes().splitlines()[2])
    assert (torn["kind"], torn["size"], torn["file"]) == ("torn", len(left), file.name)
    assert (tmp_path / torn["kept_in"]).read_bytes() == left


def test_a_file_that_holds_nothing_whole_yet_is_begun_again(tmp_path: Path) -> None:
    file = written(tmp_path, 2)
    (tmp_path / "chain-1.000002.jsonl").write_bytes(b'{"at"')
    written(tmp_path, 1)
    (report,) = verify(tmp_path)
    assert (report.records, report.torn, report.fault) == (4, 1, None)
    assert len(file.read_bytes().splitlines()) == 4


def test_an_empty_first_file_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "chain-1.000001.jsonl").touch()
    written(tmp_path, 1)
    (report,) = verify(tmp_path)
    assert (report.records, report.torn, report.fault) == (1, 0, None)


def test_a_write_that_the_disk_takes_in_part_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = opened(tmp_path)
    writer.append([record(0)])
    write = os.write

    def half(descriptor: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", full)
        return write(descriptor, bytes(data)[: len(data) // 2])

    def full(_: int, __: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        writer.append([record(1)])
    monkeypatch.setattr(os, "write", write)
    writer.append([record(2)])
    writer.close()
    (report,) = verify(tmp_path)
    assert (report.records, report.fault) == (2, None)


def test_a_folder_that_cannot_be_used_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AuditUnavailable, match="cannot be written") as refusal:
        opened(tmp_path / "file" / "log")
    assert "RAPTORFLOW_SANDBOX__AUDIT__DIR" in (refusal.value.hint or "")
