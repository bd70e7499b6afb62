"""Files by key: the same over a folder, in memory, and over S3 (SeaweedFS, from a wheel)."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from stat import S_IMODE

import httpx
import pytest

from raptorflow.base.ids import new_id
from raptorflow.base.json import dumps
from raptorflow.core.blobs import BlobStore, open_blobs
from raptorflow.core.errors import BlobMissing, BlobsUnavailable

READY_SECONDS = 60.0
LOOK_SECONDS = 0.1
WEED = Path(sys.executable).with_name("weed")
KEY_ID, SECRET = "test-key-id", "test-secret-key"
PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
)
S3_PORTS = ("s3.port", "s3.port.grpc", "s3.port.iceberg", "s3.port.lance")
BIG = 12 * 2**20


def free_ports(count: int) -> list[int]:
    """Ports that are free now; held together, so that no two are the same."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(held.getsockname()[1]) for held in sockets]
    for held in sockets:
        held.close()
    return ports


@pytest.fixture(scope="module")
async def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[str]:
    """An S3 server of the module's own, which knows one key."""
    folder = tmp_path_factory.mktemp("s3")
    identity = {
        "name": "test",
        "credentials": [{"accessKey": KEY_ID, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    config = folder / "s3.json"
    config.write_text(dumps({"identities": [identity]}))
    names = [*PORTS, *S3_PORTS]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    arguments = [f"-{name}={port}" for name, port in ports.items()]
    (folder / "data").mkdir()
    where = [f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.config={config}", "-s3"]
    process = await asyncio.create_subprocess_exec(
        WEED, "server", *where, *arguments, cwd=folder, stdout=DEVNULL, stderr=(folder / "log").open("wb")
    )
    endpoint = f"http://127.0.0.1:{ports['s3.port']}"
    try:
        await _until_it_answers(process, endpoint)
        yield endpoint
    finally:
        process.kill()
        await process.wait()


async def _until_it_answers(process: asyncio.subprocess.Process, endpoint: str) -> None:
    async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient() as client:
        while True:
            assert process.returncode is None
            try:
                await client.get(f"{endpoint}/status")
            except httpx.TransportError:
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return


@pytest.fixture
def s3_url(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket's URL; where it is and the key come from the usual variables."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return f"s3://raptorflow-test/some/prefix-{new_id()}"


@pytest.fixture(params=["folder", "file-url", "memory", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    urls: dict[str, Callable[[], str]] = {
        "folder": lambda: str(tmp_path / "made" / "by it"),
        "file-url": lambda: f"file://{tmp_path}/blobs",
        "memory": lambda: "memory://",
        "s3": lambda: request.getfixturevalue("s3_url"),
    }
    return urls[request.param]()


@pytest.fixture
def blobs(url: str) -> BlobStore:
    return open_blobs(url)


async def test_what_was_put_is_got_and_the_first_stays(blobs: BlobStore) -> None:
    assert not await blobs.exists("files/ab/abc")
    assert await blobs.put("files/ab/abc", b"one\x00two")
    assert await blobs.exists("files/ab/abc")
    assert not await blobs.put("files/ab/abc", b"other")
    assert await blobs.get("files/ab/abc") == b"one\x00two"


@pytest.mark.parametrize("size", [0, BIG])
async def test_nothing_and_much_can_be_put(blobs: BlobStore, size: int) -> None:
    content = os.urandom(size)
    assert await blobs.put("some/key", content)
    assert await blobs.get("some/key") == content


async def test_of_many_that_put_at_once_one_does(blobs: BlobStore) -> None:
    puts = await asyncio.gather(*(blobs.put("one", str(number).encode()) for number in range(8)))
    assert sum(puts) == 1
    assert await blobs.get("one") == str(puts.index(True)).encode()


async def test_what_is_not_there_is_named_and_can_be_forgotten_again(blobs: BlobStore) -> None:
    with pytest.raises(BlobMissing, match="files/none"):
        await blobs.get("files/none")
    await blobs.delete("files/none")
    await blobs.put("files/some", b"1")
    await blobs.delete("files/some")
    assert not await blobs.exists("files/some")
    assert await blobs.put("files/some", b"2")


async def test_two_stores_of_one_url_share_and_of_two_prefixes_do_not(s3_url: str) -> None:
    first, same, other = open_blobs(s3_url), open_blobs(s3_url), open_blobs(f"{s3_url}/other")
    await first.put("key", b"1")
    assert await same.get("key") == b"1"
    assert not await other.exists("key")


async def test_a_wrong_key_opens_nothing(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await open_blobs(s3_url).put("key", b"1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(BlobsUnavailable):
        await open_blobs(s3_url).get("key")


async def test_a_folder_is_private_and_no_key_leads_out_of_it(tmp_path: Path) -> None:
    blobs = open_blobs(str(tmp_path / "blobs"))
    assert S_IMODE((tmp_path / "blobs").stat().st_mode) == 0o700
    (tmp_path / "secret").write_text("secret")
    for key in ("../secret", "a/../../secret", f"{tmp_path}/secret"):
        with pytest.raises((BlobMissing, ValueError)):
            await blobs.get(key)
