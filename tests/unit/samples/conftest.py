"""The samples' actions as the sandbox runs them: a process, JSON in, JSON out."""

import json
import os
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest

from raptorflow import samples
from raptorflow.skills.model import Skill
from raptorflow.skills.reader import read_skill

SKILLS = Path(str(samples.__file__)).parent / "skills"
SECONDS = 60
# What a start leaves beside the skills would look like a change of them.
CLEAN = {"PYTHONDONTWRITEBYTECODE": "1"}
Act = Callable[..., tuple[int, dict[str, Any]]]


def _helper_folder() -> str:
    helper = find_spec("raptorflow_skill")
    assert helper
    assert helper.origin
    return str(Path(helper.origin).parent.parent)


@pytest.fixture(scope="session")
def sample_skills() -> dict[str, Skill]:
    """The samples by name."""
    return {folder.name: read_skill(folder) for folder in SKILLS.iterdir() if folder.is_dir()}


@pytest.fixture
def act(sample_skills: dict[str, Skill], tmp_path: Path) -> Act:
    """Run an action: its exit code and what it printed, held against its schemas. `files` are by name."""

    def run(
        skill: str, action: str, given: dict[str, Any], files: dict[str, bytes] | None = None, **env: str
    ) -> tuple[int, dict[str, Any]]:
        for name, content in (files or {}).items():
            (tmp_path / name).write_bytes(content)
        its = next(one for one in sample_skills[skill].actions if one.name == action)
        jsonschema_rs.validate(its.input_schema, given)
        script = SKILLS / skill / its.command[1]
        done = subprocess.run(
            [sys.executable, str(script), *its.command[2:]],
            input=json.dumps(given).encode(),
            capture_output=True,
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": _helper_folder(), "LANG": "C", **CLEAN, **env},
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode in {0, 2}, done.stderr.decode()
        printed: dict[str, Any] = json.loads(done.stdout)
        if done.returncode == 0:
            jsonschema_rs.validate(its.output_schema, printed)
        else:
            assert printed["error"]["message"]
        return done.returncode, printed

    return run


@pytest.fixture(scope="session")
def analytics() -> Generator[Callable[[str], ModuleType]]:
    """The analytics skill's modules by name, for what needs thousands of runs."""
    scripts = str(SKILLS / "analytics" / "scripts")
    writes = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.path.insert(0, scripts)
    yield import_module
    sys.path.remove(scripts)
    sys.dont_write_bytecode = writes
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(scripts):
            del sys.modules[name]


class _Broker(socketserver.ThreadingUnixStreamServer):
    requests: list[dict[str, Any]]
    answers: dict[str, dict[str, Any]]


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Broker)
        request: dict[str, Any] = json.loads(self.rfile.readline())
        self.server.requests.append(request)
        answer = self.server.answers.get(request["operation"])
        if answer is not None:
            self.wfile.write(json.dumps(answer).encode() + b"\n")


@pytest.fixture
def broker() -> Generator[tuple[str, list[dict[str, Any]], dict[str, dict[str, Any]]]]:
    """A broker on a socket: its path, the requests it got, and its answers by operation (none hangs up)."""
    folder = tempfile.mkdtemp(prefix="rf-")
    server = _Broker(f"{folder}/broker", _Handler)
    server.requests, server.answers = [], {}
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"{folder}/broker", server.requests, server.answers
    server.shutdown()
    thread.join()
    server.server_close()
    shutil.rmtree(folder)
