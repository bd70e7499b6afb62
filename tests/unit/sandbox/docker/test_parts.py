"""The image, the settings, versions, runtimes and counts."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from raptorflow.sandbox.drivers.docker.image import EmptyImage
from raptorflow.sandbox.drivers.docker.measure import Groups, engine_usage, find_groups
from raptorflow.sandbox.drivers.docker.probe import remedy_for, start_remedy
from raptorflow.sandbox.drivers.docker.runtimes import runtime_named
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.drivers.docker.versions import runc_flaws, too_old

DIGEST = "0" * 64


def test_the_image_is_the_same_each_time_and_has_no_content() -> None:
    image = EmptyImage()
    assert image.archive == EmptyImage().archive
    with tarfile.open(fileobj=io.BytesIO(image.archive)) as archive:
        files = {entry.name: archive.extractfile(entry) for entry in archive}
        manifest = json.loads(read(files["manifest.json"]))
        layer = read(files["layer.tar"])
    assert manifest[0]["RepoTags"] == [image.reference]
    assert image.layer == f"sha256:{hashlib.sha256(layer).hexdigest()}"
    with tarfile.open(fileobj=io.BytesIO(layer)) as root:
        entries = {entry.name: entry for entry in root}
    assert not [entry.name for entry in entries.values() if entry.isfile() and entry.size]
    assert {"usr", "skill", "env", "workspace", "tmp", "run/raptorflow", "opt/raptorflow/agent"} <= set(
        entries
    )


@pytest.mark.parametrize("image", [f"sha256:{DIGEST}", f"registry.example/skills/python@sha256:{DIGEST}"])
def test_an_image_is_named_by_what_cannot_change(image: str) -> None:
    assert DockerSettings(image=image).image == image


@pytest.mark.parametrize("image", ["python:3.12", "python", "sha256:abc", f"x:latest@sha512:{DIGEST}", ""])
def test_a_tag_is_no_name_for_an_image(image: str) -> None:
    with pytest.raises(ValidationError):
        DockerSettings(image=image)


def test_the_engine_is_found_by_setting_then_by_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert DockerSettings(socket=Path("/own.sock")).engine_socket() == Path("/own.sock")
    found = DockerSettings().engine_socket()
    assert found == Path("/nowhere/docker.sock") or found.is_socket()
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    assert DockerSettings().engine_socket().name == "docker.sock"


@pytest.mark.parametrize(
    ("version", "flaws"),
    [
        ("1.1.5+ds1", 2),
        ("1.1.12", 1),
        ("1.1.15", 1),
        ("1.2.7", 1),
        ("1.2.8", 0),
        ("1.3.2", 1),
        ("1.3.3", 0),
        ("1.4.0", 0),
        ("2.0.0", 0),
        ("unknown", 0),
    ],
)
def test_known_ways_out_of_runc_are_told_by_its_version(version: str, flaws: int) -> None:
    assert len(runc_flaws({"Components": [{"Name": "runc", "Version": version}]})) == flaws


@pytest.mark.parametrize(("version", "old"), [("1.40", True), ("1.41", False), ("1.9", True), ("2.0", False)])
def test_engines_without_private_groups_are_too_old(version: str, old: bool) -> None:
    assert bool(too_old({"ApiVersion": version})) is old


@pytest.mark.parametrize(
    ("name", "boundary"),
    [
        (None, "shared-kernel"),
        ("runc", "shared-kernel"),
        ("runsc", "user-space-kernel"),
        ("runsc-kvm", "user-space-kernel"),
        ("kata-qemu", "virtual-machine"),
    ],
)
def test_a_runtime_is_known_by_its_name(name: str | None, boundary: str) -> None:
    assert runtime_named(name).boundary == boundary


def test_a_socket_that_is_there_is_a_matter_of_rights_or_of_starting(tmp_path: Path) -> None:
    (tmp_path / "docker.sock").touch()
    remedy = remedy_for(tmp_path / "docker.sock")
    assert "systemctl start docker" in remedy
    assert "usermod -aG docker" in remedy
    assert "apt-get install docker.io" in remedy_for(tmp_path / "none.sock")


def test_what_an_engine_says_leads_to_what_mends_it() -> None:
    assert "control groups" in str(start_remedy("cgroups: cannot find cgroup mount destination"))
    assert "--privileged" in str(start_remedy("setns: operation not permitted"))
    assert start_remedy("something else") is None


def test_groups_of_version_two_are_read(tmp_path: Path) -> None:
    for name, text in {
        "memory.stat": "anon 1000\nfile 5000\nshmem 200\n",
        "memory.events": "low 0\noom 1\noom_kill 2\n",
        "memory.peak": "9000\n",
        "pids.current": "3\n",
        "pids.events": "max 4\n",
        "cpu.stat": "usage_usec 5500\nuser_usec 1\nnr_throttled 6\n",
    }.items():
        (tmp_path / name).write_text(text)
    usage = Groups(2, dict.fromkeys(("memory", "pids", "cpu"), tmp_path), "none", 0, None).usage()
    assert usage is not None
    assert (usage.cpu_ms, usage.peak_memory_bytes, usage.tasks) == (5.5, 9000, 3)
    assert (usage.out_of_memory, usage.tasks_refused, usage.throttled) == (2, 4, 6)
    # Its files cannot be looked at, nor be told from its programs' shared memory.
    assert (usage.memory_bytes, usage.exact) == (None, False)


def test_groups_that_are_gone_say_nothing(tmp_path: Path) -> None:
    assert Groups(1, dict.fromkeys(("memory", "pids"), tmp_path / "gone"), "none", 0, None).usage() is None


def test_a_process_that_is_not_the_containers_is_not_taken_for_it() -> None:
    assert find_groups(os.getpid(), DIGEST, shares_kernel=True) is None
    Groups(1, {}, DIGEST, os.getpid(), None).kill()


def test_the_engines_own_counts_are_taken_where_there_are_no_others() -> None:
    usage = engine_usage(
        {
            "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000}},
            "memory_stats": {"max_usage": 10, "stats": {"total_rss": 7}},
            "pids_stats": {"current": 2},
        }
    )
    assert (usage.cpu_ms, usage.memory_bytes, usage.peak_memory_bytes, usage.tasks) == (2.5, 7, 10, 2)
    assert not usage.exact


def read(file: object) -> bytes:
    assert isinstance(file, tarfile.ExFileObject)
    return file.read()
