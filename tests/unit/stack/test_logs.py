"""Logs stay short, and the program that writes goes on at the right place."""

from pathlib import Path

from raptorflow.stack.logs import trim_logs


def test_a_long_log_is_kept_aside_and_emptied_under_its_writer(tmp_path: Path) -> None:
    log, short = tmp_path / "server.log", tmp_path / "worker.log"
    short.write_text("short\n")
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 200)
        assert trim_logs(tmp_path, limit_bytes=100) == [log]
        writer.write(b"next\n")
    assert log.read_bytes() == b"next\n"
    assert (tmp_path / "server.log.1").read_bytes() == b"x" * 200
    assert short.read_text() == "short\n"
