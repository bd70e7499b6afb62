"""Images are built from the same packages to the same bytes, and a driver takes no other."""

import json
import os
from pathlib import Path

import pytest
from tests.support.microvm_parts import PACKAGES, built_image

from raptorflow.cli.sandbox import image as command
from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.microvm.image.build import build_image
from raptorflow.sandbox.drivers.microvm.image.manifest import FILES, verify_image
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.settings import SandboxSettings


@pytest.mark.verify
def test_the_same_packages_give_the_same_bytes(tmp_path: Path) -> None:
    steps: list[str] = []
    again = build_image(tmp_path / "again", PACKAGES, steps.append)
    assert again.manifest == verify_image(built_image()).manifest
    assert [file.name for file in sorted(again.folder.iterdir())] == sorted(("manifest.json", *FILES))
    assert steps[-1].startswith(f"Built {again.manifest.digest[:12]}")


def test_the_command_tells_what_an_image_is(capsys: pytest.CaptureFixture[str]) -> None:
    command.verify(built_image(), json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["digest"] == verify_image(built_image()).manifest.digest
    assert any(package["name"].startswith("linux-image-") for package in told["packages"])


async def test_a_driver_without_an_image_says_how_to_get_one(tmp_path: Path) -> None:
    driver = MicroVmDriver(MicroVmSettings(folder=tmp_path, monitor="qemu"), SandboxSettings())
    report = await driver.probe()
    await driver.close()
    assert "no image" in str(report.problem)
    assert report.remedy == "Build it: raptorflow sandbox image build"


async def test_a_driver_without_qemu_says_how_to_get_it(tmp_path: Path) -> None:
    settings = MicroVmSettings(folder=tmp_path, monitor="qemu", qemu=tmp_path / "none")
    driver = MicroVmDriver(settings, SandboxSettings())
    report = await driver.probe()
    await driver.close()
    assert "QEMU is not installed" in str(report.problem)
    assert report.remedy == "apt-get install qemu-system-x86"


@pytest.mark.verify
async def test_a_probe_boots_a_guest_that_holds_everything(driver: MicroVmDriver) -> None:
    report = await driver.probe()
    assert report.problem is None
    assert report.missing == ()
    if os.geteuid() == 0:
        assert report.weakened == ()
    else:
        assert {"files"} <= set(report.weakened) <= {"files", "cpu"}
    assert report.boundary == "virtual-machine"
