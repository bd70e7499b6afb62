"""`marketplace.json` and the `.well-known` index, as they are and as somebody with bad intent writes them."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raptorflow.skills.sources import marketplace, well_known
from raptorflow.skills.sources.addresses import Repository
from raptorflow.skills.sources.errors import SourceInvalid
from raptorflow.skills.sources.marketplace import read_marketplace, read_plugin_skills
from raptorflow.skills.sources.well_known import SCHEMA, Offer, Part, read_index

SHA = "ab" * 20
DIGEST = "sha256:" + "0f" * 32
SITE = "https://skills.example/.well-known/agent-skills/index.json"
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def market(*plugins: Any, **more: Any) -> marketplace.Marketplace:
    return read_marketplace(json.dumps({"name": "m", "plugins": plugins, **more}).encode())


def index(*skills: Any, url: str = SITE, schema: str | None = SCHEMA) -> well_known.Index:
    named = {"$schema": schema} if schema else {}
    return read_index(json.dumps({"skills": skills, **named}).encode(), url)


def entry(name: str = "pdf", **fields: Any) -> dict[str, Any]:
    return {"name": name, "type": "skill-md", "url": f"{name}/SKILL.md", "digest": DIGEST} | fields


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("./", ("",)),
        ("./plugins/a/", ("plugins/a",)),
        ({"source": "github", "repo": "acme/a"}, Repository("https://github.com/acme/a.git")),
        (
            {"source": "github", "repo": "acme/a", "ref": "v1", "sha": SHA},
            Repository("https://github.com/acme/a.git", SHA),
        ),
        (
            {"source": "url", "url": "https://git.example/a.git", "ref": "v1"},
            Repository("https://git.example/a.git", "v1"),
        ),
        (
            {"source": "git-subdir", "url": "git@git.example:a.git", "path": "./b"},
            Repository("git@git.example:a.git", "", "b"),
        ),
    ],
)
def test_a_plugin_s_source_is_read(source: Any, meant: object) -> None:
    read = market({"name": "a", "source": source, "skills": ["./x", "skills/y"]})
    assert not read.refused
    (plugin,) = read.plugins
    assert plugin.source == meant
    assert plugin.skills == ("x", "skills/y")


def test_the_common_root_of_plugins_may_stand_in_front_of_paths_or_not() -> None:
    (plugin,) = market({"name": "a", "source": "./a"}, metadata={"pluginRoot": "./plugins"}).plugins
    assert plugin.source == ("plugins/a", "a")


@pytest.mark.parametrize(
    "plugin",
    [
        None,
        7,
        {},
        {"name": "a"},
        {"name": "a", "source": 3},
        {"name": "a", "source": []},
        {"name": "a", "source": ""} | {"name": "../a"},
        {"name": "a\x1b[2J", "source": "./"},
        {"name": "a" * 200, "source": "./"},
        {"name": "a", "source": "/etc"},
        {"name": "a", "source": "~/x"},
        {"name": "a", "source": "../a"},
        {"name": "a", "source": "a/../../b"},
        {"name": "a", "source": "a\\..\\b"},
        {"name": "a", "source": "a\x00b"},
        {"name": "a", "source": "a/" * 5000},
        {"name": "a", "source": "./", "skills": "../x"},
        {"name": "a", "source": "./", "skills": {"x": 1}},
        {"name": "a", "source": "./", "skills": [1]},
        {"name": "a", "source": "./", "skills": ["x"] * 3000},
        {"name": "a", "source": "./", "strict": "no"},
        {"name": "a", "source": {"source": "npm", "package": "a"}},
        {"name": "a", "source": {"source": "command", "command": "id"}},
        {"name": "a", "source": {"source": "github", "repo": "a/b/c"}},
        {"name": "a", "source": {"source": "github", "repo": "a/b", "sha": "abc"}},
        {"name": "a", "source": {"source": "github", "repo": "a/b", "ref": "--x"}},
        {"name": "a", "source": {"source": "url", "url": "ext::sh -c id"}},
        {"name": "a", "source": {"source": "url", "url": "http://git.example/a"}},
        {"name": "a", "source": {"source": "git-subdir", "url": "https://git.example/a", "path": "../x"}},
    ],
)
def test_a_plugin_that_cannot_be_used_does_not_keep_the_others(plugin: Any) -> None:
    read = market(plugin, {"name": "good", "source": "./good"})
    assert [each.name for each in read.plugins] == ["good"]
    assert len(read.refused) == 1
    assert all(len(reason) < 400 and reason.isprintable() for reason in read.refused.values())


def test_a_name_that_is_given_twice_counts_once() -> None:
    read = market({"name": "a", "source": "./a"}, {"name": "a", "source": "./b"})
    assert [each.source for each in read.plugins] == [("a",)]
    assert read.refused == {"a (plugin 2)": "It is listed twice."}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"{" * 100_000,
        b'{"plugins": {}}',
        b'{"plugins": [' + b"1," * 3000 + b"1]}",
        b'{"plugins": [], "name": 3}',
        b'{"plugins": [], "metadata": {"pluginRoot": "../x"}}',
        b'{"plugins": []' + b" " * marketplace.MAX_BYTES + b"}",
    ],
)
def test_a_document_that_is_no_marketplace_is_refused(content: bytes) -> None:
    with pytest.raises(SourceInvalid):
        read_marketplace(content)


def test_a_plugin_s_own_list_is_read() -> None:
    assert read_plugin_skills(b'{"skills": "./mine/"}') == ("mine",)
    assert read_plugin_skills(b"{}") == ()
    with pytest.raises(SourceInvalid):
        read_plugin_skills(b'{"skills": ["../x"]}')


def test_an_index_offers_single_files_and_archives_at_resolved_addresses() -> None:
    read = index(
        entry(),
        entry("xlsx", type="archive", url="/files/xlsx.tar.gz"),
        entry("far", url="https://files.example/far.md"),
    )
    digest = DIGEST.removeprefix("sha256:")
    assert not read.refused
    assert read.offers == (
        Offer("pdf", (Part("SKILL.md", SITE.replace("index.json", "pdf/SKILL.md"), digest),)),
        Offer("xlsx", (Part("", "https://skills.example/files/xlsx.tar.gz", digest),), is_archive=True),
        Offer("far", (Part("SKILL.md", "https://files.example/far.md", digest),)),
    )


def test_an_older_index_lists_files_with_or_without_digests() -> None:
    files = ["SKILL.md", {"path": "a b/#c.md", "digest": DIGEST}]
    (offer,) = index({"name": "pdf", "files": files}, schema=None).offers
    assert [part.path for part in offer.parts] == ["SKILL.md", "a b/#c.md"]
    assert [part.digest for part in offer.parts] == ["", DIGEST.removeprefix("sha256:")]
    assert offer.parts[1].url.endswith("/pdf/a%20b/%23c.md")


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "pdf",
        entry("Pdf"),
        entry("a" * 65),
        entry("../pdf"),
        entry() | {"name": 3},
        entry(type="exe"),
        entry(url=None),
        entry(url="http://skills.example/pdf"),
        entry(url="file:///etc/passwd"),
        entry(url="https://127.0.0.1/pdf"),
        entry(url="https://localhost./pdf"),
        entry(url="https://u:p@skills.example/pdf"),
        entry(url="//[::1/pdf"),
        entry(url="a" * 5000),
        entry(url="a\nb"),
        entry(digest="sha256:" + "0F" * 32),
        entry(digest="md5:00"),
        entry(digest=None),
    ],
)
def test_an_entry_that_cannot_be_used_does_not_keep_the_others(bad: Any) -> None:
    read = index(bad, entry("good"))
    assert [each.name for each in read.offers] == ["good"]
    assert len(read.refused) == 1


@pytest.mark.parametrize(
    "files",
    [
        None,
        [],
        "SKILL.md",
        ["../SKILL.md"],
        ["/SKILL.md"],
        ["a//b"],
        ["a\x00"],
        [3],
        [{"path": "SKILL.md", "digest": "x"}],
        ["SKILL.md", "skill.MD"],
        ["a", "a/b"],
        ["x"] * 2,
        [f"f{number}" for number in range(1001)],
    ],
)
def test_files_that_lead_elsewhere_or_clash_are_refused(files: Any) -> None:
    read = index({"name": "pdf", "files": files}, schema=None)
    assert not read.offers
    assert len(read.refused) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"[]",
        b'{"skills": 3}',
        b'{"$schema": "https://schemas.example/9", "skills": []}',
        b'{"$schema": ["x"], "skills": []}',
        json.dumps({"skills": [entry(f"s{number}") for number in range(2001)]}).encode(),
    ],
)
def test_a_document_that_is_no_index_is_refused(content: bytes) -> None:
    with pytest.raises(SourceInvalid):
        read_index(content, SITE)


def test_an_index_on_this_machine_may_lead_to_this_machine() -> None:
    read = index(entry(), url="http://127.0.0.1:9/.well-known/skills/index.json")
    assert read.offers[0].parts[0].url == "http://127.0.0.1:9/.well-known/skills/pdf/SKILL.md"


@settings(max_examples=50)
@given(VALUES, VALUES)
def test_no_value_makes_the_readers_stumble(first: Any, second: Any) -> None:
    for document in (first, {"plugins": first, "skills": first, "metadata": second, "$schema": second}):
        content = json.dumps(document).encode()
        with suppress(SourceInvalid):
            read_marketplace(content)
        with suppress(SourceInvalid):
            read_index(content, SITE)
    keys = ("name", "source", "skills", "type", "url", "digest", "files", "path", "repo", "ref", "sha")
    for key in keys:
        table = {"name": "a", "source": {"source": "git-subdir", "url": "https://git.example/a"}}
        market(table | {key: first}, table | {"source": {**table, "source": "github", key: first}})
        index(entry() | {key: first})
        index({"name": "a", "files": [{"path": "a", key: first}]} | {key: second}, schema=None)
