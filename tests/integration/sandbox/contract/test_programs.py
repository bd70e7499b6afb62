"""What a program finds inside, what goes in, and what comes out: the same in every kind of sandbox."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from tests.integration.sandbox.contract.conftest import RunCode
from tests.integration.sandbox.contract.expected import EXPECTED
from tests.support.subjects import Subject

from raptorflow.sandbox.running.once import run_once
from raptorflow.skills.capabilities import MIB

# The first process, the agent, and the program.
MOST_PROCESSES = 3
LOOK = """
import json, os, socket
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
refused = []
for path in ("/skill/x", "/usr/x", "/x", "/etc/x", "/proc/sys/kernel/core_pattern"):
    try:
        os.close(os.open(path, os.O_WRONLY | (0 if path.startswith("/proc") else os.O_CREAT)))
    except OSError:
        refused.append(path)
print(json.dumps({
    "user": os.getuid(), "host": socket.gethostname(), "folder": os.getcwd(),
    "powers": [status[name].strip() for name in ("CapEff", "CapBnd", "NoNewPrivs")],
    "interfaces": [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line],
    "refused": refused, "skill": open("/skill/scripts/own.txt").read(),
    "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
}))
"""


@pytest.mark.parametrize(
    ("code", "status", "exit_code", "signal"),
    [
        ("", "ok", 0, None),
        ("import sys; sys.exit(3)", "error", 3, None),
        ("1/0", "error", 1, None),
        ("import os; os.kill(os.getpid(), 11)", "signal", None, "SIGSEGV"),
        ("import os; os.abort()", "signal", None, "SIGABRT"),
        ("import os; os.kill(os.getpid(), 9)", "signal", None, "SIGKILL"),
        ("import os; os.kill(os.getpid(), 15)", "signal", None, "SIGTERM"),
    ],
    ids=["nothing", "code", "exception", "segv", "abort", "kill", "term"],
)
async def test_an_end_is_told_as_it_was(
    run_code: RunCode, code: str, status: str, exit_code: int | None, signal: str | None
) -> None:
    result = await run_code(code)
    assert (result.status, result.exit_code, result.signal) == (status, exit_code, signal), result


async def test_a_program_that_is_not_there_is_an_error(run_code: RunCode) -> None:
    result = await run_code("", command=("no-such-program", "x"))
    assert (result.status, result.exit_code) == ("error", 127)
    assert b"no-such-program" in result.stderr


async def test_input_goes_in_and_both_outputs_come_out_whole(run_code: RunCode) -> None:
    data = os.urandom(MIB)
    code = (
        "import hashlib, sys\ndata = sys.stdin.buffer.read()\n"
        "print(len(data), hashlib.sha256(data).hexdigest(), file=sys.stderr)\n"
        "sys.stdout.buffer.write(bytes(range(256)) * 8192)"
    )
    result = await run_code(code, stdin=data)
    assert result.stderr.decode() == f"{len(data)} {hashlib.sha256(data).hexdigest()}\n"
    whole = bytes(range(256)) * 8192
    assert (result.stdout, result.stdout_truncated) == (whole, False)
    assert result.stdout_bytes == len(whole)
    assert result.stdout_sha256 == hashlib.sha256(whole).hexdigest()
    assert result.first_output_ms is not None
    assert result.first_output_ms > 0


async def test_files_go_in_and_come_out(run_code: RunCode, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_bytes(data := os.urandom(300_000))
    code = (
        "import os, sys\nos.mkdir('out/a')\n"
        "open('out/a/copy.bin', 'wb').write(open('in/ünï code.bin', 'rb').read())\n"
        "os.symlink('/etc/hostname', 'out/link'); sys.exit(5)"
    )
    result = await run_code(code, inputs={"ünï code.bin": given})
    assert (result.status, result.exit_code) == ("error", 5), result
    assert [artifact.name for artifact in result.artifacts] == ["a/copy.bin"]
    assert result.artifacts[0].path.read_bytes() == data
    assert result.artifacts[0].sha256 == hashlib.sha256(data).hexdigest()
    assert any("link" in refused for refused in result.artifacts_refused)


async def test_inside_there_is_the_skill_a_workspace_and_nothing_else(
    run_code: RunCode, subject: Subject, tmp_path: Path
) -> None:
    scripts = tmp_path / "skill" / "scripts"
    scripts.mkdir(parents=True)
    (scripts / "own.txt").write_text("its own")
    (scripts / "look.py").write_text(LOOK)
    result = await run_code("", command=("python", "scripts/look.py"))
    assert result.status == "ok", result
    seen = json.loads(result.stdout)
    effective, bounding, no_new = seen["powers"]
    assert (effective, no_new) == ("0" * 16, "1")
    assert bounding == "0" * 16 or not EXPECTED[subject.name].bounded
    assert seen["processes"] <= MOST_PROCESSES
    assert {name: value for name, value in seen.items() if name not in {"powers", "processes"}} == {
        "user": EXPECTED[subject.name].user,
        "host": "sandbox",
        "folder": "/workspace",
        "interfaces": ["lo"],
        "refused": ["/skill/x", "/usr/x", "/x", "/etc/x", "/proc/sys/kernel/core_pattern"],
        "skill": "its own",
    }
    assert not (tmp_path / "skill" / "x").exists()


async def test_variables_are_a_list_of_our_own(run_code: RunCode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_CANARY", "x")
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    result = await run_code(code, env={"MODE": "fast =1", "PATH": "/workspace"})
    variables = json.loads(result.stdout)
    assert (variables["MODE"], variables["PATH"]) == ("fast =1", "/usr/bin:/bin")
    assert "HOST_CANARY" not in variables
    assert not any(name.lower().endswith("_proxy") for name in variables)


async def test_what_a_program_left_running_ends_with_it(run_code: RunCode) -> None:
    code = (
        "import os, signal, time\nif os.fork() == 0:\n os.setsid(); signal.signal(15, signal.SIG_IGN)\n"
        " time.sleep(600)\nprint('left')"
    )
    result = await run_code(code)
    assert (result.status, result.stdout) == ("ok", b"left\n"), result


async def test_a_run_without_a_manager_is_the_same(subject: Subject, tmp_path: Path) -> None:
    result = await run_once(subject.driver, subject.spec("print(6 * 7)", tmp_path), settings=subject.settings)
    assert (result.status, result.stdout, result.driver) == ("ok", b"42\n", subject.name), result
    assert await subject.left() == []


async def test_the_probe_says_what_it_holds(subject: Subject) -> None:
    (report,) = await subject.manager.probe()
    assert (report.driver, report.problem, report.missing) == (subject.name, None, ())
    assert report.boundary == EXPECTED[subject.name].boundary
    assert ("pids" in report.weakened) != EXPECTED[subject.name].counts
    await subject.manager.check()


async def test_an_environments_packages_can_be_imported(run_code: RunCode, env: Path) -> None:
    result = await run_code("import made_up, raptorflow_skill; print(made_up.NAME)", env_dir=env)
    assert (result.status, result.stdout) == ("ok", b"from the environment\n"), result
