"""Graded cases against a language model: a server on loopback that speaks the protocol of OpenAI."""

import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.integration.skills.test_cases import run

from raptorflow.skills.scaffold.new import new_skill

CASES = [{"prompt": "Sign this letter.", "assertions": ["It ends with the house's greeting", "It is short"]}]


class Model(BaseHTTPRequestHandler):
    """Signs as the skill says when it has read it, and grades by what the answer holds."""

    grading = '{"grades": [{"passed": %s, "evidence": "x"}, {"passed": true, "evidence": "x"}]}'

    def do_POST(self) -> None:
        """Answer one completion."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        system, question = (str(message["content"]) for message in asked["messages"][:2])
        if system.startswith("You grade"):
            told = f"Here you are: {self.grading.replace('%s', str('Warm regards' in question).lower())}"
        else:
            told = "Warm regards, the house" if "Warm regards" in system else "Bye"
        self._reply({"role": "assistant", "content": told})

    def _reply(self, delta: dict[str, str]) -> None:
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        head: dict[str, Any] = {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "scripted",
        }
        pieces: list[dict[str, Any]] = [
            head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
            head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage},
        ]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for piece in (*map(json.dumps, pieces), "[DONE]"):
            self.wfile.write(f"data: {piece}\n\n".encode())

    def log_message(self, format: str, *_args: Any) -> None:
        """Say nothing."""


class Rambling(Model):
    """Does not grade as it is asked to."""

    grading = "It is quite good, I think."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = new_skill(tmp_path, "letters", "instructions")
    page = folder / "SKILL.md"
    page.write_text(f"{page.read_text()}\nEnd each letter with: Warm regards\n")
    (folder / "evals" / "evals.json").write_text(json.dumps(CASES))
    return folder


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Generator[dict[str, str]]:
    """The settings that connect it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), getattr(request, "param", Model))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {
        "RAPTORFLOW_MODEL": "openai-compatible:scripted",
        "RAPTORFLOW_MODEL_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1",
        "RAPTORFLOW_MODEL_API_KEY": "any",
    }
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_skill_is_graded_beside_the_same_model_without_it(folder: Path, model: dict[str, str]) -> None:
    told = run(folder, "--only", "graded", settings=model)
    assert told["graded"] == {"with_skill": 1.0, "without_skill": 0.5, "delta": 0.5}
    (case,) = told["cases"]
    assert case["outcome"] == "passed"
    assert case["tokens"] == {"with_skill": 15, "without_skill": 15}


def test_a_statement_that_is_not_true_of_the_answer_is_named(folder: Path, model: dict[str, str]) -> None:
    page = folder / "SKILL.md"
    page.write_text(page.read_text().replace("Warm regards", "Cheers"))
    (case,) = run(folder, "--only", "graded", code=1, settings=model)["cases"]
    assert case["message"] == "Not true of the answer: It ends with the house's greeting"


@pytest.mark.parametrize("model", [Rambling], indirect=True)
def test_a_grader_that_rambles_fails_the_case_and_says_so(folder: Path, model: dict[str, str]) -> None:
    (case,) = run(folder, "--only", "graded", code=1, settings=model)["cases"]
    assert "did not answer as it was asked to" in case["message"]


def test_a_model_that_does_not_answer_is_an_error_with_a_code(folder: Path, model: dict[str, str]) -> None:
    dead = model | {"RAPTORFLOW_MODEL_BASE_URL": "http://127.0.0.1:1/v1"}
    told = run(folder, "--only", "graded", code=1, settings=dead)
    assert told["error"]["code"] == "model-unreachable"
