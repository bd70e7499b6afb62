"""Each way a run can end gets its own word."""

import dataclasses
import signal

import pytest

from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.result import Status
from raptorflow.sandbox.running.verdict import (
    SIGNALLED,
    Evidence,
    exit_code,
    explain,
    judge,
    shell_code,
    signal_name,
)
from raptorflow.skills.capabilities import Limits

PLAIN = Evidence(None, 0, Usage(), errors=b"")
UNCOUNTED = Usage(exact=False)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "ok"),
        ({"code": 1}, "error"),
        ({"code": 127}, "error"),
        ({"code": 200}, "error"),
        ({"code": SIGNALLED + signal.SIGSEGV}, "signal"),
        ({"code": SIGNALLED + signal.SIGKILL}, "signal"),
        ({"code": SIGNALLED + signal.SIGXFSZ}, "disk_full"),
        ({"code": SIGNALLED + signal.SIGXCPU}, "timeout"),
        ({"code": SIGNALLED + signal.SIGKILL, "ended_by": "timeout"}, "timeout"),
        ({"code": 0, "ended_by": "output_limit"}, "output_limit"),
        ({"code": SIGNALLED + signal.SIGKILL, "usage": Usage(out_of_memory=1)}, "oom"),
        ({"code": 0, "usage": Usage(out_of_memory=1)}, "oom"),
        ({"code": 1, "usage": Usage(tasks_refused=3)}, "pids"),
        ({"code": 0, "usage": Usage(tasks_refused=3)}, "ok"),
        ({"code": 1, "usage": Usage(disk_full=True)}, "disk_full"),
        ({"code": 0, "usage": Usage(disk_full=True)}, "ok"),
        ({"code": 1, "errors": b"[Errno 28] No space left on device", "usage": UNCOUNTED}, "disk_full"),
        ({"code": 1, "errors": b"[Errno 27] File too large", "usage": UNCOUNTED}, "disk_full"),
        # What a program may exit with is never taken for a signal.
        *(({"code": 128 + number}, "error") for number in (9, 11, signal.SIGXCPU, signal.SIGXFSZ)),
        ({"code": SIGNALLED + signal.SIGRTMIN + 6}, "signal"),
        # A group counts exactly: what a program merely prints decides nothing.
        ({"code": 1, "errors": b"MemoryError"}, "error"),
        ({"code": 1, "errors": b"HTTP 413: File too large"}, "error"),
        ({"code": 1, "errors": b"No space left on device"}, "error"),
        ({"code": 1, "errors": b"Resource temporarily unavailable"}, "error"),
        ({"code": 1, "errors": b"MemoryError", "usage": UNCOUNTED}, "oom"),
        ({"code": 1, "errors": b"RuntimeError: can't start new thread", "usage": UNCOUNTED}, "pids"),
    ],
)
def test_the_word_follows_from_what_was_seen(changes: dict[str, object], status: Status) -> None:
    assert judge(dataclasses.replace(PLAIN, **changes)) == status


def test_signals_have_names() -> None:
    assert signal_name(SIGNALLED + signal.SIGSEGV) == "SIGSEGV"
    assert signal_name(SIGNALLED + signal.SIGRTMIN + 6) == "SIGRTMIN+6"
    assert [signal_name(code) for code in (0, 1, 128 + signal.SIGSEGV, 255)] == [None] * 4


@pytest.mark.parametrize("code", [0, 1, 137, 152, 153, 255])
def test_an_exit_code_stays_what_it_is(code: int) -> None:
    assert exit_code(shell_code(code)) == code


@pytest.mark.parametrize("number", [1, 9, 64])
def test_a_signal_is_no_exit_code(number: int) -> None:
    assert signal_name(shell_code(-number))
    assert exit_code(shell_code(-number)) is None


@pytest.mark.parametrize(
    ("status", "part"),
    [
        ("timeout", "60 s"),
        ("oom", "512 MiB"),
        ("disk_full", "256 MiB of its workspace, or filled `/tmp`"),
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
