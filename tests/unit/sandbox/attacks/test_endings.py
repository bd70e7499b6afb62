"""A program's known end is compared with what is told of it; what a run leaves on the host is seen."""

from dataclasses import replace
from pathlib import Path

import pytest

from raptorflow.sandbox.attacks.catalogue.disk import left_of
from raptorflow.sandbox.attacks.catalogue.endings import ENDS, mistold
from raptorflow.sandbox.result import SandboxResult, Status

OK = SandboxResult("ok", "local", stdout=b'{"step": "x", "saw": "through", "words": "1"}\n')
NOTICED = SandboxResult("ok", "local", stdout=b'{"step": "x", "saw": "refused", "words": "MemoryError"}\n')
TOLD: dict[Status, SandboxResult] = {
    "ok": OK,
    "error": SandboxResult("error", "local", exit_code=3),
    "signal": SandboxResult("signal", "local", signal="SIGSEGV"),
    "timeout": SandboxResult("timeout", "local"),
    "oom": SandboxResult("oom", "local"),
    "output_limit": SandboxResult("output_limit", "local"),
    "pids": SandboxResult("pids", "local"),
    "disk_full": SandboxResult("disk_full", "local"),
}


def test_every_end_is_tried() -> None:
    assert set(ENDS) == set(TOLD)


@pytest.mark.parametrize("status", TOLD)
def test_each_end_is_believed_only_when_it_is_told_as_what_it_was(status: Status) -> None:
    assert mistold(status, TOLD[status]) == []
    assert all(mistold(status, result) for other, result in TOLD.items() if other != status)


def test_another_exit_code_signal_or_output_is_seen() -> None:
    assert mistold("error", replace(TOLD["error"], exit_code=1))
    assert mistold("signal", replace(TOLD["signal"], signal="SIGKILL"))
    assert mistold("ok", NOTICED)
    assert mistold("oom", NOTICED) == []


def test_what_is_left_of_a_tree_on_the_host_is_found(tmp_path: Path) -> None:
    out = tmp_path / "odd-1"
    taken = out / "plain" / "x"
    taken.parent.mkdir(parents=True)
    taken.write_text("x")
    assert left_of(tmp_path, out, {taken}) == []
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "odd-1-sticky").mkdir()
    (out / "shut").mkdir()
    assert left_of(tmp_path, out, {taken}) == ["odd-1/shut", "workspace/odd-1-sticky"]
