"""The resolver: newest versions that fit, locked ones first, and reasons when nothing fits."""

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raptorflow.skills.ranges import VersionRange
from raptorflow.skills.resolving.graph import in_order, in_plain_order
from raptorflow.skills.resolving.model import Candidate, DependenciesUnsolvable, DependencyCycle, Universe
from raptorflow.skills.resolving.solver import resolve

Written = Mapping[str, Mapping[str, Mapping[str, str]]]


def universe(written: Written) -> Universe:
    """`{"a/x": {"1.0.0": {"a/y": "^1"}}}`."""
    return {
        name: [Candidate(version, requires) for version, requires in versions.items()]
        for name, versions in written.items()
    }


def chosen(wishes: Mapping[str, str], written: Written, **locked: str) -> dict[str, str]:
    known = {name.replace("_", "/"): version for name, version in locked.items()}
    return {name: one.version for name, one in resolve(wishes, universe(written), known).items()}


def test_the_newest_that_fit_are_taken_and_nothing_else() -> None:
    written: Written = {
        "a/x": {"1.0.0": {}, "1.1.0": {"a/y": "^2"}},
        "a/y": {"1.0.0": {}, "2.0.0": {}, "2.1.0": {}, "3.0.0": {}},
        "a/z": {"1.0.0": {}},
    }
    assert chosen({"a/x": "^1"}, written) == {"a/x": "1.1.0", "a/y": "2.1.0"}
    assert chosen({"a/x": "~1.0"}, written) == {"a/x": "1.0.0"}
    assert chosen({}, written) == {}


def test_a_locked_version_is_kept_while_it_fits() -> None:
    written: Written = {"a/x": {"1.0.0": {}, "1.1.0": {}, "2.0.0": {}}}
    assert chosen({"a/x": "^1"}, written, a_x="1.0.0") == {"a/x": "1.0.0"}
    assert chosen({"a/x": "^2"}, written, a_x="1.0.0") == {"a/x": "2.0.0"}


def test_an_older_version_is_taken_where_the_newest_does_not_fit() -> None:
    written: Written = {
        "a/x": {"1.0.0": {"a/y": "^1"}, "2.0.0": {"a/y": "^2"}},
        "a/z": {"1.0.0": {"a/y": "^1"}},
        "a/y": {"1.0.0": {}, "2.0.0": {}},
    }
    assert chosen({"a/x": "*", "a/z": "*"}, written) == {"a/x": "1.0.0", "a/y": "1.0.0", "a/z": "1.0.0"}


def test_prereleases_are_only_for_who_asks() -> None:
    written: Written = {"a/x": {"1.0.0": {}, "1.1.0-rc.1": {}}, "a/y": {"1.0.0-beta": {}}}
    assert chosen({"a/x": "^1"}, written) == {"a/x": "1.0.0"}
    assert chosen({"a/x": "^1.1.0-rc.0"}, written) == {"a/x": "1.1.0-rc.1"}
    assert chosen({"a/y": "*"}, written) == {"a/y": "1.0.0-beta"}


def refusal(wishes: Mapping[str, str], written: Written) -> DependenciesUnsolvable:
    with pytest.raises(DependenciesUnsolvable) as refused:
        chosen(wishes, written)
    return refused.value


def test_a_conflict_names_who_wants_what() -> None:
    written: Written = {
        "acme/ads": {"2.0.0": {"acme/voice": "^2"}},
        "acme/crm": {"1.4.0": {"acme/voice": "^1"}},
        "acme/voice": {"1.0.0": {}, "2.0.0": {}},
    }
    error = refusal({"acme/ads": "^2", "acme/crm": "^1"}, written)
    assert "acme/ads 2.0.0 requires acme/voice ^2" in error.message
    assert "acme/crm 1.4.0 requires acme/voice ^1" in error.message
    assert error.hint == "Ask for other versions of acme/ads or acme/crm that agree on acme/voice."


