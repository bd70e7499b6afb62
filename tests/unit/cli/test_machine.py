"""The doctor tells what is there from what is not, and says what mends it."""

import os
import socket
from pathlib import Path

import pytest

from raptorflow.cli import machine
from raptorflow.cli.machine import Check, machine_checks


def found(folder: Path) -> dict[str, Check]:
    return {check.name: check for check in machine_checks(folder)}


def test_this_machine_has_what_the_tests_themselves_need(tmp_path: Path) -> None:
    checks = found(tmp_path / "data")
    for name in ("Python", "System", "PostgreSQL", "Valkey", "uv", "Data folder", "Disk"):
        assert checks[name].state == "ok", checks[name]
    assert "18." in checks["PostgreSQL"].found
    assert not (tmp_path / "data").exists()


def test_everything_that_is_missing_names_a_remedy(tmp_path: Path) -> None:
    for check in machine_checks(tmp_path):
        assert check.remedy or check.state in {"ok", "optional"}, check


def test_a_full_disk_is_missing_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_DISK_BYTES", 2**60)
    disk = found(tmp_path)["Disk"]
    assert disk.state == "missing"
    assert "--data" in (disk.remedy or "")


def test_little_memory_is_weaker_and_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_MEMORY_BYTES", 2**60)
    assert found(tmp_path)["Memory"].state == "weaker"


def test_a_wheel_that_is_broken_is_to_be_installed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "postgres"
    broken.write_text("not a program")
    broken.chmod(0o755)
    monkeypatch.setattr(machine, "wheel_postgres", lambda: broken)
    check = found(tmp_path)["PostgreSQL"]
    assert check.state == "missing"
    assert check.remedy == "make install"


@pytest.fixture
def engine_socket(tmp_path: Path) -> Path:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    return path


def test_a_socket_that_nobody_listens_on_is_no_engine(
    engine_socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{engine_socket}")
    assert found(tmp_path)["Docker engine"].state == "optional"
    with socket.socket(socket.AF_UNIX) as listener:
        engine_socket.unlink()
        listener.bind(str(engine_socket))
        listener.listen()
        assert found(tmp_path)["Docker engine"].state == "ok"


def test_a_folder_that_may_not_be_written_to_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, _mode: int) -> bool:
        return path != tmp_path

    monkeypatch.setattr(os, "access", refuse)
    check = found(tmp_path / "data")["Data folder"]
    assert check.state == "missing"
    assert str(tmp_path) in check.found
