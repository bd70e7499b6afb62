"""A guest agent reads and writes regular files below plain paths, and nothing else."""

import asyncio
import errno
import os
import resource
import socket
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

import pytest

from raptorflow.sandbox.agent.files import Entry, get, names, put
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.errors import FileRefused


class Agent(Protocol):
    """The fixture's."""

    pid: int


MIB = 1024 * 1024
MOST = 64 * MIB


async def read(link: Link, path: Path | str, most: int = MOST) -> bytes:
    async with asyncio.timeout(30):
        return b"".join([chunk async for chunk in get(link, str(path), most)])


def position(pid: int, path: Path) -> int:
    """Up to where a process has read a file that it has open."""
    opened = [entry for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.resolve() == path]
    return int(Path(f"/proc/{pid}/fdinfo/{opened[0].name}").read_text().split()[1])


async def refused_get(link: Link, path: Path | str, most: int = MOST) -> int:
    with pytest.raises(FileRefused) as refused:
        await read(link, path, most)
    return refused.value.details.get("errno", 0)


async def refused_put(link: Link, path: Path | str) -> int:
    with pytest.raises(FileRefused) as refused:
        await put(link, str(path), [b"x"])
    return refused.value.details.get("errno", 0)


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 9 * MIB])
async def test_a_file_goes_in_and_comes_out(link: Link, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / "a" / "b" / "file.bin"
    await put(link, str(path), [content, b""], 0o640)
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o7777 == 0o640
    assert await read(link, path) == content


async def test_what_exists_is_not_overwritten(link: Link, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    assert await refused_put(link, tmp_path / "file") == errno.EEXIST
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize(
    "path", ["/", "", "..", "/usr/../etc/hostname", "/usr/./x", "/usr/x\0y", "/usr/folder/", "//", "."]
)
async def test_a_path_that_is_not_plain_is_refused(link: Link, path: str) -> None:
    assert await refused_get(link, path) == errno.EINVAL
    assert await refused_put(link, path) == errno.EINVAL


async def test_a_path_that_is_too_long_is_refused(link: Link, tmp_path: Path) -> None:
    assert await refused_put(link, tmp_path / ("x" * 256)) == errno.ENAMETOOLONG
    assert await refused_get(link, tmp_path / ("x" * 256)) == errno.ENAMETOOLONG


async def test_no_step_of_a_path_may_be_a_link(link: Link, tmp_path: Path) -> None:
    (tmp_path / "real" / "below").mkdir(parents=True)
    (tmp_path / "real" / "below" / "file").write_text("x")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "link").symlink_to("below")
    (tmp_path / "real" / "below" / "link").symlink_to("file")
    (tmp_path / "real" / "below" / "nowhere").symlink_to(tmp_path / "made")
    for steps in ("link/below/file", "real/link/file", "real/below/link", "real/below/nowhere"):
        assert await refused_get(link, tmp_path / steps) in {errno.ELOOP, errno.ENOTDIR}
    for steps in ("link/new", "real/link/new", "real/below/link", "real/below/nowhere"):
        assert await refused_put(link, tmp_path / steps) in {errno.ELOOP, errno.ENOTDIR, errno.EEXIST}
    with pytest.raises(FileRefused):
        await names(link, str(tmp_path / "link"), most=9, levels=9)
    assert sorted(os.listdir(tmp_path)) == ["link", "real"]


async def test_only_regular_files_are_read_and_nothing_hangs(link: Link, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    assert await refused_get(link, tmp_path / "pipe") == errno.EINVAL
    assert await refused_get(link, tmp_path / "folder") == errno.EINVAL
    assert await refused_get(link, tmp_path / "socket") == errno.ENXIO
    assert await refused_get(link, "/dev/zero") == errno.EINVAL
    assert await refused_get(link, tmp_path / "none") == errno.ENOENT
    for name in ("pipe", "folder", "socket"):
        assert await refused_put(link, tmp_path / name) == errno.EEXIST


async def test_a_file_that_cannot_be_read_is_an_answer_and_not_the_end(
    link: Link, tmp_path: Path, agent: Agent
) -> None:
    assert await refused_get(link, f"/proc/{agent.pid}/mem") == errno.EIO
    (tmp_path / "file").write_text("still there")
    assert await read(link, tmp_path / "file") == b"still there"


async def test_no_room_leaves_no_half_of_a_file(link: Link, tmp_path: Path, agent: Agent) -> None:
    resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
    with pytest.raises(FileRefused) as refused:
        await put(link, str(tmp_path / "large"), [bytes(MIB)])
    assert refused.value.details["errno"] == errno.EFBIG
    assert os.listdir(tmp_path) == []
    await put(link, str(tmp_path / "large"), [b"small"])


async def test_a_file_is_taken_only_up_to_its_size(link: Link, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(MIB))
    assert await refused_get(link, path, MIB - 1) == 0
    assert len(await read(link, path, MIB)) == MIB


@pytest.mark.parametrize("size", [5, 6 * MIB])
async def test_a_file_that_changes_while_it_is_read_is_refused(link: Link, tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(4 * MIB))
    async with aclosing(get(link, str(path), MOST)) as chunks:
        await anext(chunks)
        path.write_bytes(bytes(size))
        with pytest.raises(FileRefused, match="changed"):
            [chunk async for chunk in chunks]
    assert (await names(link, str(tmp_path), most=9, levels=1))[0].path == "file"


async def test_a_file_is_sent_no_faster_than_it_is_taken(link: Link, tmp_path: Path, agent: Agent) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(8 * MIB))
    async with aclosing(get(link, str(path), MOST)) as chunks:
        await anext(chunks)
        for _ in range(20):
            await link.ping()
        assert position(agent.pid, path) == wire.CREDIT_BYTES
    assert len(await read(link, path)) == 8 * MIB


async def test_who_gives_up_early_leaves_nothing_open(link: Link, tmp_path: Path, agent: Agent) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(8 * MIB))
    await link.ping()
    folder = f"/proc/{agent.pid}/fd"
    before = os.listdir(folder)
    for _ in range(20):
        async with aclosing(get(link, str(path), MOST)) as chunks:
            await anext(chunks)
    with pytest.raises(ZeroDivisionError):
        await put(link, str(tmp_path / "half"), (bytes(1 // number) for number in (1, 0)))
    await link.ping()
    assert os.listdir(folder) == before
    assert not (tmp_path / "half").exists()


async def test_folders_are_listed_in_order_and_within_bounds(link: Link, tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "deep").write_text("deep")
    (tmp_path / "a").write_text("four")
    (tmp_path / "l").symlink_to("a")
    found = await names(link, str(tmp_path), most=100, levels=2)
    assert found == [
        Entry("a", "file", 4), Entry("b", "folder", 0), Entry("b/c", "folder", 0), Entry("l", "link", 0)
    ]  # fmt: skip
    assert len(await names(link, str(tmp_path), most=2, levels=9)) == 2
    assert await names(link, str(tmp_path), most=0, levels=9) == []
    assert len(await names(link, str(tmp_path), most=100, levels=3)) == 5


async def test_ten_thousand_entries_are_named(link: Link, tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"{number:05}").touch()
    async with asyncio.timeout(30):
        found = await names(link, str(tmp_path), most=10_000, levels=2)
        assert [entry.path for entry in found] == [f"{number:05}" for number in range(10_000)]
        assert len(await names(link, str(tmp_path), most=100, levels=2)) == 100


async def test_a_folder_of_many_levels_is_no_trouble(link: Link, tmp_path: Path) -> None:
    top = os.open(tmp_path, os.O_RDONLY)
    for _ in range(100):
        os.mkdir("d", dir_fd=top)
        below = os.open("d", os.O_RDONLY, dir_fd=top)
        os.close(top)
        top = below
    os.close(top)
    assert len(await names(link, str(tmp_path), most=10_000, levels=8)) == 8


async def test_a_tree_that_is_deeper_than_any_path_is_listed_as_far_as_paths_go(
    link: Link, tmp_path: Path
) -> None:
    folder, name, levels = os.open(tmp_path, os.O_RDONLY), "d" * 250, 20
    for _ in range(levels):
        os.mkdir(name, dir_fd=folder)
        above, folder = folder, os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(above)
    os.close(folder)
    found = await names(link, str(tmp_path), most=100, levels=levels)
    assert len(found) == wire.MOST_PATH // (len(name) + 1)
    await link.ping()


async def test_reads_that_are_given_up_leave_nothing(link: Link, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(MIB))
    for _ in range(20):
        await refused_get(link, path, most=10)
    await link.ping()
    assert vars(link)["_given_up"] == set()
