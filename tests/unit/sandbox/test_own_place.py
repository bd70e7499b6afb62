"""A process that has moved itself out of the way still knows which group it was given."""

from pathlib import Path

import pytest

from raptorflow.sandbox.cgroups.v2 import OWN_LEAF, own_place, places_v2


@pytest.mark.parametrize("given", ["", "scope", "user.slice/scope"])
def test_the_leaf_that_it_moved_into_is_not_its_place(tmp_path: Path, given: str) -> None:
    assert own_place(tmp_path, f"0::/{given}/{OWN_LEAF}\n".replace("//", "/")) == tmp_path / given
    assert own_place(tmp_path, f"0::/{given}\n") == tmp_path / given


def test_version_1_beside_it_does_not_matter(tmp_path: Path) -> None:
    membership = f"4:memory:/other\n1:name=systemd:/x\n0::/scope/{OWN_LEAF}\n"
    assert own_place(tmp_path, membership) == tmp_path / "scope"


def test_groups_are_looked_for_where_they_were_before_the_move(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    (tmp_path / "scope" / OWN_LEAF).mkdir(parents=True)
    before = places_v2(tmp_path, "0::/scope\n")
    assert before == [tmp_path, tmp_path / "scope"]
    assert places_v2(tmp_path, f"0::/scope/{OWN_LEAF}\n") == before
