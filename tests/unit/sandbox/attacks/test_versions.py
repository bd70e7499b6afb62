"""What is known of versions: mended lines of releases, and that distributions mend without a new number."""

from pathlib import Path

import pytest

from raptorflow.sandbox.attacks.versions import flaws, monitor, parts_of, versions
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.probing import Guarantee, ProbeReport
from raptorflow.sandbox.settings import SandboxSettings


@pytest.mark.parametrize("version", ["1.0.0-rc5", "1.1.11", "1.2.7", "1.3.2"])
def test_an_old_runc_is_known(version: str) -> None:
    assert list(flaws("runc", f"runc version {version}"))


@pytest.mark.parametrize("version", ["1.2.8", "1.3.3", "1.4.0", "2.0.0"])
def test_a_mended_one_is_not(version: str) -> None:
    assert list(flaws("runc", f"runc version {version}")) == []


def test_a_distributions_own_number_is_said_to_tell_little() -> None:
    found = list(flaws("runc", "runc version 1.1.5+ds1-1+deb12u1"))
    assert found
    assert all("unless the distribution has mended it" in flaw for flaw in found)


def test_bubblewrap_matters_only_when_it_is_root() -> None:
    assert list(flaws("bubblewrap", "bubblewrap 0.4.0")) == []
    assert list(flaws("bubblewrap", "bubblewrap 0.4.0", setuid=True))


def test_no_number_no_flaw() -> None:
    assert list(flaws("runc", "unknown")) == []


@pytest.mark.parametrize("version", ["0.18.0", "0.19.0", "1.13.0", "1.14.3", "1.15.0"])
def test_a_firecracker_that_lets_guests_out_is_known(version: str) -> None:
    assert len(list(flaws("firecracker", f"Firecracker v{version}"))) == 1


@pytest.mark.parametrize("version", ["0.18.1", "0.19.1", "1.12.1", "1.14.4", "1.15.1", "1.16.1"])
def test_a_firecracker_before_and_after_it_is_not(version: str) -> None:
    assert list(flaws("firecracker", f"Firecracker v{version}")) == []


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ("7.2.10", True),
        ("7.2.11", False),
        ("8.1.5", True),
        ("8.2.2", True),
        ("8.2.3", False),
        ("9.1.0", False),
    ],
)
def test_an_old_qemu_is_known(version: str, has: bool) -> None:
    assert bool(list(flaws("qemu", f"QEMU emulator version {version}"))) == has


async def test_only_what_the_driver_uses_is_among_the_versions() -> None:
    assert set(await versions(SandboxSettings(), ProbeReport("local"))) == {"bubblewrap", "kernel"}
    assert await versions(SandboxSettings(), ProbeReport("kubernetes")) == {}


@pytest.mark.parametrize(
    ("word", "name"), [("QEMU 7.2.22 with KVM", "qemu"), ("Firecracker 1.2.3", "firecracker")]
)
async def test_the_monitor_that_was_tried_is_asked_and_no_other(word: str, name: str, tmp_path: Path) -> None:
    for each, text in (("qemu", "QEMU emulator version 8.2.2"), ("firecracker", "Firecracker v1.14.3")):
        program = tmp_path / each
        program.write_text(f"#!/bin/sh\necho '{text}'\n")
        program.chmod(0o755)
    settings = MicroVmSettings(qemu=tmp_path / "qemu", firecracker=tmp_path / "firecracker")
    by = Guarantee("kernel", f"a machine of its own ({word})")
    found = await monitor(settings, ProbeReport("microvm", guarantees={"filesystem": by}))
    assert list(found) == [name]
    assert list(flaws(name, found[name]))


def test_an_engine_tells_its_parts() -> None:
    version = {"Components": [{"Name": "Engine", "Version": "29.0"}, {"Name": "runc", "Version": "1.1.11"}]}
    assert parts_of(version) == {"engine": "29.0", "runc": "1.1.11"}
    assert list(flaws("runc", parts_of(version)["runc"]))
