"""What is written reads as the same skill again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.skills.capabilities import MIB, Capabilities, Limits
from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import parse_document, write_document
from raptorflow.skills.model import Action, Skill, Variable
from raptorflow.skills.reader import read_skill_files
from raptorflow.skills.writer import with_version, write_manifest, write_skill

names = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True)
# Any character that a text may have: no controls, no halves of pairs.
texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=80).filter(str.strip)
labels = st.lists(texts.filter(lambda text: len(text) <= 50), max_size=3).map(tuple)
limits = st.builds(
    Limits,
    timeout_seconds=st.floats(0.001, 3600),
    memory_bytes=st.integers(16 * MIB, 2**36),
    cpus=st.floats(0.01, 64),
    pids=st.integers(1, 4096),
    disk_bytes=st.integers(1, 2**16).map(lambda size: size * MIB),
    output_bytes=st.integers(1024, 2**30),
)
capabilities = st.builds(
    Capabilities,
    network=st.just(frozenset({"a.example:443", "b.example:80"})),
    secrets=st.dictionaries(st.sampled_from(["KEY", "token_2"]), st.just("a.example:443"), max_size=2),
    services=st.dictionaries(names, st.frozensets(names, min_size=1, max_size=3), max_size=2),
    limits=limits,
)
schemas = st.fixed_dictionaries(
    {"type": st.just("object")},
    optional={
        "description": texts,
        "properties": st.dictionaries(texts, st.just({"type": "string"}), max_size=3),
    },
)
variables = st.one_of(
    st.builds(Variable, st.just("currency"), st.just("string"), texts, texts),
    st.builds(Variable, st.just("share"), st.just("number"), st.floats(-1e6, 1e6), st.just("")),
    st.builds(Variable, st.just("strict"), st.just("boolean"), st.none() | st.booleans()),
)
actions = st.builds(
    Action, names, texts.map(str.strip), labels.map(lambda rest: ("run", *rest)), schemas, schemas
)
skills = st.builds(
    Skill,
    name=names,
    description=texts.map(str.strip),
    version=st.sampled_from(["0.1.0", "1.2.3-rc.1+build.5"]),
    body=texts,
    digest=st.just(""),
    license=st.none() | texts,
    compatibility=st.none() | texts,
    metadata=st.dictionaries(texts, texts, max_size=3),
    allowed_tools=st.just(("Read", "Bash(git:*)")),
    categories=labels,
    tags=labels,
    requires=st.dictionaries(st.builds("{}/{}".format, names, names), st.just("^1.2"), max_size=2),
    capabilities=capabilities,
    actions=st.lists(actions, max_size=2, unique_by=lambda action: action.name).map(tuple),
    variables=st.lists(variables, max_size=2, unique_by=lambda variable: variable.name).map(tuple),
    python=st.sampled_from([">=3.11", ">=3.12,<4"]),
    has_manifest=st.just(True),
)


@given(skills)
def test_a_written_skill_is_read_back_the_same(skill: Skill) -> None:
    again = read_skill_files(write_skill(skill), skill.name)
    assert replace(again, digest="", files=()) == skill


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=80), max_size=4), st.text(max_size=200))
def test_any_fields_and_body_that_can_be_written_are_read_back(fields: dict[str, str], body: str) -> None:
    text = write_document({"name": "a", **fields}, body)
    findings = Findings()
    document = parse_document(text.encode(errors="surrogatepass"), findings)
    if document is None:
        assert findings.errors()
        return
    assert document.body == body.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not any(set(value) & set("\r\x85\u2028\u2029\ufeff") for value in (*fields, *fields.values())):
        assert document.fields == {"name": "a", **fields}


def test_a_bare_skill_has_one_file() -> None:
    files = {"SKILL.md": b"---\nname: greet\ndescription: Greets.\n---\nHello.\n"}
    assert write_skill(read_skill_files(files, "greet")).keys() == {"SKILL.md"}


def test_a_new_version_leaves_comments_and_order_alone() -> None:
    text = '# ours\nschema = 1\n\n[skill]   # about\ntags = ["a"]\nversion = "1.0.0"  # raise me\n'
    assert with_version(text, "1.1.0") == text.replace("1.0.0", "1.1.0")
    assert 'version = "2.0.0"' in with_version("schema = 1\n", "2.0.0")
    with pytest.raises(ValueError, match="line"):
        with_version("schema = ", "1.0.0")


def test_defaults_are_left_out() -> None:
    skill = Skill("a", "b", "1.0.0", "c", "")
    assert write_manifest(skill).split() == ["schema", "=", "1", "[skill]", "version", "=", '"1.0.0"']
