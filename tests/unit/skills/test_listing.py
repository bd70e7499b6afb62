"""Comparing two trees: the digest of a listing, and each file that differs."""

from hypothesis import given
from hypothesis import strategies as st

from raptorflow.skills.digest import tree_digest
from raptorflow.skills.listing import Listing

FILES = st.dictionaries(st.sampled_from(["SKILL.md", "a/b.py", "a-b", "c"]), st.binary(max_size=2))
EXECUTABLE = st.sets(st.sampled_from(["SKILL.md", "a/b.py", "a-b", "c"]))


@given(FILES, EXECUTABLE)
def test_a_listing_knows_the_digest_of_its_tree(files: dict[str, bytes], executables: set[str]) -> None:
    assert Listing.of(files, executables & files.keys()).digest() == tree_digest(files, executables)


@given(FILES, EXECUTABLE, FILES, EXECUTABLE)
def test_trees_differ_in_a_file_exactly_when_their_digests_do(
    first: dict[str, bytes], executables: set[str], second: dict[str, bytes], others: set[str]
) -> None:
    one, other = Listing.of(first, executables & first.keys()), Listing.of(second, others & second.keys())
    assert bool(one.differences(other)) == (one.digest() != other.digest())


def test_every_kind_of_difference_is_named() -> None:
    locked = Listing.of({"gone": b"", "same": b"", "text": b"1", "run": b"", "plain": b""}, {"run"})
    there = Listing.of({"new\x1b": b"", "same": b"", "text": b"2", "run": b"", "plain": b""}, {"plain"})
    assert [str(each) for each in locked.differences(there)] == [
        "gone is missing",
        "new\\x1b was added",
        "plain was made executable",
        "run was made not executable",
        "text was changed",
    ]
    assert [each.change for each in there.differences(locked)][:2] == ["missing", "added"]
