from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raptorflow.base.json import canonical, loads
from raptorflow.sandbox.audit.chain import START, Head, Seal, read_line
from raptorflow.sandbox.audit.records import Killed, Subject
from raptorflow.sandbox.audit.verify import ChainReport, verify
from raptorflow.sandbox.audit.writer import ChainWriter, fields_of

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = b"a key of sixteen bytes or more"
Lines = list[bytes]


def write(folder: Path, count: int, key: bytes | None = None, max_file_bytes: int = 10**6) -> Head:
    writer = ChainWriter(folder, Seal(key), max_file_bytes)
    for number in range(count):
        subject = Subject(sandbox=f"s{number}", tenant="t")
        writer.append([fields_of(AT, subject, Killed(reason="timeout"))])
    head = writer.head
    writer.close()
    return head


def tamper(folder: Path, change: Callable[[Lines], Lines]) -> None:
    (file,) = folder.glob("*.jsonl")
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))


def only(folder: Path, key: bytes | None = None, anchors: tuple[Head, ...] = ()) -> ChainReport:
    (report,) = verify(folder, key=key, anchors=anchors)
    return report


def resealed(line: bytes, **fields: object) -> bytes:
    """What somebody writes who knows the rule: a changed record whose hash is right."""
    record = {name: value for name, value in {**loads(line), **fields}.items() if name != "hash"}
    return canonical({**record, "hash": Seal().hash(record)}) + b"\n"


@pytest.mark.parametrize("key", [None, KEY])
def test_what_was_written_holds(tmp_path: Path, key: bytes | None) -> None:
    head = write(tmp_path, 5, key)
    report = only(tmp_path, key)
    assert (report.records, report.head, report.fault, report.keyed) == (5, head, None, key is not None)


def test_a_record_is_linked_to_the_one_before_it(tmp_path: Path) -> None:
    write(tmp_path, 2)
    (file,) = tmp_path.glob("*.jsonl")
    first, second = (loads(line) for line in file.read_bytes().splitlines())
    assert first["prev"] == START
    assert second["prev"] == first["hash"]
    assert (first["seq"], second["seq"], second["at"]) == (1, 2, "2026-01-02T03:04:05.000Z")


def at(place: int, change: Callable[[bytes], bytes]) -> Callable[[Lines], Lines]:
    return lambda lines: [*lines[:place], change(lines[place]), *lines[place + 1 :]]


# What is done to six records; the number that is named, and the words.
CHANGES: dict[str, tuple[Callable[[Lines], Lines], int, str]] = {
    "changed": (at(2, lambda line: line.replace(b"timeout", b"timeoux")), 3, "was changed"),
    "removed": (lambda lines: [*lines[:2], *lines[3:]], 4, "records 3 to 3 were removed"),
    "removed from the front": (lambda lines: lines[2:], 3, "records 1 to 2 were removed"),
    "reordered": (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 4, "reordered"),
    "repeated": (lambda lines: [*lines[:3], lines[2], *lines[3:]], 3, "inserted"),
    "a line that is no record": (at(1, lambda line: line + b'{"seq": 3}\n'), 3, "is not a record"),
    "a line that is no text": (at(2, lambda _: b"\xff\x00\n"), 3, "is not a record"),
    "another form of the same": (at(2, lambda line: line.replace(b":", b": ", 1)), 3, "is not a record"),
    "a key twice": (at(2, lambda line: line.replace(b"{", b'{"at":"x",', 1)), 3, "is not a record"),
    "changed with a right hash": (at(2, lambda line: resealed(line, reason="oom")), 4, "exchanged"),
    "inserted with a right hash": (
        at(2, lambda line: resealed(line, sandbox="forged") + line),
        3,
        "inserted",
    ),
    "of another chain": (at(2, lambda line: resealed(line, chain="chain-9")), 3, "belongs to chain-9"),
    "linked elsewhere": (at(2, lambda line: resealed(line, prev=START)), 3, "does not follow"),
}


@pytest.mark.parametrize(("change", "seq", "words"), CHANGES.values(), ids=CHANGES)
def test_what_was_done_to_a_record_is_named(
    tmp_path: Path, change: Callable[[Lines], Lines], seq: int, words: str
) -> None:
    write(tmp_path, 6)
    tamper(tmp_path, change)
    fault = only(tmp_path).fault
    assert fault
    assert fault.seq == seq
    assert words in fault.what


def test_the_place_of_a_fault_is_named(tmp_path: Path) -> None:
    write(tmp_path, 6)
    tamper(tmp_path, at(3, lambda line: line.replace(b"s3", b"sX")))
    report = only(tmp_path)
    assert report.fault
    assert (report.fault.file, report.fault.line, report.records) == ("chain-1.000001.jsonl", 4, 3)


