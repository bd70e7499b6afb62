"""`raptorflow skill import` from folders, marketplaces and repositories, with the real git."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

import pytest

from raptorflow.base.errors import RaptorFlowError
from raptorflow.cli.skill.sources import git as git_source
from raptorflow.cli.skill.sources.errors import GitMissing, RefMissing, SourceUnreachable
from raptorflow.cli.skill.sources.folder import Origin, gather_folder
from raptorflow.cli.skill.sources.gather import gather
from raptorflow.cli.skill.sources.tree import Git
from raptorflow.skills.archive import pack
from raptorflow.skills.exported import Exported, write_export
from raptorflow.skills.reader import read_skill
from raptorflow.skills.sources import basket as basket_limits
from raptorflow.skills.sources.basket import Basket, Imported, Skipped
from raptorflow.skills.sources.errors import ImportTooLarge, SourceInvalid, SourceTooLarge, SourceUnknown

WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@mail.example"}
ENVIRONMENT = {**os.environ, **WHO} | {
    name.replace("AUTHOR", "COMMITTER"): each for name, each in WHO.items()
}


def make(folder: Path, words: str = "Do it.", **files: str) -> Path:
    """A skill with the name of its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    header = f"---\nname: {folder.name}\ndescription: Helps people.\n---\n"
    (folder / "SKILL.md").write_text(f"{header}{words}\n")
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "init.defaultBranch=main", "-C", str(folder), *arguments]
    return subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "more")
    return git(folder, "rev-parse", "HEAD")


