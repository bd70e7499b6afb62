"""Version ranges."""

import pytest

from raptorflow.skills.errors import VersionRangeInvalid
from raptorflow.skills.ranges import VersionRange, best_match

VERSIONS = ["0.9.0", "1.0.0", "1.2.0", "1.2.9", "1.3.0-rc.1", "2.0.0"]


@pytest.mark.parametrize(
    ("wanted", "best"),
    [
        ("latest", "2.0.0"),
        ("*", "2.0.0"),
        ("^1.0", "1.2.9"),
        ("~1.2.0", "1.2.9"),
        ("1.2.0", "1.2.0"),
        ("1", "1.2.9"),
        (">=1.0,<1.2.9", "1.2.0"),
        ("^0.9", "0.9.0"),
        (">=1.3.0-rc.1,<2.0.0", "1.3.0-rc.1"),
        ("^3", None),
    ],
)
def test_the_highest_version_in_the_range_is_chosen(wanted: str, best: str | None) -> None:
    assert best_match(VERSIONS, VersionRange.parse(wanted)) == best


def test_latest_falls_back_to_a_prerelease_when_there_is_nothing_else() -> None:
    assert best_match(["1.0.0-a"], VersionRange.parse("latest")) == "1.0.0-a"


@pytest.mark.parametrize("text", ["newest", "1.2.3.4", ">>1", "^", "1 2"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(VersionRangeInvalid):
        VersionRange.parse(text)
