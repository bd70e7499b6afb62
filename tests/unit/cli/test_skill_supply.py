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
from raptorflow.cli.connection import Connection
from raptorflow.cli.skill.project import Project
from raptorflow.cli.skill.supply import MOST_VERSIONS, DigestWrong, supply
from raptorflow.skills.archive import pack_files
from raptorflow.skills.listing import Listing
from raptorflow.skills.locking.lock import Locked
from raptorflow.skills.resolving.model import Candidate

FILES = {"SKILL.md": b"---\nname: ads\n---\n", "run.py": b"1"}
LISTING = Listing.of(FILES, {"run.py"})
VERSIONS = [f"1.{minor}.0" for minor in reversed(range(MOST_VERSIONS + 20))]
POLL_SECONDS = 0.01

Serve = Callable[..., Connection]


@pytest.fixture
def serve() -> Generator[Serve]:
    """Starts a server of `acme/ads` that says these digests of its files."""
    servers: list[ThreadingHTTPServer] = []

    def start(files: dict[str, str]) -> Connection:
        rows = [{"path": path, "sha256": sha, "executable": path == "run.py"} for path, sha in files.items()]
        page: JsonObject = {"capabilities": {}, "requires": {}, "digest": LISTING.digest(), "files": rows}
        content = {
            "versions": json.dumps({"items": [{"version": version} for version in VERSIONS]}).encode(),
            "page": json.dumps(page).encode(),
            "archive": pack_files("ads", FILES, {"run.py"}),
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = content[self.path.rpartition("/")[2]]
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

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
            assert (await found.fetch("acme/ads", candidate)).files == FILES
            return candidate

    return asyncio.run(run())


def test_a_locked_version_is_offered_however_many_are_newer(serve: Serve) -> None:
    connection = serve(dict(LISTING.files))
    assert choose(connection, "*", None).version == VERSIONS[0]
    oldest = choose(connection, "*", VERSIONS[-1])
    assert (oldest.version, oldest.listing) == (VERSIONS[-1], LISTING)
    assert choose(connection, ">=1.1", VERSIONS[-1]).version == VERSIONS[0]


def test_a_server_that_lists_other_files_than_the_digest_says_is_refused(serve: Serve) -> None:
    for files in ({**LISTING.files, "SKILL.md": "0" * 64}, {"SKILL.md": LISTING.files["SKILL.md"]}):
        with pytest.raises(DigestWrong, match="lists other files"):
            choose(serve(files), "*", None)