def rewritten(seal: Seal) -> Callable[[Lines], Lines]:
    """Somebody writes the whole log anew, with one record changed."""

    def change(lines: Lines) -> Lines:
        head, told = Head("chain-1", 0, START), Lines()
        for line in lines:
            fields = {
                name: value for name, value in loads(line).items() if name not in {"hash", "prev", "seq"}
            }
            if fields["sandbox"] == "s2":
                fields["reason"] = "nothing-happened"
            text, head = seal.line(fields, Head(fields["chain"], head.seq, head.hash))
            told.append(text)
        return told

    return change


def test_a_log_written_anew_holds_unless_a_key_or_a_noted_head_says_otherwise(tmp_path: Path) -> None:
    head = write(tmp_path, 6)
    tamper(tmp_path, rewritten(Seal()))
    assert only(tmp_path).fault is None
    fault = only(tmp_path, anchors=(head,)).fault
    assert fault
    assert "written anew" in fault.what


def test_a_keyed_log_cannot_be_written_anew_without_the_key(tmp_path: Path) -> None:
    write(tmp_path, 6, KEY)
    tamper(tmp_path, rewritten(Seal()))
    fault = only(tmp_path, KEY).fault
    assert fault
    assert (fault.seq, fault.what) == (1, "was changed")


def test_another_key_no_key_and_a_missing_seal_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "keyed", 1, KEY)
    write(tmp_path / "plain", 1)
    whats = [
        report.fault.what
        for report in (
            only(tmp_path / "keyed", b"another key of the same kind"),
            only(tmp_path / "keyed"),
            only(tmp_path / "plain", KEY),
        )
        if report.fault
    ]
    assert whats == [
        "it is sealed with another key",
        "it is sealed with a key, and none was given",
        "it is not sealed with a key",
    ]


def test_cut_off_records_are_seen_by_a_noted_head(tmp_path: Path) -> None:
    head = write(tmp_path, 6)
    tamper(tmp_path, lambda lines: lines[:4])
    assert only(tmp_path).fault is None
    fault = only(tmp_path, anchors=(head,)).fault
    assert fault
    assert (fault.seq, "cut off" in fault.what) == (6, True)


def test_a_chain_that_is_gone_is_seen_by_a_noted_head(tmp_path: Path) -> None:
    head = write(tmp_path, 2)
    (file,) = tmp_path.glob("*.jsonl")
    file.unlink()
    assert only(tmp_path, anchors=(head,)).fault


def test_old_files_may_be_moved_away_behind_a_noted_head(tmp_path: Path) -> None:
    writer = ChainWriter(tmp_path, Seal(), 1)
    heads = list[Head]()
    for number in range(4):
        writer.append([fields_of(AT, Subject(sandbox=f"s{number}"), Killed(reason="timeout"))])
        heads.append(writer.head)
    writer.close()
    files = sorted(tmp_path.glob("*.jsonl"))
    assert len(files) == 4
    files[0].unlink()
    files[1].unlink()
    assert only(tmp_path).fault
    report = only(tmp_path, anchors=(heads[1], heads[3]))
    assert (report.records, report.fault) == (2, None)


def test_a_missing_file_in_the_middle_is_named(tmp_path: Path) -> None:
    write(tmp_path, 4, max_file_bytes=1)
    (tmp_path / "chain-1.000002.jsonl").unlink()
    fault = only(tmp_path).fault
    assert fault
    assert (fault.file, fault.what) == ("chain-1.000003.jsonl", "follows 1: records 2 to 2 were removed")


def test_a_line_that_is_being_written_is_no_fault(tmp_path: Path) -> None:
    write(tmp_path, 3)
    tamper(tmp_path, lambda lines: [*lines, b'{"at":"2026'])
    report = only(tmp_path)
    assert (report.records, report.unfinished_bytes, report.fault) == (3, 11, None)


@settings(max_examples=40)
@given(place=st.integers(0, 5), flip=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_of_a_record_can_be_turned_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    head = write(folder, 6)

    def turn(lines: Lines) -> Lines:
        line = bytearray(lines[place])
        line[flip % len(line)] ^= 1 << bit
        return [*lines[:place], bytes(line), *lines[place + 1 :]]

    tamper(folder, turn)
    assert only(folder, anchors=(head,)).fault


def test_a_line_in_another_form_is_no_record() -> None:
    assert read_line(b"[]\n") is None
    assert read_line(b"{}\n") is None
