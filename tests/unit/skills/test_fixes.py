"""`--fix` mends what is safe, keeps every other byte, and does nothing the second time."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.skills.clients.outcomes import judgements
from raptorflow.skills.findings import Findings
from raptorflow.skills.fixes.fix import fix, fixed
from raptorflow.skills.frontmatter import as_mapping, parse_document
from raptorflow.skills.validate import check

MOST_CPU_SECONDS = 2.0
BODY = "\n# Hello --- world\n\n- version: 1\n"


def mended(frontmatter: str, folder: str = "greet") -> str:
    content, _ = fixed(f"---\n{frontmatter}\n---\n{BODY}".encode(), folder)
    again, done = fixed(content, folder)
    assert (again, done) == (content, [])
    text = content.decode()
    assert text.startswith("---\n")
    assert text.endswith(f"\n---\n{BODY}")
    return text.removeprefix("---\n").removesuffix(f"\n---\n{BODY}")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: greet # mine\ndescription: Say: hello", 'name: greet # mine\ndescription: "Say: hello"'),
        ("name: Greet\ndescription: x", "name: greet\ndescription: x"),
        ("name: 'GREET'   # why\ndescription: x", "name: greet   # why\ndescription: x"),
        ("name: other\ndescription: x", "name: other\ndescription: x"),
        ("allowed-tools: [Read, Bash(git:*)]", 'allowed-tools: "Read Bash(git:*)"'),
        ("allowed-tools:\n  - Read\n  - Write # w\nname: a", 'allowed-tools: "Read Write" # w\nname: a'),
        ("allowed-tools:\n- Bash(git add *)\n", "allowed-tools:\n- Bash(git add *)\n"),
        ("allowed-tools: # all\n  - Read", "allowed-tools: # all\n  - Read"),
        ("allowed-tools:\n  - Read # r\n  - Write", "allowed-tools:\n  - Read # r\n  - Write"),
        ("version: &a 1\nauthor: *a", "version: &a 1\nauthor: *a"),
        ("homepage: a\u2028b\nversion: 1", "homepage: a\u2028b\nversion: 1"),
        ("metadata:\n  a: 1.0 # one\n  b: yes\n  c: d", 'metadata:\n  a: "1.0" # one\n  b: "yes"\n  c: d'),
        ("metadata: {a: 1, b: [2]}", 'metadata: {a: "1", b: [2]}'),
        ("version: 1.0\nname: greet", 'name: greet\nmetadata:\n  version: "1.0"'),
        ("metadata:\n  a: b\nversion: 2\nname: greet", 'metadata:\n  version: "2"\n  a: b\nname: greet'),
        ("author: me\nmetadata:\n    version: '1'\n", "metadata:\n    author: \"me\"\n    version: '1'\n"),
        ("model: opus\nname: greet", "model: opus\nname: greet"),
        ("version: 1 # keep me\nname: greet", "version: 1 # keep me\nname: greet"),
        ("version: 1\nmetadata:\n  version: '2'", "version: 1\nmetadata:\n  version: '2'"),
    ],
)
def test_a_fault_is_mended_in_its_place(before: str, after: str) -> None:
    assert mended(before) == after


def test_two_byte_order_marks_go_at_once() -> None:
    content, _ = fixed(b"\xef\xbb\xbf" * 2 + b"---\nname: greet\n---\nx", "greet")
    assert content.startswith(b"---")


@pytest.mark.parametrize("piece", ["k: a: b\n", "version{}: 1\n", "x:" + "\t" * 100, "metadata:\n  v{}: 1\n"])
def test_a_long_frontmatter_is_left_alone_or_mended_at_once(piece: str) -> None:
    text = "".join(piece.format(number) for number in range(60_000 // len(piece)))
    content = f"---\nname: greet\ndescription: x\n{text}y\n---\nx".encode()
    started = time.process_time()
    fixed(content, "greet")
    judgements(content, "greet", parse_document(content, Findings()))
    assert time.process_time() - started < MOST_CPU_SECONDS


def test_windows_line_ends_and_the_body_stay(tmp_path: Path) -> None:
    text = "\ufeff---\r\nname: Greet\r\ndescription: a: b\r\n---\r\nHello\r\nall\n"
    content, done = fixed(text.encode(), "greet")
    assert content == b'---\r\nname: greet\r\ndescription: "a: b"\r\n---\r\nHello\r\nall\n'
    assert len(done) == 3


def test_a_file_is_written_in_one_step_and_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "greet"
    folder.mkdir()
    file = folder / "SKILL.md"
    file.write_text("---\nname: greet\ndescription: Say: hello\n---\nHello\n")
    file.chmod(0o640)
    assert not check(folder).ok
    assert fix(folder) == ["put values in quotes"]
    assert check(folder).ok
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in folder.iterdir()] == ["SKILL.md"]
    assert fix(folder) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("---\nname: greet\ndescription: a: b\n---\nx\n")
    folder = tmp_path / "greet"
    folder.mkdir()
    (folder / "SKILL.md").symlink_to(outside)
    assert fix(folder) == []
    assert "a: b" in outside.read_text()


VALUES = st.sampled_from(
    ["a: b", "1.0", "yes", "[a, b]", "{a: 1}", "'x'", '"y"', "|\n  z", "x # y", "*a", ""]
)
KEYS = st.sampled_from(["name", "description", "allowed-tools", "metadata", "version", "model", "a b", "é"])


@given(st.lists(st.tuples(KEYS, VALUES), max_size=6), st.sampled_from(["\n", "\r\n"]), st.text(max_size=20))
def test_no_value_is_lost_whatever_the_fields(fields: list[tuple[str, str]], end: str, body: str) -> None:
    lines = ["---", *(f"{key}: {value}" for key, value in fields), "---"]
    content = (end.join(lines) + end + body).encode("utf-8", "replace")
    before = parse_document(content, Findings())
    after_content, _ = fixed(content, "greet")
    after = parse_document(after_content, Findings())
    assert fixed(after_content, "greet")[0] == after_content
    if before is not None:
        assert after is not None
        assert after.body == before.body
        moved = {key: value for key, value in before.fields.items() if key not in after.fields}
        assert moved.keys() <= (as_mapping(after.fields.get("metadata")) or {}).keys()