def test_a_missing_skill_or_version_is_named_with_what_there_is() -> None:
    written: Written = {"acme/voice": {"1.0.0": {}, "2.0.0": {}}, "acme/ads": {"1.0.0": {"acme/voise": "^1"}}}
    error = refusal({"acme/ads": "^1"}, written)
    assert "there is no skill acme/voise" in error.message
    assert str(error.hint).startswith("Did you mean acme/voice?")
    error = refusal({"acme/voice": "^3"}, written)
    assert error.message == "No versions fit: you ask for acme/voice ^3, and there are only 2.0.0, 1.0.0."
    assert "2.0.0" in str(error.hint)


def test_a_cycle_is_named_in_full() -> None:
    written: Written = {
        "a/x": {"1.0.0": {"a/y": "*"}},
        "a/y": {"1.0.0": {"a/z": "*"}},
        "a/z": {"1.0.0": {"a/x": "*"}},
    }
    with pytest.raises(DependencyCycle, match="a/x -> a/y -> a/z -> a/x"):
        chosen({"a/x": "*"}, written)


def test_each_comes_after_what_it_requires() -> None:
    written: Written = {
        "a/x": {"1.0.0": {"a/y": "*", "a/z": "*"}},
        "a/y": {"1.0.0": {"a/z": "*"}},
        "a/z": {"1.0.0": {}},
    }
    assert in_order(resolve({"a/x": "*"}, universe(written))) == ["a/z", "a/y", "a/x"]


def test_a_thousand_skills_in_a_row_and_in_layers() -> None:
    row: dict[str, dict[str, dict[str, str]]] = {
        f"a/s{n}": {f"1.{v}.0": {f"a/s{n + 1}": "^1"} for v in range(3)} for n in range(1000)
    }
    row["a/s1000"] = {"1.0.0": {}}
    assert len(chosen({"a/s0": "*"}, row)) == 1001


NAMES = ["a/a", "a/b", "a/c", "a/d"]
VERSIONS = ["1.0.0", "1.1.0", "2.0.0"]
RANGES = st.sampled_from(["*", "^1", "^2", "1.0.0", ">=1.1", "<2"])


@st.composite
def universes(draw: st.DrawFn) -> Written:
    written: dict[str, dict[str, dict[str, str]]] = {}
    for place, name in enumerate(NAMES):
        versions = draw(st.lists(st.sampled_from(VERSIONS), unique=True, max_size=3))
        # Later ones only, so that there are no cycles.
        later = NAMES[place + 1 :]
        requires = (
            st.dictionaries(st.sampled_from(later), RANGES, max_size=2)
            if later
            else st.just(dict[str, str]())
        )
        written[name] = {version: draw(requires) for version in versions}
    return written


def fits(choice: Mapping[str, str | None], wishes: Mapping[str, str], written: Written) -> bool:
    wanted = [*wishes.items()]
    for name, version in choice.items():
        if version is not None:
            wanted += written[name][version].items()
    return all(
        (version := choice.get(name)) is not None and VersionRange.parse(text).matches(version)
        for name, text in wanted
    )


@settings(max_examples=300, deadline=None)
@given(universes(), st.dictionaries(st.sampled_from(NAMES), RANGES, min_size=1, max_size=3))
def test_it_finds_a_choice_exactly_when_there_is_one(written: Written, wishes: dict[str, str]) -> None:
    spaces = [[None, *versions] for versions in written.values()]
    possible = any(
        fits(dict(zip(written, choice, strict=True)), wishes, written)
        for choice in itertools.product(*spaces)
    )
    if possible:
        assert fits(chosen(wishes, written), wishes, written)
    else:
        error = refusal(wishes, written)
        assert error.message
        assert error.hint


def test_a_skill_may_build_on_its_namesake_of_another_namespace() -> None:
    requires = {"ads": ["other/ads", "acme/voice"], "voice": ["other/voice"], "a": ["acme/ads"]}
    assert in_plain_order(requires) == ["voice", "ads", "a"]
    with pytest.raises(DependencyCycle, match="ads -> voice -> ads"):
        in_plain_order(requires | {"voice": ["other/ads"]})
