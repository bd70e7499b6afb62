"""Files come out of a workspace that may hold anything, and nothing else does."""

import hashlib
import itertools
import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.errors import FileRefused
from raptorflow.sandbox.running import artifacts
from raptorflow.sandbox.running.artifacts import (
    MAX_DEPTH,
    MAX_FAILURES,
    MAX_NAME,
    MAX_REFUSALS,
    Collected,
    collect,
    safe_part,
)
from raptorflow.sandbox.settings import SandboxSettings

Collect = Callable[..., Awaitable[Collected]]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work" / "out").mkdir(parents=True)
    return tmp_path / "work"


@pytest.fixture
def taken(link: Link, work: Path, tmp_path: Path) -> Collect:
    async def run(**settings: int) -> Collected:
        limits = SandboxSettings.model_validate(settings)
        return await collect(link, tmp_path / "host" / "new", limits, folder=str(work / "out"))

    return run


def names(found: Collected) -> list[str]:
    return [artifact.name for artifact in found.artifacts]


async def test_files_are_copied_with_their_facts(work: Path, taken: Collect) -> None:
    (work / "out" / "report.csv").write_bytes(b"a,b\n1,2\n")
    (work / "out" / "charts").mkdir()
    (work / "out" / "charts" / "one.png").write_bytes(b"\x89PNG")
    (work / "not-out.txt").write_text("stays")
    found = await taken()
    assert names(found) == ["charts/one.png", "report.csv"]
    assert [artifact.media_type for artifact in found.artifacts] == ["image/png", "text/csv"]
    report = found.artifacts[1]
    assert report.path.read_bytes() == b"a,b\n1,2\n"
    assert (report.size, report.sha256) == (8, hashlib.sha256(b"a,b\n1,2\n").hexdigest())
    assert found.refused == []


async def test_an_empty_folder_and_none_at_all_are_fine(work: Path, taken: Collect) -> None:
    assert (await taken()) == Collected()
    (work / "out").rmdir()
    assert (await taken()) == Collected()


