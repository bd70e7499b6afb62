"""Reading `SKILL.md` and `skill.toml`: real YAML, every fault with its place, and nothing that crashes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.skills.errors import SkillInvalid
from raptorflow.skills.findings import Finding, Findings
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


FAULTS: list[tuple[dict[str, bytes], str]] = [
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
    ({"SKILL.md": b"---\nname: 12\ndescription: d\n---\nx"}, "skill/name-invalid"),
    ({"SKILL.md": b"---\ndescription: d\n---\nx"}, "skill/name-missing"),
    ({"SKILL.md": b"---\nname: greet\n---\nx"}, "skill/description-missing"),
    ({"SKILL.md": GOOD.replace(b"Greets", b"G" * 1024)}, "skill/description-too-long"),
    ({"SKILL.md": GOOD.replace(b"---\nS", b"compatibility:\n---\nS")}, "skill/compatibility-missing"),
    (
        {"SKILL.md": GOOD.replace(b"---\nS", b"allowed-tools: [Read]\n---\nS")},
        "skill/allowed-tools-invalid",
    ),
    ({"SKILL.md": b"---\n[a, b]\n---\nx"}, "skill/frontmatter-empty"),
    ({"SKILL.md": b"---\n---\nx"}, "skill/frontmatter-empty"),
    ({"SKILL.md": b"---\na: 1\n...\n---\nx"}, "skill/field-unknown"),
    ({"SKILL.md": GOOD.replace(b"Greets", b'"\\e[31m"')}, "skill/yaml-invalid"),
    ({"SKILL.md": b'---\nname: greet\ndescription: "\\e[31m"\n---\nx'}, "skill/text-control"),
    ({"SKILL.md": b'---\nname: greet\ndescription: "\\uD800"\n---\nx'}, "skill/yaml-invalid"),
    ({"SKILL.md": GOOD.replace(b"Greets", "Greets\u202e".encode())}, "skill/text-hidden"),
    ({"SKILL.md": GOOD + b"\0"}, "skill/body-control"),
    ({"SKILL.md": GOOD + "\U000e0041".encode()}, "skill/text-hidden"),
    ({"SKILL.md": GOOD + b"x\n" * 501}, "skill/body-long"),
    ({"SKILL.md": GOOD + b"x" * 2**20}, "skill/skill-md-too-large"),
    ({"SKILL.md": GOOD, "../x": b""}, "skill/path-unportable"),
    (FILES | {"skill.toml": b"schema = true"}, "skill/schema-unknown"),
    (FILES | {"skill.toml": b"schema = 1\nskill = 3"}, "skill/section-invalid"),
    (FILES | {"skill.toml": b'schema = 1\n[skill]\ntags = ["\\u001b"]'}, "skill/text-control"),
    (FILES | {"skill.toml": b'schema = 1\n[skill]\ntags = [""]'}, "skill/list-long"),
    (FILES | {"skill.toml": b"schema = 1\n[skill]\ntags = 3"}, "skill/list-invalid"),
    (FILES | {"skill.toml": b'schema = 1\n[requires]\nalone = "*"'}, "skill/requires-name"),
    (FILES | {"skill.toml": b'schema = 1\n[requires]\n"a/b" = "new"'}, "skill/requires-range"),
    (FILES | {"skill.toml": b'schema = 1\n[requires]\n"a/b" = 1'}, "skill/text-invalid"),
    (FILES | {"skill.toml": b'schema = 1\n[runtime]\npython = "three"'}, "skill/python-invalid"),
    (FILES | {"skill.toml": MANIFEST.replace(b":443", b":99999")}, "skill/network-invalid"),
    (FILES | {"skill.toml": MANIFEST.replace(b"api.example.com", b"999.1.1.1")}, "skill/network-invalid"),
    (
        FILES | {"skill.toml": MANIFEST.replace(b"api.example.com", b"*.example.com")},
        "skill/network-invalid",
    ),
    (
        FILES | {"skill.toml": MANIFEST.replace(b"api.example.com", b"169.254.169.254")},
        "skill/network-internal",
    ),
    (
        FILES | {"skill.toml": MANIFEST.replace(b"[limits]", b'secrets = { K = "b.c:1" }\n[limits]')},
        "skill/secret-unbound",
    ),
    (
        FILES | {"skill.toml": MANIFEST.replace(b"[limits]", b'secrets = { "a b" = "" }\n[limits]')},
        "skill/secret-name",
    ),
    (FILES | {"skill.toml": MANIFEST.replace(b"crm", b"CRM")}, "skill/service-name"),
    (FILES | {"skill.toml": MANIFEST.replace(b'["contacts.read"]', b"[]")}, "skill/service-empty"),
    (
        FILES | {"skill.toml": MANIFEST.replace(b"[actions.greet]", b"[actions.Greet]")},
        "skill/action-name",
    ),
    (FILES | {"skill.toml": MANIFEST.replace(b'["python", "greet.py"]', b"[]")}, "skill/action-command"),
    (
        FILES | {"skill.toml": MANIFEST.replace(b'["python", "greet.py"]', b'["./greet.py"]')},
        "skill/action-not-executable",
    ),
    (
        FILES | {"skill.toml": MANIFEST + b'[actions.a_b]\ncommand=["x"]\n[actions.a-b]\ncommand=["x"]'},
        "skill/action-clash",
    ),
    (
        FILES | {"skill.toml": MANIFEST + b'description = "' + b"d" * 1025 + b'"'},
        "skill/action-description",
    ),
    (FILES | {"skill.toml": MANIFEST + b'[variables.x]\ntype = "thing"'}, "skill/variable-type"),
    (
        FILES | {"skill.toml": MANIFEST + b'[variables.x]\ntype = "integer"\ndefault = true'},
        "skill/variable-default",
    ),
    (FILES | {"skill.toml": MANIFEST + b'[variables."a b"]\ntype = "string"'}, "skill/variable-name"),
    (
        FILES | {"skill.toml": MANIFEST.replace(b'"input.json"', b'{ type = "array" }')},
        "skill/schema-invalid",
    ),
    (FILES | {"input.json": b'{"type": "array"}'}, "skill/schema-invalid"),
    (FILES | {"input.json": b'{"type": "object", "$ref": "#/$defs/gone"}'}, "skill/schema-invalid"),
    (
        FILES | {"input.json": b'{"$schema": "http://json-schema.org/draft-04/schema#"}'},
        "skill/schema-invalid",
    ),
    (FILES | {"input.json": b'{"type": "object", "title": "\\u0000"}'}, "skill/schema-invalid"),
]


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


@pytest.mark.parametrize(("files", "code"), FAULTS)
def test_every_fault_has_its_code(files: dict[str, bytes], code: str) -> None:
    assert code in codes(files)


def test_findings_name_the_line_and_a_remedy() -> None:
    with pytest.raises(SkillInvalid) as refused:
        read_skill_files(FILES | {"skill.toml": MANIFEST.replace(b"1.2.0", b"1.2")}, "greet")
    finding = refused.value.findings[0]
    assert (finding.file, finding.line) == ("skill.toml", 3)
    assert finding.remedy


def test_findings_stand_where_their_key_does_and_not_where_its_name_is_first_said() -> None:
    manifest = (
        "# network and timeout are explained below\nschema = 1\n[limits]\n# timeout = 1\ntimeout = 'soon'\n"
        "[permissions]\nnetwork = ['bad']\nservices.CRM = ['read']\n"
        "[actions.go]\ncommand = ['x']\ninput = 'gone'\n"
    )
    findings = Findings()
    inspect_files({"SKILL.md": GOOD, "skill.toml": manifest.encode()}, set(), "greet", findings)
    assert {finding.code: finding.line for finding in findings.all} == {
        "skill/limit-invalid": 5,
        "skill/network-invalid": 7,
        "skill/service-name": 8,
        "skill/schema-missing": 11,
    }


def test_lines_of_the_frontmatter_are_the_fields_own() -> None:
    text = b'\xef\xbb\xbf---\r\n"description": |\r\n  name: other\r\n"name": Greet\r\n---\r\nHello.\r\n'
    findings = Findings()
    inspect_files({"SKILL.md": text}, set(), None, findings)
    assert [(finding.code, finding.line) for finding in findings.all] == [("skill/name-invalid", 4)]


def test_destinations_are_read_without_case_and_inline_schemas_as_objects() -> None:
    manifest = MANIFEST.replace(b"api.example", b"API.Example").replace(
        b'"input.json"', b"{ properties = { a = true } }"
    )
    skill = read_skill_files(FILES | {"skill.toml": manifest}, "greet")
    assert skill.capabilities.network == {"api.example.com:443"}
    assert skill.actions[0].input_schema == {"type": "object", "properties": {"a": {}}}
    assert skill.actions[0].file_inputs() == ()


def test_an_alias_bomb_is_refused() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join(f'*a{n - 1}' for _ in range(9))}]\n" for n in range(1, 9))
    bomb = f"---\na0: &a0 [x]\n{levels}---\nbody".encode()
    assert codes({"SKILL.md": bomb}) == {"skill/yaml-invalid"}


@pytest.mark.parametrize(
    "field",
    [
        "!!map [a]",
        "a: !!map x",
        "a: !!int ''",
        "a: !!bool x",
        "a: !!timestamp x",
        "a: !!set [a]",
        "a: !!omap x",
        "a: !!binary x",
        "a: !!python/object/apply:os.system [ls]",
        "? [a]\n: b",
        "? {a: b}\n: c",
        "a: &a [*a]",
        "<<: 3",
        "<<: [1]",
        "a: 2001-99-99",
        "%YAML 9.9",
        "a: *gone",
    ],
)
def test_odd_yaml_is_a_finding(field: str) -> None:
    found = codes({"SKILL.md": f"---\n{field}\n---\nbody".encode()})
    assert found & {"skill/yaml-invalid", "skill/field-unknown", "skill/frontmatter-empty"}


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_no_bytes_crash_the_reader(document: bytes, manifest: bytes) -> None:
    codes({"SKILL.md": b"---\n" + document, "skill.toml": manifest, "a.py": manifest}, None)


yaml_tokens = [
    "name",
    ": ",
    "\n",
    "  ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!int ",
    "<<",
    "|\n",
    '"',
    "? ",
]
toml_tokens = [
    "---",
    "#",
    "1",
    "=",
    ".",
    "schema = 1\n",
    "[actions.a]\n",
    "command",
    "\\u0000",
    "\x85",
    "\ufeff",
]
tokens = st.sampled_from(yaml_tokens + toml_tokens)


@given(st.lists(tokens, max_size=40).map("".join), st.lists(tokens, max_size=40).map("".join))
def test_no_yaml_or_toml_crashes_the_reader(header: str, manifest: str) -> None:
    files = {"SKILL.md": f"---\n{header}\n---\nx", "skill.toml": manifest, "a.json": manifest}
    for finding in all_findings({path: text.encode() for path, text in files.items()}):
        assert finding.message
        assert finding.remedy
        assert finding.code.startswith("skill/")


def all_findings(files: dict[str, bytes]) -> list[Finding]:
    findings = Findings()
    inspect_files(files, set(), None, findings)
    return findings.all


@pytest.mark.parametrize(
    ("frontmatter", "line", "said"),
    [
        ("name: greet\ndescription: Use it: always", 3, "`: `"),
        ("name: greet\nargument-hint: [date] [time]", 3, "already over"),
        ("name: greet\nmetadata: {a: {b: 1}\nlicense: MIT", 3, "never closed"),
        ("name: greet\ndescription: @all of it", 3, "keeps for itself"),
        ('name: greet\ndescription: "open', 3, "never closed"),
        ("name: greet\nJust words", 3, "neither"),
        ("name: greet\ndescription: *all* of it", 3, "anchor"),
        ("name: greet\ndescription: a\x80b", 3, "U+0080"),
    ],
)
def test_what_is_no_yaml_is_told_in_plain_words_with_its_line(frontmatter: str, line: int, said: str) -> None:
    findings = Findings()
    inspect_files({"SKILL.md": f"---\n{frontmatter}\n---\nx".encode()}, set(), "greet", findings)
    (finding,) = findings.all
    assert (finding.code, finding.line) == ("skill/yaml-invalid", line)
    assert said in finding.message


def test_each_value_of_metadata_that_is_no_text_is_named_with_its_line() -> None:
    findings = Findings()
    text = GOOD.replace(b"---\nS", b'metadata:\n  a: "1"\n  b: 1.0\n  c: [d]\n---\nS')
    inspect_files({"SKILL.md": text}, set(), "greet", findings)
    told = [(finding.code, finding.line) for finding in findings.all]
    assert told == [("skill/metadata-invalid", 6), ("skill/metadata-invalid", 7)]
    assert "`metadata.b` is 1.0" in findings.all[0].message


@pytest.mark.parametrize("field", ["license", "allowed-tools"])
def test_a_bound_that_is_not_the_specifications_is_a_warning(field: str) -> None:
    findings = Findings()
    text = GOOD.replace(b"---\nS", f"{field}: {'a ' * 3000}\n---\nS".encode())
    assert inspect_files({"SKILL.md": text}, set(), "greet", findings) is not None
    assert [finding.code for finding in findings.all] == [f"skill/{field}-too-long"]


def test_what_a_skill_says_is_repeated_neither_without_end_nor_with_controls() -> None:
    findings = Findings()
    findings.error("x", "a\x1b", "\x1b" + "m" * 10_000, "\x1b" + "r" * 10_000)
    (finding,) = findings.all
    assert max(len(finding.message), len(finding.remedy)) < 600
    assert "\x1b" not in f"{finding.file}{finding.message}{finding.remedy}"
