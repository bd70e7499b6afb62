"""What the driver says it holds is what was tried, and what could not be used is tried again."""

from pathlib import Path

import pytest
from tests.support.microvm_parts import built_image

from raptorflow.sandbox.cgroups import v1, v2
from raptorflow.sandbox.drivers.microvm.cells import Cells
from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.microvm.quota import is_held_back
from raptorflow.sandbox.drivers.microvm.selftest import SelfTest
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.skills.capabilities import Limits


def unlimited(_limits: Limits) -> int:
    """As a kernel that takes a limit and holds nobody to it."""
    return 1_000_000_000


@pytest.fixture
def cells(tmp_path: Path) -> Cells:
    return Cells(MicroVmSettings(folder=tmp_path))


async def test_a_limit_on_processor_time_is_tried(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await is_held_back(cells) == bool(cells.version)
    for version in (v1, v2):
        monkeypatch.setattr(version, "quota_microseconds", unlimited)
    assert not await is_held_back(cells)
    assert not [name for name in cells.found() if name.startswith("quota-")]
    cells.close()


@pytest.mark.verify
async def test_what_holds_nobody_is_not_called_the_kernels(
    driver: MicroVmDriver, monkeypatch: pytest.MonkeyPatch, cells: Cells
) -> None:
    for version in (v1, v2):
        monkeypatch.setattr(version, "quota_microseconds", unlimited)
    report = await SelfTest(driver, SandboxSettings(start_seconds=120), "QEMU", cells, root=False).execute()
    assert report.guarantees["cpu"].holder == ("missing" if cells.version else "supervised")
    # A monitor that is no user of its own is this one, with all that this one may open.
    assert report.guarantees["files"].holder == "supervised"
    assert "as root" in str(report.remedy)
    cells.close()


async def test_an_image_that_is_built_later_is_found(tmp_path: Path) -> None:
    driver = MicroVmDriver(
        MicroVmSettings(folder=tmp_path, monitor="qemu", boot_seconds=0.2), SandboxSettings()
    )
    assert "no image" in str((await driver.probe()).problem)
    (tmp_path / "image").symlink_to(built_image())
    assert "no image" not in str((await driver.probe()).problem)
    await driver.close()