async def test_what_is_no_regular_file_stays(work: Path, taken: Collect, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    (work / "out" / "link").symlink_to(secret)
    (work / "out" / "folder-link").symlink_to(tmp_path, target_is_directory=True)
    (work / "out" / "loop").symlink_to("loop")
    os.mkfifo(work / "out" / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(work / "out" / "socket"))
    (work / "out" / "good.txt").write_text("taken")
    found = await taken()
    assert names(found) == ["good.txt"]
    assert len(found.refused) == 5
    assert any("named pipe" in reason for reason in found.refused)


async def test_an_output_folder_that_became_a_link_is_not_followed(work: Path, taken: Collect) -> None:
    (work / "out").rmdir()
    (work / "out").symlink_to("/etc")
    found = await taken()
    assert found.artifacts == []
    assert len(found.refused) == 1


async def test_counts_and_sizes_have_a_limit(work: Path, taken: Collect) -> None:
    for number in range(4):
        (work / "out" / f"{number}.txt").write_bytes(b"x" * 10)
    assert names(await taken(max_artifacts=2)) == ["0.txt", "1.txt"]
    assert len((await taken(max_artifacts=2)).refused) == 2
    assert len((await taken(max_artifact_bytes=9)).artifacts) == 0
    assert len((await taken(max_artifacts_bytes=25)).artifacts) == 2


async def test_a_sparse_file_counts_with_its_length(work: Path, taken: Collect) -> None:
    with (work / "out" / "huge").open("wb") as file:
        file.truncate(2**40)
    assert (await taken()).artifacts == []


async def test_deep_folders_are_left(work: Path, taken: Collect) -> None:
    folder = work / "out"
    for number in range(MAX_DEPTH + 3):
        folder = folder / str(number)
        folder.mkdir()
        (folder / "file").write_text("x")
    found = await taken()
    assert len(found.artifacts) == MAX_DEPTH - 1
    assert len(found.refused) == 1


async def test_names_that_fall_together_stay_apart(work: Path, taken: Collect) -> None:
    for name in ("a\tb.txt", "a\nb.txt", "A_B.txt"):
        (work / "out" / name).write_text(name)
    found = await taken()
    assert len({name.casefold() for name in names(found)}) == 3
    contents = {artifact.path.read_text() for artifact in found.artifacts}
    assert contents == {"A_B.txt", "a\tb.txt", "a\nb.txt"}


async def test_files_of_the_host_are_never_overwritten(work: Path, taken: Collect, tmp_path: Path) -> None:
    (work / "out" / "x.txt").write_text("new")
    (tmp_path / "host" / "new").mkdir(parents=True)
    (tmp_path / "host" / "new" / "x.txt").write_text("old")
    assert names(await taken()) == ["x-2.txt"]
    assert (tmp_path / "host" / "new" / "x.txt").read_text() == "old"


@given(st.text(alphabet=st.characters(exclude_characters="/\0"), min_size=1, max_size=300))
def test_a_name_is_always_made_harmless(name: str) -> None:
    safe = safe_part(name)
    assert safe
    assert safe.isprintable()
    assert not set(safe) & set('/\\:*?"<>|')
    assert not safe.startswith(("-", "."))
    assert len(safe.encode()) <= MAX_NAME


def test_a_long_name_keeps_its_suffix_and_gains_no_dash() -> None:
    assert safe_part("a" * 300 + ".csv").endswith(".csv")
    assert safe_part("x" * 101 + "-" * MAX_NAME) == "_"


async def test_names_that_are_no_text_are_made_harmless(work: Path, taken: Collect) -> None:
    (work / "out" / os.fsdecode(b"\xff\xfe.csv")).write_bytes(b"x")
    assert all(name.isprintable() for name in names(await taken()))
    assert len(names(await taken())) == 1


async def test_files_that_never_come_are_asked_for_only_so_often(
    work: Path, taken: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def nothing(_link: Link, path: str, _most: int) -> AsyncGenerator[bytes]:
        asked.append(path)
        raise FileRefused("it may not be read")
        yield b""

    monkeypatch.setattr(artifacts, "get", nothing)
    for number in range(3 * MAX_FAILURES):
        (work / "out" / f"{number}.txt").touch()
    found = await taken(max_artifacts=1)
    assert len(asked) == MAX_FAILURES
    assert len(found.refused) == MAX_REFUSALS


async def test_a_file_that_does_not_come_leaves_no_folder(
    work: Path, taken: Collect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_link: Link, path: str, _most: int) -> AsyncGenerator[bytes]:
        if not path.endswith("never"):
            yield b"half"
        raise FileRefused("it changed")

    monkeypatch.setattr(artifacts, "get", broken)
    for name in ("a/b/never", "a/c/half"):
        (work / "out" / name).parent.mkdir(parents=True)
        (work / "out" / name).touch()
    assert len((await taken()).refused) == 2
    assert not (tmp_path / "host").exists()


async def test_a_folder_that_another_file_needs_stays(
    work: Path, taken: Collect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def second_breaks(_link: Link, path: str, _most: int) -> AsyncGenerator[bytes]:
        yield b"x"
        if path.endswith("two"):
            raise FileRefused("it changed")

    monkeypatch.setattr(artifacts, "get", second_breaks)
    (work / "out" / "a").mkdir()
    for name in ("one", "two"):
        (work / "out" / "a" / name).touch()
    assert names(await taken()) == ["a/one"]
    assert [path.name for path in (tmp_path / "host" / "new" / "a").iterdir()] == ["one"]


async def test_names_that_fall_together_are_numbered_without_counting_again(
    work: Path, taken: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    with_name = Path.with_name

    def counting(path: Path, name: str) -> Path:
        tried.append(name)
        return with_name(path, name)

    monkeypatch.setattr(Path, "with_name", counting)
    for signs in itertools.islice(itertools.product('?*|<>":\\', repeat=3), 200):
        (work / "out" / "".join(signs)).write_text("x")
    found = await taken(max_artifacts=200)
    assert names(found) == ["___", *(f"___-{number}" for number in range(2, 201))]
    assert len(tried) == 199
