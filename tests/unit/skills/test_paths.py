"""Paths that every machine can store, and keeps apart."""

import pytest

from raptorflow.skills.paths import Spellings, path_problem


@pytest.mark.parametrize(
    "path",
    [
        "SKILL.md",
        ".gitignore",
        "a/.hidden/b",
        "scripts/über.py",
        "a b.txt",
        "con-figure.txt",
        "d/" * 14 + "x",
    ],
)
def test_ordinary_paths_have_no_problem(path: str) -> None:
    assert path_problem(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "/x",
        "../x",
        "a/../x",
        "a//x",
        "a/",
        "",
        "./x",
        "a\\x",
        "c:x",
        "x.",
        "x ",
        " x",
        "a\nx",
        "a\x1bx",
        "a\udcffx",
        "a\u202ex",
        "NUL",
        "a/com1.txt",
        "n" * 201,
        "d/" * 15 + "x",
    ],
)
def test_a_path_that_another_machine_cannot_store_has_a_problem(path: str) -> None:
    assert path_problem(path) is not None


def test_the_folder_around_a_skill_may_come_on_top() -> None:
    assert path_problem("s" * 64 + "/" + "n" * 200, wrapped=True) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a", "a"),
        ("a", "A"),
        ("a/x", "A/y"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("stra\u00dfe", "STRASSE"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_paths_that_fall_on_each_other_are_told(first: str, second: str) -> None:
    spellings = Spellings()
    assert spellings.clash(first) is None
    assert spellings.clash(second) is not None


def test_paths_beside_each_other_are_kept() -> None:
    spellings = Spellings()
    assert [spellings.clash(path) for path in ("a/x", "a/y", "b", "a/z/x")] == [None] * 4
