"""What a server's versions come to: asked of a small one over HTTP, as the registry answers."""

import asyncio
import json
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr

from raptorflow.base.json import JsonObject
from raptorflow.cli.client import AnswerUnreadable
from raptorflow.cli.connection import Connection
from raptorflow.cli.skill.project import Project
from raptorflow.cli.skill.supply import MOST_VERSIONS, DigestWrong, supply
from raptorflow.skills.archive import pack_files
from raptorflow.skills.listing import Listing
from raptorflow.skills.locking.lock import Locked
from raptorflow.skills.resolving.model import Candidate

VERSIONS = [f"1.{minor}.0" for minor in reversed(range(MOST_VERSIONS + 20))]
POLL_SECONDS = 0.01

Serve = Callable[..., Connection]


def files_of(version: str) -> dict[str, bytes]:
    page = b"---\nname: ads\ndescription: Writes short ads.\n---\nBe short.\n"
    manifest = f'schema = 1\n\n[skill]\nversion = "{version}"\n'.encode()
    return {"SKILL.md": page, "skill.toml": manifest, "run.py": b"1"}


def listing_of(version: str) -> Listing:
    return Listing.of(files_of(version), {"run.py"})


def page_of(version: str, lies: JsonObject) -> bytes:
    listing = listing_of(version)
    rows = [
        {"path": path, "sha256": sha, "executable": path == "run.py"} for path, sha in listing.files.items()
    ]
    page: JsonObject = {"capabilities": {}, "requires": {}, "digest": listing.digest(), "files": rows}
    return json.dumps(page | lies).encode()


@pytest.fixture
def serve() -> Generator[Serve]:
    """Starts a server of `acme/ads`, which may tell something else of a version than what it holds."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: bytes | None = None, **lies: object) -> Connection:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                *_, version, last = self.path.split("/")
                if answer is not None:
                    content = answer
                elif last == "versions":
                    content = json.dumps({"items": [{"version": each} for each in VERSIONS]}).encode()
                elif last == "page":
                    content = page_of(version, lies)
                else:
                    content = pack_files("ads", files_of(version), {"run.py"})
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is printed."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
        return Connection(url=f"http://127.0.0.1:{server.server_port}", token=SecretStr("t"))

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def choose(connection: Connection, wanted: str, locked: str | None) -> Candidate:
    async def run() -> Candidate:
        lock = {"acme/ads": Locked(locked, "", "")} if locked else {}
        async with supply(connection, ()) as found:
            candidate = (await Project(Path(), {"acme/ads": wanted}, lock).chosen(found))["acme/ads"]
            fetched = await found.fetch("acme/ads", candidate)
            assert fetched.files == files_of(candidate.version)
            return candidate

    return asyncio.run(run())


def test_a_locked_version_is_offered_however_many_are_newer(serve: Serve) -> None:
    connection = serve()
    assert choose(connection, "*", None).version == VERSIONS[0]
    oldest = choose(connection, "*", VERSIONS[-1])
    assert (oldest.version, oldest.listing) == (VERSIONS[-1], listing_of(VERSIONS[-1]))
    assert choose(connection, ">=1.1", VERSIONS[-1]).version == VERSIONS[0]


def test_a_server_that_lists_other_files_than_the_digest_says_is_refused(serve: Serve) -> None:
    rows = [{"path": "SKILL.md", "sha256": "0" * 64, "executable": False}]
    with pytest.raises(DigestWrong, match="lists other files"):
        choose(serve(files=rows), "*", None)


def test_files_that_want_more_than_was_told_of_them_are_refused(serve: Serve) -> None:
    """Consent is asked for what a server tells; what comes has to be that."""
    for lies in ({"capabilities": {"network": ["up.example:443"]}}, {"requires": {"acme/tone": "*"}}):
        with pytest.raises(DigestWrong, match="declares something else"):
            fetch_told(serve(**lies))


def fetch_told(connection: Connection) -> None:
    async def run() -> None:
        async with supply(connection, ()) as found:
            candidates = (await found.reach({"acme/ads": "1.0.0"}, {}))["acme/ads"]
            await found.fetch("acme/ads", candidates[0])

    asyncio.run(run())


@pytest.mark.parametrize("answer", [b"<html>Sign in</html>", b"[]", b'{"items": 7}', b'{"items": [{}]}'])
def test_something_else_than_a_server_is_an_error_with_a_code(serve: Serve, answer: bytes) -> None:
    with pytest.raises(AnswerUnreadable):
        choose(serve(answer), "*", None)
