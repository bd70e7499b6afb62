"""A driver that cannot be used is probed again and again, and holds no more than after the first time."""

import errno
import json
from pathlib import Path

import pytest
from tests.support.traces import own_groups

from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.drivers.local.leftovers import Note
from raptorflow.sandbox.settings import SandboxSettings

PROBES = 5


async def test_every_further_probe_leaves_what_the_first_one_left(tmp_path: Path) -> None:
    state = tmp_path / "state"
    settings = SandboxSettings(allow_supervised=True, state_dir=state, bubblewrap=tmp_path / "none")
    before = own_groups()
    driver = LocalDriver(settings)
    try:
        assert not (await driver.probe()).available
        (note,), groups = list(state.iterdir()), own_groups() - before
        for _ in range(PROBES - 1):
            assert not (await driver.probe()).available
        assert list(state.iterdir()) == [note]
        assert own_groups() - before == groups
        assert {Path(folder) for folder in json.loads(note.read_bytes())["folders"]} == groups
    finally:
        await driver.close()
    assert list(state.iterdir()) == []
    assert own_groups() == before


async def test_groups_that_cannot_be_noted_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = own_groups()
    driver = LocalDriver(SandboxSettings(allow_supervised=True, state_dir=tmp_path / "state"))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Note, "write", full)
        assert "cannot be prepared" in ((await driver.probe()).problem or "")
        assert own_groups() == before
    try:
        assert (await driver.probe()).available
        assert len(list((tmp_path / "state").iterdir())) == 1
    finally:
        await driver.close()
    assert own_groups() == before
