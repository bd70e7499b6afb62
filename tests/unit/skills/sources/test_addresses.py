"""Addresses of repositories: what they name, and what git is never given."""

import pytest

from raptorflow.skills.sources.addresses import (
    Repository,
    check_reached_from,
    is_local,
    read_repository,
    split_url,
)
from raptorflow.skills.sources.errors import SourceInvalid

COMMIT = "9d2f1ae187231d8199c64b5b762e1bdf2244733d"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("github:acme/skills", Repository("https://github.com/acme/skills.git")),
        ("github:acme/skills@v1.2#a/b/", Repository("https://github.com/acme/skills.git", "v1.2", "a/b")),
        ("https://git.example/a/b.git", Repository("https://git.example/a/b.git")),
        (f"https://git.example/a.git@{COMMIT}", Repository("https://git.example/a.git", COMMIT)),
        ("git+https://git.example/a@feature/x", Repository("https://git.example/a", "feature/x")),
        ("git+http://127.0.0.1:8000/a", Repository("http://127.0.0.1:8000/a")),
        ("git@git.example:a/b.git@v1#c", Repository("git@git.example:a/b.git", "v1", "c")),
        ("ssh://git@git.example:2222/a@v1", Repository("ssh://git@git.example:2222/a", "v1")),
        ("file:///srv/a%40b#./c", Repository("file:///srv/a%40b", "", "c")),
    ],
)
def test_a_repository_is_named_with_a_ref_and_a_folder(text: str, meant: Repository) -> None:
    assert read_repository(text) == meant


@pytest.mark.parametrize(
    "text", ["skills", "acme/skills", "https://skills.example", "ext::sh -c id", "file:a", ""]
)
def test_other_sources_are_no_repositories(text: str) -> None:
    assert read_repository(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "github:acme",
        "github:acme/..",
        "github:-acme/x",
        "git+ftp://git.example/a",
        "git+ext::sh -c id",
        "git+git://git.example/a",
        "git+http://git.example/a",
        "git+https://user:secret@git.example/a",
        "https://token@git.example/a.git",
        "ssh://git:secret@git.example/a",
        "ssh://-oProxyCommand=id/a",
        "file://host/a",
        "git+https://[::1/a",
        "git+https://git.example:port/a",
        "git+https://git.example/a b",
        "git+https://git.example/\x1b[31m",
        "git+https://git.example/a\nb",
        "https://git.example/a.git@",
        "https://git.example/a.git@--upload-pack=id",
        "https://git.example/a.git@a:b",
        "https://git.example/a.git@+a",
        "https://git.example/a.git@a..b",
        "https://git.example/a.git@a^{tree}",
        "https://git.example/a.git#",
        "https://git.example/a.git#../b",
        "https://git.example/a.git#/etc",
        "git+https://git.example/" + "a" * 3000,
    ],
)
def test_what_git_could_take_for_something_else_is_refused(text: str) -> None:
    with pytest.raises(SourceInvalid):
        read_repository(text)


def test_a_secret_in_an_address_is_not_repeated() -> None:
    with pytest.raises(SourceInvalid) as caught:
        read_repository("git+https://user:hush@git.example/a")
    assert "hush" not in str(caught.value.problem())


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("file:///srv/a", True),
        ("git+http://localhost:1/a", True),
        ("git+https://[::1]/a", True),
        ("git+https://127.1.2.3/a", True),
        ("git+ssh://a.localhost/a", True),
        ("git@localhost:/x", True),
        ("git@LocalHost.:x", True),
        ("ada@127.0.0.1:x", True),
        ("ada@127.1:x", True),
        ("ada@2130706433:x", True),
        ("ssh://git@127.1/x", True),
        ("ssh://git@0.0.0.0/x", True),
        ("ssh://git@0/x", True),
        ("ssh://git@[::]/x", True),
        ("ssh://git@[::ffff:127.0.0.1]/x", True),
        ("ssh://git@[::ffff:0.0.0.0]/x", True),
        ("https://2130706433/x.git", True),
        ("https://0x7f000001/x.git", True),
        ("https://0177.0.0.1/x.git", True),
        ("https://localhost.localdomain/x.git", True),
        ("git@git.example:a", False),
        ("git@192.0.2.1:a", False),
        ("git@127.example:a", False),
        ("git@localhost.example:a", False),
        ("https://3221225985/x.git", False),
        ("https://[2001:db8::1]/x.git", False),
        ("github:a/b", False),
    ],
)
def test_it_is_known_what_lies_on_this_machine(text: str, local: bool) -> None:
    where = read_repository(text)
    assert where
    assert is_local(where) is local


@pytest.mark.parametrize("host", ["localhost", "127.1", "0", "2130706433", "0x7f.1", "[::]", "[::1]"])
def test_a_site_elsewhere_leads_to_this_machine_under_none_of_its_names(host: str) -> None:
    here, elsewhere = split_url(f"https://{host}/x"), split_url("https://skills.example/x")
    with pytest.raises(SourceInvalid):
        check_reached_from(here, elsewhere)
    check_reached_from(elsewhere, here)
    check_reached_from(here, here)
