"""Reading `SKILL.md` and `skill.toml`: real YAML, every fault with its place, and nothing that crashes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.skills.errors import SkillInvalid
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import parse_document, write_document
from raptorflow.skills.reader import inspect_files, read_skill_files

GOOD = b"---\nname: greet\ndescription: Greets people by name.\n---\nSay hello.\n"
MANIFEST = b"""schema = 1
[skill]
version = "1.2.0"
[permissions]
network = ["api.example.com:443"]
services = { crm = ["contacts.read"] }
[limits]
timeout = "90s"
memory = "256MB"
[actions.greet]
command = ["python", "greet.py"]
input = "input.json"
"""
FILES = {
    "SKILL.md": GOOD,
    "skill.toml": MANIFEST,
    "greet.py": b"print(1)",
    "input.json": b'{"type": "object", "properties": {"file": {"type": "string", "format": "file"}}}',
}


def codes(files: dict[str, bytes], folder_name: str | None = "greet") -> set[str]:
    findings = Findings()
    inspect_files(files, set(), folder_name, findings)
    return {finding.code for finding in findings.all}


def test_a_bare_skill_is_complete_and_its_version_comes_from_its_digest() -> None:
    skill = read_skill_files({"SKILL.md": GOOD}, "greet")
    assert skill.version == f"0.0.0+{skill.digest.removeprefix('sha256:')[:12]}"
    assert not skill.capabilities.reaches_outside()
    assert skill.body == "Say hello."


def test_a_manifest_is_read_whole() -> None:
    skill = read_skill_files(FILES, "greet")
    assert skill.version == "1.2.0"
    assert skill.capabilities.services == {"crm": frozenset({"contacts.read"})}
    assert skill.capabilities.limits.timeout_seconds == 90
    assert skill.capabilities.limits.memory_bytes == 256 * 2**20
    action = skill.action("greet")
    assert action is not None
    assert action.file_inputs() == ("file",)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        b'---\n{name: greet, description: "Flow style: with a colon."}\n---\nHello.\n',
        b"---\nname: greet\ndescription: |\n  One --- two\n  three\n---\nHello.\n",
    ],
    ids=["byte-order-mark", "crlf", "flow-style", "dashes-in-a-value"],
)
def test_all_real_yaml_is_read(text: bytes) -> None:
    assert read_skill_files({"SKILL.md": text}, "greet").name == "greet"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "skill/skill-md-missing"),
        ({"SKILL.md": b"# Hello"}, "skill/frontmatter-missing"),
        ({"SKILL.md": b"---\nname: greet\n"}, "skill/frontmatter-open"),
        ({"SKILL.md": b"---\nname: [\n---\nx"}, "skill/yaml-invalid"),
        ({"SKILL.md": b"---\nname: a\nname: b\n---\nx"}, "skill/yaml-invalid"),
        ({"SKILL.md": b"---\nname: \xff\n---\nx"}, "skill/not-utf8"),
        ({"SKILL.md": b"---\nname: \xc2\x85 \x01\n---\nx"}, "skill/yaml-invalid"),
        ({"SKILL.md": GOOD.replace(b"greet", b"Greet")}, "skill/name-invalid"),
        ({"SKILL.md": GOOD.replace(b"greet", b"other")}, "skill/name-mismatch"),
        ({"SKILL.md": GOOD.replace(b"---\nS", b"version: 1\n---\nS")}, "skill/field-unknown"),
        ({"SKILL.md": GOOD.replace(b"---\nS", b"metadata: {a: 1}\n---\nS")}, "skill/metadata-invalid"),
        ({"SKILL.md": GOOD.replace(b"Say hello.", b"")}, "skill/body-empty"),
        (FILES | {"skill.toml": b"schema = 2"}, "skill/schema-unknown"),
        (FILES | {"skill.toml": b"schema = "}, "skill/toml-invalid"),
        (FILES | {"skill.toml": MANIFEST + b"\n[colour]\nred = 1"}, "skill/key-unknown"),
        (FILES | {"skill.toml": MANIFEST.replace(b"1.2.0", b"1.2")}, "skill/version-invalid"),
        (FILES | {"skill.toml": MANIFEST.replace(b":443", b"")}, "skill/network-invalid"),
        (FILES | {"skill.toml": MANIFEST.replace(b"90s", b"soon")}, "skill/limit-invalid"),
        (FILES | {"skill.toml": MANIFEST.replace(b"256MB", b"1KB")}, "skill/limit-range"),
        (FILES | {"skill.toml": MANIFEST.replace(b"greet.py", b"gone.py")}, "skill/action-script"),
        (FILES | {"input.json": b'{"type": "thing"}'}, "skill/schema-invalid"),
        (FILES | {"skill.toml": MANIFEST.replace(b"input.json", b"x.json")}, "skill/schema-missing"),
        (FILES | {"greet.py": b'# /// script\n# dependencies = ["!"]\n# ///\n'}, "skill/script-metadata"),
    ],
)
def test_every_fault_has_its_code(files: dict[str, bytes], code: str) -> None:
    assert code in codes(files)


def test_findings_name_the_line_and_a_remedy() -> None:
    with pytest.raises(SkillInvalid) as refused:
        read_skill_files(FILES | {"skill.toml": MANIFEST.replace(b"1.2.0", b"1.2")}, "greet")
    finding = refused.value.findings[0]
    assert (finding.file, finding.line) == ("skill.toml", 3)
    assert finding.remedy


def test_an_alias_bomb_is_refused() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join(f'*a{n - 1}' for _ in range(9))}]\n" for n in range(1, 9))
    bomb = f"---\na0: &a0 [x]\n{levels}---\nbody".encode()
    assert codes({"SKILL.md": bomb}) == {"skill/yaml-invalid"}


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_no_bytes_crash_the_reader(document: bytes, manifest: bytes) -> None:
    codes({"SKILL.md": b"---\n" + document, "skill.toml": manifest, "a.py": manifest}, None)


@given(st.dictionaries(st.sampled_from(["name", "description", "license"]), st.text(max_size=80)), st.text())
def test_what_is_written_is_read_back(fields: dict[str, str], body: str) -> None:
    findings = Findings()
    body = body.strip()
    document = parse_document(
        write_document(fields | {"name": "a"}, body).encode("utf-8", "replace"), findings
    )
    if "\r" not in body and body.isprintable():
        assert document is not None
        assert document.body == body
