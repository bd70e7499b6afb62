"""Inline script metadata, beside the specification's own expression."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.skills.pep723 import opening_line, script_metadata, skill_dependencies

# From https://peps.python.org/pep-0723/, which says that it decides.
REFERENCE = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"

lines = st.sampled_from(
    [
        "# /// script",
        "# /// other",
        "# ///",
        "#",
        '# dependencies = ["a"]',
        "# x = 1",
        "code",
        "",
        "#no",
        " #",
    ]
)

HANGING_CPU_SECONDS = 60.0


@given(st.lists(lines, max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_blocks_are_found_where_the_specification_finds_them(script: list[str], line_end: str) -> None:
    text = "\n".join(script)
    found = [match for match in re.finditer(REFERENCE, text) if match.group("type") == "script"]
    contents = [match.group("content") for match in found]
    try:
        metadata = script_metadata(line_end.join(script))
    except ValueError:
        assert len(found) > 1 or contents[0].count("=") > 1 or "///" in contents[0]
        return
    assert (metadata is not None) == (len(found) == 1)
    if metadata:
        assert metadata.dependencies == (("a",) if '["a"]' in contents[0] else ())


def test_dependencies_of_all_scripts_are_merged() -> None:
    files = {
        "a.py": b'# /// script\n# requires-python = ">=3.11"\n# dependencies = ["b>1", "a"]\n# ///\n',
        "lib/b.py": b'# /// script\n# dependencies = ["a"]\n# ///',
        "c.txt": b'# /// script\n# dependencies = ["never"]\n# ///',
    }
    assert skill_dependencies(files) == ("a", "b>1")


@pytest.mark.parametrize(
    "content",
    [
        'dependencies = "a"',
        'dependencies = ["!"]',
        'dependencies = ["a @ https://example.com/a.whl"]',
        'requires-python = "three"',
        "dependencies = [",
        "a = " + "[" * 5000,
        ".".join("a" * 5000) + " = 1",
    ],
)
def test_a_bad_block_names_its_script(content: str) -> None:
    with pytest.raises(ValueError, match=r"^bad\.py: "):
        skill_dependencies({"bad.py": f"# /// script\n# {content}\n# ///\n".encode()})


def test_a_file_of_opening_lines_takes_no_longer_than_its_length() -> None:
    # Quadratic, it would take hours: the limit is there for that alone.
    started = time.process_time()
    assert script_metadata("# /// script\n" * 200_000) is None
    assert time.process_time() - started < HANGING_CPU_SECONDS


def test_the_line_of_a_block_is_known() -> None:
    assert opening_line("#!/bin/python\n\n# /// script\n# ///\n") == 3
    assert opening_line("print(1)") is None
