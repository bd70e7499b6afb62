"""Each way a run can end gets its own word."""

import dataclasses
import signal

import pytest

from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.result import Status
from raptorflow.sandbox.running.verdict import Evidence, explain, judge, signal_name
from raptorflow.skills.capabilities import Limits

PLAIN = Evidence(None, 0, Usage(), errors=b"")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "ok"),
        ({"code": 1}, "error"),
        ({"code": 127}, "error"),
        ({"code": 200}, "error"),
        ({"code": 128 + signal.SIGSEGV}, "signal"),
        ({"code": 128 + signal.SIGKILL}, "signal"),
        ({"code": 128 + signal.SIGXFSZ}, "disk_full"),
        ({"code": 128 + signal.SIGXCPU}, "timeout"),
        ({"code": 128 + signal.SIGKILL, "ended_by": "timeout"}, "timeout"),
        ({"code": 0, "ended_by": "output_limit"}, "output_limit"),
        ({"code": 128 + signal.SIGKILL, "usage": Usage(out_of_memory=1)}, "oom"),
        ({"code": 0, "usage": Usage(out_of_memory=1)}, "oom"),
        ({"code": 1, "usage": Usage(tasks_refused=3)}, "pids"),
        ({"code": 0, "usage": Usage(tasks_refused=3)}, "ok"),
        ({"code": 1, "usage": Usage(disk_full=True)}, "disk_full"),
        ({"code": 0, "usage": Usage(disk_full=True)}, "ok"),
        ({"code": 1, "errors": b"OSError: [Errno 28] No space left on device"}, "disk_full"),
        ({"code": 1, "errors": b"OSError: [Errno 27] File too large"}, "disk_full"),
        # A group counts exactly: what a program merely prints decides nothing.
        ({"code": 1, "errors": b"MemoryError"}, "error"),
        ({"code": 1, "errors": b"Resource temporarily unavailable"}, "error"),
        ({"code": 1, "errors": b"MemoryError", "usage": Usage(exact=False)}, "oom"),
        ({"code": 1, "errors": b"RuntimeError: can't start new thread", "usage": Usage(exact=False)}, "pids"),
    ],
)
def test_the_word_follows_from_what_was_seen(changes: dict[str, object], status: Status) -> None:
    assert judge(dataclasses.replace(PLAIN, **changes)) == status


def test_signals_have_names() -> None:
    assert signal_name(128 + signal.SIGSEGV) == "SIGSEGV"
    assert signal_name(1) is None


@pytest.mark.parametrize(
    ("status", "part"),
    [
        ("timeout", "60 s"),
        ("oom", "512 MiB"),
        ("disk_full", "256 MiB"),
        ("pids", "64 processes"),
        ("output_limit", "8388608 bytes"),
    ],
)
def test_a_limit_is_explained_with_its_value(status: Status, part: str) -> None:
    assert part in (explain(status, PLAIN, Limits()) or "")


def test_an_ordinary_end_needs_no_explanation() -> None:
    assert explain("ok", PLAIN, Limits()) is None
    assert explain("error", PLAIN, Limits()) is None


def test_a_fork_bomb_that_ran_out_of_time_is_told() -> None:
    seen = dataclasses.replace(PLAIN, ended_by="timeout", usage=Usage(tasks_refused=9))
    assert "64 processes" in (explain("timeout", seen, Limits()) or "")
