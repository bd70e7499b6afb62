"""Hostile skills: checking one reaches nothing, and costs little, whatever its author wrote."""

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorflow.skills.findings import Findings
from raptorflow.skills.reader import inspect_files, read_skill_files

SKILL_MD = b"---\nname: greet\ndescription: Greets.\n---\nHello.\n"
MANIFEST = b'schema = 1\n[actions.go]\ncommand = ["x"]\ninput = "in.json"\n'
# Each of these took from ten seconds of computing to hours, or gigabytes, before it was bounded. What other
# programs of a busy machine take does not count.
MOST_CPU_SECONDS = 8.0


def found(files: dict[str, bytes]) -> set[str]:
    findings = Findings()
    inspect_files({"SKILL.md": SKILL_MD} | files, set(), "greet", findings)
    return {finding.code for finding in findings.all}


def schema(text: str) -> dict[str, bytes]:
    return {"skill.toml": MANIFEST, "in.json": text.encode()}


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A server on this machine that serves a schema, and what was asked of it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"type": "string"}')

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "text",
    [
        '{{"type": "object", "properties": {{"a": {{"$ref": "http://127.0.0.1:{port}/a"}}}}}}',
        '{{"type": "object", "$dynamicRef": "http://127.0.0.1:{port}/a#b"}}',
        '{{"type": "object", "$id": "http://127.0.0.1:{port}/a", "$ref": "b"}}',
        '{{"type": "object", "$schema": "http://127.0.0.1:{port}/meta"}}',
    ],
)
def test_a_schema_makes_the_checker_call_nobody(text: str, listener: tuple[int, list[str]]) -> None:
    port, asked = listener
    assert found(schema(text.format(port=port))) == {"skill/schema-invalid"}
    assert asked == []


def test_a_schema_makes_the_checker_read_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"type": "string"}')
    text = f'{{"type": "object", "properties": {{"a": {{"$ref": "{secret.as_uri()}"}}}}}}'
    assert found(schema(text)) == {"skill/schema-invalid"}


@pytest.mark.parametrize("link", ['"$ref": "#/$defs/a{}"', '"$ref": "#a{}"', '"$dynamicRef": "#a{}"'])
def test_references_that_multiply_are_refused(link: str) -> None:
    definitions = ",".join(
        f'"a{n}": {{"$anchor": "a{n}", "allOf": [{{{link.format(n + 1)}}}, {{{link.format(n + 1)}}}]}}'
        for n in range(60)
    )
    text = f'{{"type": "object", {link.format(0)}, "$defs": {{{definitions}, "a60": {{"$anchor": "a60"}}}}}}'
    assert found(schema(text)) == {"skill/schema-invalid"}


def test_a_schema_of_a_tree_may_refer_to_itself() -> None:
    text = (
        '{"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}, '
        '"left": {"$ref": "#/$defs/a~1b"}}, "$defs": {"a/b": {"type": "string"}}}'
    )
    assert found(schema(text)) == set()


def merge_bomb() -> bytes:
    levels = "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))
    return f"a0: &a0 {{k: v}}\n{levels}".encode()


@pytest.mark.parametrize(
    "header",
    [b"a: " + b"[" * 60_000, b"- " * 30_000, b"{" + b"a: {" * 15_000, b"? " * 30_000, merge_bomb()],
    ids=["lists", "dashes", "tables", "keys", "merges"],
)
def test_deep_and_multiplying_yaml_is_refused_at_once(header: bytes) -> None:
    started = time.process_time()
    assert found({"SKILL.md": b"---\n" + header + b"\n---\nbody"}) == {"skill/yaml-invalid"}
    assert time.process_time() - started < MOST_CPU_SECONDS


@pytest.mark.parametrize(
    "manifest",
    [
        b"schema" + b".a" * 100_000 + b" = 1",
        b"[" + b'"a" . ' * 20 + b"b]",
        b"a = " + b"[" * 100_000,
        b"a = " + b"{a=" * 100_000,
        b"# " + b"x" * 300_000,
        b"a = " + b"1" * 10_000,
    ],
    ids=["dots", "header", "lists", "tables", "long", "digits"],
)
def test_deep_and_long_toml_is_refused_at_once(manifest: bytes) -> None:
    started = time.process_time()
    assert found({"skill.toml": manifest}) == {"skill/toml-invalid"}
    assert time.process_time() - started < MOST_CPU_SECONDS


def test_a_body_of_broken_links_takes_no_longer_than_its_length() -> None:
    started = time.process_time()
    for piece in (b"](", b"](a", b"[a](b)\n", b"`", b"](<"):
        text = SKILL_MD + piece * (900_000 // len(piece))
        assert found({"SKILL.md": text}) <= {"skill/link-missing", "skill/body-long"}
    assert time.process_time() - started < 3 * MOST_CPU_SECONDS


def test_what_a_skill_says_cannot_write_to_the_terminal_of_who_checks_it() -> None:
    findings = Findings()
    files = {"SKILL.md": b'---\nname: "a\\e]0;owned\\a"\n"\\e[2J": 1\ndescription: x\n---\nx', "\x1b[2J": b""}
    inspect_files(files, set(), "\x1b[2Jfolder", findings)
    assert findings.all
    assert not any("\x1b" in f"{each.file}{each.message}{each.remedy}" for each in findings.all)


def test_every_reader_may_look_inside_a_property() -> None:
    action = read_skill_files(
        {"SKILL.md": SKILL_MD} | schema('{"type": "object", "properties": {"a": true, "b": false}}')
    ).actions[0]
    assert action.input_schema["properties"] == {"a": {}, "b": {"not": {}}}
