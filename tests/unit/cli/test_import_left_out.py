"""`raptorflow skill import`: what cannot be written or sent is named, and what was done before it is told."""

import json
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from raptorflow.cli.skill import sending
from raptorflow.cli.skill.import_ import How, import_skills
from raptorflow.skills.archive import pack_files
from raptorflow.skills.digest import tree_digest
from raptorflow.skills.exported import Exported, write_export

NAMES = ("alpha", "beta", "gamma")
PENDING = {"status": "running", "step": "checking", "publish_id": "1"}
FAILED = {"status": "failed", "problem": {"code": "version-taken", "detail": "It is there already."}}
FORBIDDEN = {"status": 403, "code": "not-permitted", "detail": "Not you."}
Answer = tuple[int, dict[str, Any]] | None
Told = dict[str, list[dict[str, str]]]


def skill_md(name: str) -> bytes:
    return f"---\nname: {name}\ndescription: Helps people.\n---\nDo it.\n".encode()


def exported(name: str, **files: bytes) -> Exported:
    content = {"SKILL.md": skill_md(name), **files}
    return Exported(f"acme/{name}", "1.0.0", tree_digest(content, ()), pack_files(name, content, ()))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to import into, with an export of three skills."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "all.raptorflow").write_bytes(write_export([exported(name) for name in NAMES]))
    return tmp_path


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[[Answer], str]]:
    """Starts a server that publishes what it is sent; the second is answered so, or not at all."""
    servers: list[ThreadingHTTPServer] = []

    def start(second: Answer) -> str:
        left: list[Answer] = [
            (200, {"status": "published", "skill": f"me/{name}", "version": "1.0.0"}) for name in NAMES
        ]
        left[1] = second

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(left.pop(0))

            def do_GET(self) -> None:
                self.answer((200, PENDING))

            def answer(self, answer: Answer) -> None:
                if answer is None:
                    return
                content = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    monkeypatch.setenv("RAPTORFLOW_TOKEN", "t")
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def told(capsys: pytest.CaptureFixture[str], how: How, url: str | None = None, to: str = "skills") -> Told:
    """The one JSON object of an import that left something out."""
    with pytest.raises(SystemExit) as ended:
        import_skills("all.raptorflow", to=Path(to), how=how, url=url)
    assert ended.value.code == 1
    return json.loads(capsys.readouterr().out)


def codes(report: Told) -> dict[str, str]:
    return {each["name"]: each["code"] for each in report["skipped"]}


def names(report: Told) -> list[str]:
    return [each["name"] for each in report["skills"]]


def test_a_skill_that_cannot_be_written_is_named_and_the_others_come(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Short enough for a skill, and too many bytes for a file system.
    beta = exported("beta", **{"\N{LATIN SMALL LETTER E WITH ACUTE}" * 180: b""})
    (here / "all.raptorflow").write_bytes(write_export([exported("alpha"), beta, exported("gamma")]))
    report = told(capsys, How(json=True))
    assert names(report) == ["acme/alpha", "acme/gamma"]
    assert codes(report) == {"acme/beta": "folder-unwritable"}
    assert "--to" in report["skipped"][0]["hint"]
    assert sorted(each.name for each in (here / "skills").iterdir()) == ["alpha", "gamma"]


@pytest.mark.parametrize("to", ["all.raptorflow", "a" * 300])
def test_a_folder_that_can_be_none_leaves_all_out(
    here: Path, to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = told(capsys, How(json=True), to=to)
    assert not report["skills"]
    assert codes(report) == {f"acme/{name}": "folder-unwritable" for name in NAMES}
    assert (here / "all.raptorflow").is_file()


@pytest.mark.parametrize(
    ("second", "code"),
    [(None, "server-unreachable"), ((200, PENDING), "publish-overdue"), ((403, FORBIDDEN), "not-permitted")],
)
def test_what_would_meet_all_skills_stops_a_publish_and_what_was_done_is_told(
    here: Path,
    registry: Callable[[Answer], str],
    second: Answer,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert here.is_dir()
    monkeypatch.setattr(sending, "LIMIT_SECONDS", 0.3)
    report = told(capsys, How(publish=True, json=True), registry(second))
    assert names(report) == ["acme/alpha"]
    assert codes(report) == {"acme/beta": code, "acme/gamma": "publish-stopped"}


def test_a_skill_that_the_server_refuses_does_not_keep_the_others(
    here: Path, registry: Callable[[Answer], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert here.is_dir()
    report = told(capsys, How(publish=True, json=True), registry((200, FAILED)))
    assert names(report) == ["acme/alpha", "acme/gamma"]
    assert codes(report) == {"acme/beta": "version-taken"}


def test_a_person_is_told_what_came_before_a_server_was_gone(
    here: Path, registry: Callable[[Answer], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert here.is_dir()
    with pytest.raises(SystemExit):
        import_skills("all.raptorflow", how=How(publish=True), url=registry(None))
    said = capsys.readouterr().out
    assert "Published me/alpha 1.0.0" in said
    assert "acme/beta: http://127.0.0.1" in said
    assert "1 imported, 2 left out." in said
