"""`raptorflow skill import` from a repository that the real git serves over HTTP, on this machine."""

import os
import subprocess
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from raptorflow.cli.skill.sources.errors import RefMissing, SourceUnreachable
from raptorflow.cli.skill.sources.gather import gather

WHO = {f"GIT_{who}_{what}": "a@mail.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(
        command, env=os.environ | WHO, check=True, capture_output=True, text=True
    ).stdout.strip()


class Backend(BaseHTTPRequestHandler):
    """Hands requests to `git http-backend`; the address `/moved/...` leads into the file system."""

    root: Path

    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"file://{self.root}/a.git/info/refs?service=git-upload-pack")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        about = {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = subprocess.run(
            ["git", "http-backend"], env=os.environ | about, input=sent, capture_output=True
        )
        head, _, body = said.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Generator[tuple[str, str]]:
    """A server's address, and the commit of its one repository, `a.git`."""
    folder = tmp_path / "a.git"
    skill = folder / "skills" / "alpha"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\nname: alpha\ndescription: Helps people.\n---\nDo it.\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    handler = type("Handler", (Backend,), {"root": tmp_path})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", git(folder, "rev-parse", "HEAD")
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_repository_comes_over_http(served: tuple[str, str]) -> None:
    url, commit = served
    for ref in ("", f"@{commit}"):
        (found,) = gather(f"{url}/a.git{ref}", (), ()).skills
        assert found.source == f"{url}/a.git@{commit}#skills/alpha"
    with pytest.raises(RefMissing):
        gather(f"{url}/a.git@nope", (), ())


def test_a_server_sends_git_to_no_other_place(served: tuple[str, str]) -> None:
    for path in ("moved/a.git", "none.git"):
        with pytest.raises(SourceUnreachable):
            gather(f"git+{served[0]}/{path}", (), ())
