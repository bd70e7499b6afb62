"""What is known of versions: mended lines of releases, and that distributions mend without a new number."""

import pytest

from raptorflow.sandbox.attacks.versions import flaws, versions
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


def test_the_kernel_is_always_among_the_versions() -> None:
    assert versions(SandboxSettings())["kernel"].startswith("Linux ")