def git_input(folder: Path, text: str, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that everything happens in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A tag `v1` with the skills alpha and beta; in `main` alpha is another and gamma is no skill."""
    folder = tmp_path / "repo"
    make(folder / "skills" / "alpha", words="First.", run="print(1)")
    make(folder / "skills" / "beta")
    (folder / "skills" / "alpha" / "run.py").chmod(0o755)
    (folder / "README.md").write_text("Hello")
    git(folder, "init", "-q")
    commit(folder)
    git(folder, "tag", "-am", "one", "v1")
    make(folder / "skills" / "alpha", words="Second.")
    make(folder / "skills" / "gamma")
    (folder / "skills" / "gamma" / "SKILL.md").write_text("no frontmatter")
    commit(folder)
    return folder


def skill(*arguments: str, code: int = 0) -> str:
    """What `raptorflow skill import ...` printed, after it ended as expected without a traceback."""
    command = [sys.executable, "-m", "raptorflow.cli.main", "skill", "import", *arguments]
    environment = {**os.environ, "COLUMNS": "200"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout + ended.stderr


def gathered(source: str, *select: str) -> tuple[dict[str, Imported], dict[str, Skipped]]:
    """The skills and what was left out, by name."""
    basket = gather(source, (), select)
    return {each.name: each for each in basket.skills}, {each.name: each for each in basket.skipped}


def listing(root: Path, **document: Any) -> None:
    (root / ".claude-plugin").mkdir(parents=True, exist_ok=True)
    (root / ".claude-plugin" / "marketplace.json").write_text(json.dumps({"name": "m", **document}))


def test_a_folder_gives_its_skills_and_says_what_is_none(here: Path) -> None:
    make(here / "from" / "alpha")
    make(here / "from" / "deep" / "beta", words="---\n")
    (here / "from" / "bad").mkdir()
    (here / "from" / "bad" / "SKILL.md").write_text("---\nname: bad\n---\n\x1b[31m")
    told = json.loads(skill("from", "--json", code=1))
    assert [each["name"] for each in told["skills"]] == ["alpha", "beta"]
    assert [each["source"] for each in told["skills"]] == ["from/alpha", "from/deep/beta"]
    assert [(each["name"], each["code"]) for each in told["skipped"]] == [("from/bad", "skill-invalid")]
    assert sorted(path.name for path in (here / "skills").iterdir()) == ["alpha", "beta"]
    assert read_skill(here / "skills" / "alpha").digest == told["skills"][0]["digest"]
    again = json.loads(skill("from", "--json", code=1))
    assert {each["status"] for each in again["skills"]} == {"unchanged"}


def test_what_is_in_the_way_stays_and_the_others_come(here: Path) -> None:
    make(here / "from" / "alpha")
    make(here / "from" / "beta")
    make(here / "skills" / "alpha", words="Mine.")
    told = skill("from", code=1)
    assert "alpha: " in told
    assert "1 imported, 1 left out." in told
    assert "Mine." in (here / "skills" / "alpha" / "SKILL.md").read_text()
    skill("from", "--force")
    assert "Mine." not in (here / "skills" / "alpha" / "SKILL.md").read_text()


def test_a_dry_run_writes_nothing_and_only_what_is_selected_comes(here: Path) -> None:
    make(here / "from" / "alpha")
    make(here / "from" / "beta")
    told = skill("from", "--dry-run", "--select", "beta")
    assert "beta 0.0.0+" in told
    assert "alpha" not in told
    assert not (here / "skills").exists()
    skills, skipped = gathered("from", "beta", "nope")
    assert (list(skills), skipped["nope"].code) == (["beta"], "nothing-offered")


def test_a_link_that_leads_outside_is_not_followed(here: Path) -> None:
    (here / "secret").write_text("hush")
    folder = make(here / "from" / "alpha")
    (folder / "notes.md").symlink_to("../../secret")
    make(here / "elsewhere" / "beta")
    (here / "from" / "beta").symlink_to("../elsewhere/beta")
    skills, skipped = gathered("from")
    assert not skills
    assert list(skipped) == ["from/alpha"]


def test_an_archive_is_one_skill_and_an_export_is_many(here: Path) -> None:
    archive = pack(make(here / "from" / "alpha"))
    (here / "alpha.skill").write_bytes(archive)
    exported = Exported("acme/alpha", "1.0.0", read_skill(here / "from" / "alpha").digest, archive)
    (here / "all.raptorflow").write_bytes(write_export([exported]))
    assert list(gathered("alpha.skill")[0]) == ["alpha"]
    assert list(gathered("all.raptorflow")[0]) == ["acme/alpha"]
    assert not gathered("all.raptorflow", "alpha")[1]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "source-unknown"),
        ("nowhere", "source-unknown"),
        ("acme/skills", "source-unknown"),
        ("/dev/zero", "source-unknown"),
        ("/dev/null", "source-unknown"),
        (".", "nothing-offered"),
        ("http://skills.example", "source-invalid"),
        ("https://skills.example/x", "source-unknown"),
        ("file:///nowhere", "source-unreachable"),
        ("git+file:///a@--upload-pack=touch%20x", "source-invalid"),
    ],
)
def test_what_is_no_source_is_said_to_be_none(here: Path, source: str, code: str) -> None:
    assert here.is_dir()
    with pytest.raises(RaptorFlowError) as caught:
        gather(source, (), ())
    assert caught.value.code == code


def test_a_skill_of_a_server_is_not_looked_for_elsewhere(here: Path) -> None:
    make(here / "from" / "alpha")
    with pytest.raises(SourceUnknown):
        gather("from", ["acme/alpha"], ())


def test_a_tag_of_a_repository_comes_with_its_exact_commit(here: Path, repository: Path) -> None:
    url = f"file://{repository}"
    told = json.loads(skill(f"{url}@v1#skills", "--json"))
    exact = git(repository, "rev-parse", "v1^{commit}")
    assert not told["skipped"]
    assert told["skills"][0]["source"] == f"{url}@{exact}#skills/alpha"
    placed = here / "skills" / "alpha"
    assert "First." in (placed / "SKILL.md").read_text()
    assert os.access(placed / "run.py", os.X_OK)
    assert not list(here.rglob("skills/.git"))


def test_a_branch_a_commit_and_nothing_name_what_they_say(repository: Path) -> None:
    exact = git(repository, "rev-parse", "v1^{commit}")
    by_commit, _ = gathered(f"file://{repository}@{exact}")
    by_branch, left = gathered(f"git+file://{repository}@main")
    by_default, _ = gathered(f"file://{repository}")
    assert by_commit["alpha"].digest != by_branch["alpha"].digest
    assert by_branch == by_default
    assert [name.rpartition("#")[2] for name in left] == ["skills/gamma"]


@pytest.mark.parametrize("ending", ["@nope", "#nope", "#README.md", f"@{'0' * 40}"])
def test_a_ref_or_a_folder_that_is_not_there_is_named(repository: Path, ending: str) -> None:
    with pytest.raises(RefMissing):
        gather(f"file://{repository}{ending}", (), ())


def test_nothing_of_a_repository_runs_and_no_attribute_changes_a_file(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = tmp_path / "hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    (repository / ".gitattributes").write_text("*.md filter=f text eol=crlf\n")
    commit(repository)
    settings = f'[core]\nhooksPath={hook.parent}\n[filter "f"]\nsmudge=touch {tmp_path}/ran\n'
    (tmp_path / "gitconfig").write_text(settings)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    skills, _ = gathered(f"file://{repository}", "beta")
    assert not (tmp_path / "ran").exists()
    assert b"\r" not in skills["beta"].files["SKILL.md"]


def test_links_and_large_files_of_a_repository_are_refused_with_their_skill(repository: Path) -> None:
    (repository / "skills" / "alpha" / "passwd").symlink_to("/etc/passwd")
    make(repository / "skills" / "large", words="x" * 11 * 1024 * 1024)
    (repository / "skills" / "out").symlink_to("/etc")
    commit(repository)
    skills, skipped = gathered(f"file://{repository}")
    reasons = {name.rpartition("/")[2]: each.reason for name, each in skipped.items()}
    assert list(skills) == ["beta"]
    assert "no regular file" in reasons["alpha"]
    assert "limits" in reasons["large"]


def test_a_tree_that_says_a_file_twice_writes_through_no_link(repository: Path, tmp_path: Path) -> None:
    blob = git(repository, "rev-parse", "v1:skills/beta/SKILL.md")
    outside = tmp_path / "outside"
    outside.mkdir()
    target = git_input(repository, str(outside), "hash-object", "-w", "--stdin")
    inner = git_input(repository, f"100644 blob {blob}\tSKILL.md\n", "mktree")
    outer = f"120000 blob {target}\ta\n040000 tree {inner}\ta\n"
    tree = git_input(repository, outer, "mktree")
    bad = git(repository, "commit-tree", "-m", "x", tree)
    git(repository, "update-ref", "refs/heads/bad", bad)
    with pytest.raises(SourceInvalid):
        gather(f"file://{repository}@bad", (), ())
    assert not list(outside.iterdir())


def test_trees_that_multiply_are_not_listed_to_the_end(repository: Path) -> None:
    blob = git(repository, "rev-parse", "v1:skills/beta/SKILL.md")
    tree = git_input(repository, f"100644 blob {blob}\tSKILL.md\n", "mktree")
    for _ in range(9):
        listed = "".join(f"040000 tree {tree}\t{number:02}\n" for number in range(20))
        tree = git_input(repository, listed, "mktree")
    bomb = git(repository, "commit-tree", "-m", "x", tree)
    git(repository, "update-ref", "refs/heads/bomb", bomb)
    with pytest.raises(SourceTooLarge):
        gather(f"file://{repository}@bomb", (), ())


def branch(repository: Path, name: str, tree: str) -> str:
    """The address of a branch that is one tree."""
    git(repository, "update-ref", f"refs/heads/{name}", git(repository, "commit-tree", "-m", "x", tree))
    return f"file://{repository}@{name}"


@pytest.fixture
def endless(repository: Path) -> str:
    """A branch whose trees multiply, and hold no file that a list of them could ever name."""
    tree = git_input(repository, "", "mktree")
    for _ in range(8):
        listed = "".join(f"040000 tree {tree}\t{number:02}\n" for number in range(100))
        tree = git_input(repository, listed, "mktree")
    return branch(repository, "endless", tree)


@pytest.fixture
def listing_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[IO[bytes]]:
    """The numbers of the processes that list trees, one a line, as each starts."""
    pipe, program = tmp_path / "pipe", tmp_path / "bin" / "git"
    os.mkfifo(pipe)
    program.parent.mkdir()
    tell = f'case "$*" in *ls-tree*) echo $$ > {pipe};; esac'
    program.write_text(f'#!/bin/sh\n{tell}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with os.fdopen(os.open(pipe, os.O_RDWR), "rb", buffering=0) as told:
        yield told


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_trees_that_are_listed_for_ever_are_given_up_in_time(
    endless: str, listing_git: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_source, "LIMIT_SECONDS", 2.0)
    with pytest.raises(SourceUnreachable, match="took over 2 s"):
        gather(endless, (), ())
    assert is_gone(int(listing_git.readline()))


def test_who_stops_an_import_stops_its_git(
    endless: str, listing_git: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    def stopped(git: Git, tree: str, folder: Path) -> None:
        with git.start("ls-tree", "-r", tree):
            started.append(int(listing_git.readline()))
            raise KeyboardInterrupt

    monkeypatch.setattr(git_source, "write_tree", stopped)
    with pytest.raises(KeyboardInterrupt):
        gather(endless, (), ())
    assert is_gone(started[0])


def test_paths_without_end_are_passed_by_or_refused_where_a_skill_has_them(repository: Path) -> None:
    blob = git(repository, "rev-parse", "v1:skills/beta/SKILL.md")
    deep = git_input(repository, f"100644 blob {blob}\ta\n120000 blob {blob}\tb\n", "mktree")
    for _ in range(300):
        deep = git_input(repository, f"040000 tree {deep}\ta\n", "mktree")
    beta = git(repository, "rev-parse", "v1:skills/beta")
    beside = git_input(repository, f"040000 tree {beta}\tbeta\n040000 tree {deep}\tdeep\n", "mktree")
    assert list(gathered(branch(repository, "beside", beside))[0]) == ["beta"]
    inside = git_input(repository, f"100644 blob {blob}\tSKILL.md\n040000 tree {deep}\tdeep\n", "mktree")
    with pytest.raises(SourceInvalid, match="deeper than 64 folders"):
        gather(branch(repository, "inside", inside), (), ())


def test_a_repository_that_is_too_large_or_too_slow_is_given_up(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, monkeypatch.context() as patch:
        patch.setattr(git_source, "LIMIT_SECONDS", 0.5)
        with pytest.raises(SourceUnreachable):
            gather(f"git+http://127.0.0.1:{silent.getsockname()[1]}/a", (), ())
    monkeypatch.setattr(git_source, "MAX_STORE", 100)
    with pytest.raises(SourceTooLarge):
        gather(f"file://{repository}", (), ())


def test_without_git_that_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GitMissing):
        gather(f"file://{repository}", (), ())


def test_a_marketplace_gives_what_its_plugins_list(here: Path, repository: Path) -> None:
    root = here / "market"
    for place in ("a/skills/one", "a/skills/two", "b/extra/three", "c/four"):
        make(root / "plugins" / place)
    make(root / "unlisted")
    (root / "plugins" / "b" / ".claude-plugin").mkdir()
    (root / "plugins" / "b" / ".claude-plugin" / "plugin.json").write_text('{"skills": "./extra"}')
    remote = {"source": "git-subdir", "url": f"file://{repository}", "path": "skills", "ref": "v1"}
    listing(
        root,
        metadata={"pluginRoot": "./plugins"},
        plugins=[
            {"name": "a", "source": "./a"},
            {"name": "b", "source": "./plugins/b"},
            {"name": "c", "source": "./", "strict": False, "skills": ["./c/four"]},
            {"name": "far", "source": remote, "skills": ["./alpha"]},
            {"name": "gone", "source": "./gone"},
            {"name": "out", "source": "../repo"},
            {"name": "npm", "source": {"source": "npm", "package": "x"}},
        ],
    )
    skills, skipped = gathered("market")
    assert list(skills) == ["one", "two", "three", "four", "alpha"]
    assert skills["alpha"].source.endswith(f"{git(repository, 'rev-parse', 'v1^{commit}')}#skills/alpha")
    assert list(skipped) == ["out (plugin 6)", "npm (plugin 7)", "gone"]
    by_file, _ = gathered("market/.claude-plugin/marketplace.json")
    assert list(by_file) == list(skills)
    selected, left = gathered("market", "a", "four")
    assert list(selected) == ["one", "two", "four"]
    assert not left
    assert list(gathered("market", "alpha")[0]) == ["alpha"]


def test_a_marketplace_does_not_reach_out_of_its_folder_by_a_link(here: Path, repository: Path) -> None:
    root = here / "market"
    (root / "plugins").mkdir(parents=True)
    (root / "plugins" / "x").symlink_to(repository)
    listing(root, plugins=[{"name": "x", "source": "./plugins/x"}])
    git(root, "init", "-q")
    commit(root)
    for source in ("market", f"file://{root}"):
        skills, skipped = gathered(source)
        assert not skills
        assert list(skipped) == ["x"]


def test_a_marketplace_elsewhere_names_no_repository_of_this_machine(here: Path, repository: Path) -> None:
    urls = [f"file://{repository}", "git@localhost:/x", "ada@127.0.0.1:x", "ssh://git@127.1/x"]
    listing(
        here / "market",
        plugins=[{"name": f"x{n}", "source": {"source": "url", "url": url}} for n, url in enumerate(urls)],
    )
    basket = Basket()
    gather_folder(here / "market", basket, Origin("https://git.example/market.git@0#", is_local=False))
    assert not basket.skills
    assert len(basket.skipped) == len(urls)
    assert all("on this machine" in each.reason for each in basket.skipped)


def test_an_import_ends_at_its_limits(here: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(here / "from" / "alpha")
    make(here / "from" / "beta")
    url = f"file://{repository}@v1"
    for limit, source in (("MAX_SKILLS", "from"), ("MAX_BYTES", "from"), ("MAX_FETCHED", url)):
        with monkeypatch.context() as patch:
            patch.setattr(basket_limits, limit, 1)
            with pytest.raises(ImportTooLarge):
                gather(source, (), ())


def test_two_skills_of_one_name_are_not_mixed(here: Path) -> None:
    make(here / "from" / "a" / "alpha", words="First.")
    make(here / "from" / "b" / "alpha", words="Second.")
    make(here / "from" / "c" / "alpha", words="First.")
    skills, skipped = gathered("from")
    assert skills["alpha"].source == "from/a/alpha"
    assert list(skipped) == ["from/b/alpha"]
