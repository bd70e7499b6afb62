"""Snapshots are started only as they were made, and only for what they were made of."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from raptorflow.sandbox.drivers.microvm.frozen import check_frozen, frozen_from
from raptorflow.sandbox.drivers.microvm.image.manifest import Image, Manifest
from raptorflow.sandbox.drivers.microvm.machine import Machine
from raptorflow.sandbox.errors import SandboxStartFailed


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    image = Image(folder=tmp_path, manifest=Manifest(python="3.11", files={"a": "b"}, packages=()))
    return Machine(image, (), 1, 1024, 1.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "snapshot"
    made.mkdir()
    (made / "memory").write_text("memory")
    return made


def test_a_snapshot_as_it_was_made_is_taken(machine: Machine, folder: Path) -> None:
    check_frozen(frozen_from(folder, machine, "1"), machine, "1")


def test_a_changed_snapshot_is_refused(machine: Machine, folder: Path) -> None:
    made = frozen_from(folder, machine, "1")
    (folder / "memory").write_text("other")
    with pytest.raises(SandboxStartFailed, match="was changed"):
        check_frozen(made, machine, "1")


def test_a_change_is_seen_though_its_time_was_set_back(
    machine: Machine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where monitors are the manager's own user, one that was taken over can write there."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    made, before = frozen_from(folder, machine, "1"), (folder / "memory").stat()
    (folder / "memory").write_text("MEMORY")
    os.utime(folder / "memory", ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(SandboxStartFailed, match="was changed"):
        check_frozen(made, machine, "1")


def test_a_file_that_was_added_is_refused(machine: Machine, folder: Path) -> None:
    made = frozen_from(folder, machine, "1")
    (folder / "more").touch()
    with pytest.raises(SandboxStartFailed, match="was changed"):
        check_frozen(made, machine, "1")


def test_another_monitor_or_machine_is_refused(machine: Machine, folder: Path) -> None:
    made = frozen_from(folder, machine, "1")
    with pytest.raises(SandboxStartFailed, match="another monitor"):
        check_frozen(made, machine, "2")
    with pytest.raises(SandboxStartFailed, match="another monitor"):
        check_frozen(made, replace(machine, memory_bytes=2048), "1")


def test_a_snapshot_that_is_gone_is_refused(machine: Machine, folder: Path) -> None:
    made = frozen_from(folder, machine, "1")
    (folder / "origin.json").unlink()
    with pytest.raises(SandboxStartFailed, match="cannot be read"):
        check_frozen(made, machine, "1")
