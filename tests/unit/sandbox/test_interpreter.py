"""The interpreter is one that a sandbox can mount without showing more than it."""

import subprocess
import sys
from pathlib import Path

import pytest

from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.interpreter import Mount, interpreter_mounts, sandbox_python


def test_the_chosen_interpreter_runs_and_is_new_enough() -> None:
    code = "import sys; print(sys.version_info >= (3, 11))"
    assert subprocess.check_output([sandbox_python(), "-I", "-c", code]) == b"True\n"


def test_a_system_interpreter_needs_no_mount() -> None:
    assert interpreter_mounts(Path("/usr/bin/env")) == ()


def test_an_interpreter_elsewhere_brings_its_installation(tmp_path: Path) -> None:
    prefix = tmp_path / "cpython-3.11.7"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "lib" / "python3.11").mkdir(parents=True)
    (prefix / "lib" / "python3.11" / "os.py").touch()
    (prefix / "bin" / "python3.11").touch()
    assert interpreter_mounts(prefix / "bin" / "python3.11") == (Mount(prefix, prefix),)
    alias = tmp_path / "cpython-3.11"
    alias.symlink_to(prefix)
    environment = tmp_path / "env" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(alias / "bin" / "python3.11")
    assert interpreter_mounts(environment / "python") == (Mount(prefix, prefix), Mount(prefix, alias))


def test_a_folder_that_is_no_installation_is_never_mounted(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").touch()
    (tmp_path / "private").touch()
    with pytest.raises(SandboxUnavailable, match="not part of a Python installation"):
        interpreter_mounts(tmp_path / "bin" / "python3")


def test_this_programs_own_interpreter_can_be_mounted() -> None:
    mounts = interpreter_mounts(Path(sys.executable))
    assert all(mount.source.is_dir() for mount in mounts)
