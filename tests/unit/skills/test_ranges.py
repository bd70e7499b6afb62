"""Version ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semver import Version

from raptorflow.skills.errors import VersionRangeInvalid
from raptorflow.skills.ranges import VersionRange, best_match, newest_first

VERSIONS = ["0.9.0", "1.0.0", "1.2.0", "1.2.9", "1.3.0-rc.1", "2.0.0"]

parts = st.integers(0, 3)
releases = st.builds("{}.{}.{}".format, parts, parts, parts)
prereleases = st.builds("{}-{}.{}".format, releases, st.sampled_from(["alpha", "rc"]), parts)


@pytest.mark.parametrize(
    ("wanted", "best"),
    [
        ("latest", "2.0.0"),
        ("*", "2.0.0"),
        ("^1.0", "1.2.9"),
        ("~1.2.0", "1.2.9"),
        ("1.2.0", "1.2.0"),
        ("=v1.2.0", "1.2.0"),
        ("1", "1.2.9"),
        ("1.*", "1.2.9"),
        ("1.2.x", "1.2.9"),
        (">=1.0,<1.2.9", "1.2.0"),
        (" >= 1.0 , < 1.2 ", "1.0.0"),
        (">1.2", "2.0.0"),
        ("<=1.2", "1.2.9"),
        ("^0.9", "0.9.0"),
        (">=1.3.0-rc.1,<2.0.0", "1.3.0-rc.1"),
        ("^3", None),
        (">=2,<1", None),
    ],
)
def test_the_highest_version_in_the_range_is_chosen(wanted: str, best: str | None) -> None:
    assert best_match(VERSIONS, VersionRange.parse(wanted)) == best


def test_latest_falls_back_to_a_prerelease_when_there_is_nothing_else() -> None:
    assert best_match(["1.0.0-a"], VersionRange.parse("latest")) == "1.0.0-a"


def test_a_prerelease_of_another_version_is_not_asked_for() -> None:
    asked = VersionRange.parse("^1.3.0-rc.1")
    assert asked.matches("1.3.0-rc.2")
    assert asked.matches("1.9.0")
    assert not asked.matches("1.9.0-beta")
    assert not asked.matches("2.0.0-alpha")


@pytest.mark.parametrize(
    ("wanted", "within", "beyond"),
    [
        ("^0.2.3", "0.2.9", "0.3.0"),
        ("^0.0.3", "0.0.3", "0.0.4"),
        ("^0.0", "0.0.9", "0.1.0"),
        ("^0", "0.9.0", "1.0.0"),
        ("~1", "1.9.0", "2.0.0"),
    ],
)
def test_before_version_one_the_first_part_that_counts_may_break(
    wanted: str, within: str, beyond: str
) -> None:
    asked = VersionRange.parse(wanted)
    assert asked.matches(within)
    assert not asked.matches(beyond)


@pytest.mark.parametrize(
    "text",
    [
        "newest",
        "1.2.3.4",
        ">>1",
        "^",
        "1 2",
        "01.2",
        "1.2.3-01",
        "1.2.3-a..b",
        "1.2.3.*",
        "1.*.*.*",
        "1-rc.*",
        ",",
        "9" * 5000,
    ],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(VersionRangeInvalid):
        VersionRange.parse(text)


@given(st.text(alphabet="0123456789.^~<>=*x-+ ,v", max_size=20))
def test_any_text_is_a_range_or_refused(text: str) -> None:
    try:
        asked = VersionRange.parse(text)
    except VersionRangeInvalid:
        return
    asked.matches("1.2.3")


@given(st.sampled_from(["^", "~", "", ">=", "<=", "="]), releases)
def test_a_range_takes_the_version_it_names(operator: str, version: str) -> None:
    assert VersionRange.parse(operator + version).matches(version)


@given(st.lists(st.one_of(releases, prereleases), min_size=1), st.sampled_from("^~"), releases)
def test_the_best_match_is_the_highest_release_that_matches(
    versions: list[str], operator: str, version: str
) -> None:
    asked = VersionRange.parse(operator + version)
    best = best_match(versions, asked)
    fitting = [each for each in versions if asked.matches(each)]
    assert (best is None) == (not fitting)
    if best:
        assert all(Version.parse(best) >= Version.parse(each) for each in fitting)
        assert not Version.parse(best).prerelease


@given(st.lists(releases | prereleases, unique=True))
def test_the_newest_first_is_what_best_match_would_take_one_after_the_other(versions: list[str]) -> None:
    left, taken = list(versions), list[str]()
    while (best := best_match(left, VersionRange.parse("*"))) is not None:
        taken.append(best)
        left.remove(best)
    assert newest_first(versions) == taken
