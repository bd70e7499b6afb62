"""Whether KVM boots guests here, and what mends it."""

from pathlib import Path

from raptorflow.sandbox.drivers.microvm.kvm import kvm_lack


def test_a_machine_without_the_device_is_told_so(tmp_path: Path) -> None:
    lack = kvm_lack(tmp_path / "kvm", tmp_path / "none")
    assert lack
    assert "is missing" in lack.problem
    assert "MONITOR=qemu" in (lack.remedy or "")


def test_a_kernel_that_runs_only_guests_made_for_it_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "kvm").touch()
    (tmp_path / "kvm_pvm").mkdir()
    lack = kvm_lack(tmp_path / "kvm", tmp_path / "kvm_pvm")
    assert lack
    assert "kvm_pvm" in lack.problem


def test_a_usable_device_lacks_nothing(tmp_path: Path) -> None:
    (tmp_path / "kvm").touch()
    assert kvm_lack(tmp_path / "kvm", tmp_path / "none") is None
