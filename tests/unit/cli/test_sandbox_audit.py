import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from raptorflow.base.errors import RaptorFlowError
from raptorflow.cli.sandbox.audit import audit_app
from raptorflow.sandbox.audit.chain import Seal
from raptorflow.sandbox.audit.records import Killed, Subject
from raptorflow.sandbox.audit.writer import ChainWriter, fields_of

KEY = b"a key of sixteen bytes or more"
Capture = pytest.CaptureFixture[str]


def fill(folder: Path, key: bytes | None = None) -> Path:
    writer = ChainWriter(folder, Seal(key), 10**6)
    for day in (1, 2, 3):
        subject = Subject(sandbox=f"s{day}", tenant="odd" if day % 2 else "even")
        writer.append([fields_of(datetime(2026, 1, day, tzinfo=UTC), subject, Killed(reason="timeout"))])
    writer.close()
    return next(folder.glob("*.jsonl"))


def call(*words: str | Path) -> None:
    audit_app([str(word) for word in words], exit_on_error=False, result_action="return_value")


def test_a_whole_log_is_said_to_be_whole(tmp_path: Path, capsys: Capture) -> None:
    fill(tmp_path)
    call("verify", tmp_path)
    assert "whole" in capsys.readouterr().out


def test_a_broken_log_is_refused_and_its_first_broken_record_named(tmp_path: Path) -> None:
    file = fill(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"s2", b"sX"))
    with pytest.raises(RaptorFlowError, match=r"chain-1.000001.jsonl, line 2: record 2 was changed"):
        call("verify", tmp_path)


def test_for_programs_a_broken_log_ends_it_with_1(tmp_path: Path, capsys: Capture) -> None:
    file = fill(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"s2", b"sX"))
    with pytest.raises(SystemExit) as ended:
        call("verify", tmp_path, "--json")
    told = json.loads(capsys.readouterr().out)
    assert (ended.value.code, told["ok"], told["chains"][0]["fault"]["seq"]) == (1, False, 2)


def test_what_json_printed_anchors_the_log(tmp_path: Path, capsys: Capture) -> None:
    file, noted = fill(tmp_path / "log"), tmp_path / "noted.json"
    call("verify", tmp_path / "log", "--json")
    noted.write_text(capsys.readouterr().out)
    call("verify", tmp_path / "log", "--against", noted)
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    with pytest.raises(RaptorFlowError, match="cut off"):
        call("verify", tmp_path / "log", "--against", noted)


def test_a_keyed_log_is_verified_with_its_key(tmp_path: Path, capsys: Capture) -> None:
    fill(tmp_path / "log", KEY)
    (tmp_path / "key").write_bytes(KEY + b"\n")
    call("verify", tmp_path / "log", "--key-file", tmp_path / "key")
    assert "a key" in capsys.readouterr().out
    with pytest.raises(RaptorFlowError, match="none was given"):
        call("verify", tmp_path / "log")


def test_this_machine_s_own_log_is_found_by_the_settings(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "audit", KEY)
    monkeypatch.setenv("RAPTORFLOW_DATA__DIR", str(tmp_path))
    monkeypatch.setenv("RAPTORFLOW_SANDBOX__AUDIT__KEY", KEY.decode())
    call("verify")
    assert "whole" in capsys.readouterr().out
    call("export")
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ["s1", "s2", "s3"]),
        (("--tenant", "odd"), ["s1", "s3"]),
        (("--since", "2026-01-02"), ["s2", "s3"]),
        (("--until", "2026-01-02T00:00:00"), ["s1"]),
        (("--kind", "create", "--kind", "exec"), []),
    ],
    ids=["all", "an organisation", "since", "until", "kinds"],
)
def test_the_export_prints_what_is_asked_for(
    tmp_path: Path, capsys: Capture, options: tuple[str, ...], expected: list[str]
) -> None:
    fill(tmp_path)
    call("export", tmp_path, *options)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["sandbox"] for line in lines] == expected


@pytest.mark.parametrize(
    "words",
    ["verify {}/nowhere", "verify {} --key-file {}/nowhere", "verify {} --against {}/other"],
    ids=["no folder", "no key", "no heads"],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, words: str) -> None:
    fill(tmp_path)
    (tmp_path / "other").write_text('{"chains": [{}]}')
    with pytest.raises(RaptorFlowError) as refusal:
        call(*words.replace("{}", str(tmp_path)).split())
    assert refusal.value.hint
