"""A run of the pure tier as the result that a sandbox would have given."""

import hashlib
import json
from dataclasses import dataclass, replace

from raptorflow.base.json import loads
from raptorflow.sandbox.drivers.monty.helper import MARK
from raptorflow.sandbox.drivers.monty.worker import Failure, Printed
from raptorflow.sandbox.result import SandboxResult, Status

NAME = "monty"
REFUSED, BROKEN = 2, 1
TOO_MUCH = "it printed too much"

_LIMITS: dict[str, Status] = {"timeout": "timeout", "oom": "oom", "output_limit": "output_limit"}


@dataclass(frozen=True)
class Output:
    """What came out, whether something is missing from it, and how many bytes there were."""

    stdout: bytes
    stderr: bytes
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    stdout_bytes: int = 0
    stderr_bytes: int = 0

    @classmethod
    def of(cls, printed: Printed) -> "Output":
        """Of a script that prints its answer itself."""
        out, err = printed.streams["stdout"], printed.streams["stderr"]
        return cls(out.value(), err.value(), out.truncated, err.truncated, out.total, err.total)


def separated(printed: Printed, line: str) -> Output:
    """Of a script that answers through the helper: its answer, and beside it whatever else it printed.

    Args:
        printed: everything.
        line: what the lines of the answer begin with.
    """
    whole, start = Output.of(printed), line.encode()
    lines = whole.stdout.splitlines(keepends=True)
    answers = [one.removeprefix(start) for one in lines if one.startswith(start)]
    answer = b"".join(answers)
    rest = b"".join(one for one in lines if not one.startswith(start))
    beside = whole.stdout_bytes - len(start) * len(answers) - len(answer)
    return Output(
        answer,
        rest + whole.stderr,
        stderr_truncated=whole.stdout_truncated or whole.stderr_truncated,
        stdout_bytes=len(answer),
        stderr_bytes=beside + whole.stderr_bytes,
    )


def result_of(
    failure: Failure | None, output: Output, most: int, took_ms: tuple[float, float]
) -> SandboxResult:
    """The result of a run. What it ends with counts as printed.

    Args:
        failure: how it failed, if it did.
        output: what it printed.
        most: bytes that it may print.
        took_ms: until its first instruction, and from there on.
    """
    if failure and failure.kind == "error":
        output = _with_last_words(failure, output)
        if output.stdout_bytes + output.stderr_bytes > most:
            failure, output = Failure("output_limit", TOO_MUCH), _cut(output, most)
    status, exit_code, message = _verdict(failure)
    start_ms, wall_ms = took_ms
    return SandboxResult(
        status,
        NAME,
        exit_code=exit_code,
        stdout=output.stdout,
        stderr=output.stderr,
        stdout_truncated=output.stdout_truncated,
        stderr_truncated=output.stderr_truncated,
        stdout_bytes=output.stdout_bytes,
        stderr_bytes=output.stderr_bytes,
        stdout_sha256=_digest(output.stdout, output.stdout_truncated),
        stderr_sha256=_digest(output.stderr, output.stderr_truncated),
        start_ms=start_ms,
        wall_ms=wall_ms,
        message=message,
    )


def _with_last_words(failure: Failure, output: Output) -> Output:
    """What an interpreter, or the helper, prints about an error."""
    if not _is_refusal(failure):
        trace = f"{failure.trace}\n".encode("utf-8", errors="replace")
        read = output.stderr_bytes + len(trace)
        return replace(output, stderr=output.stderr + trace, stderr_bytes=read)
    code, words, hint = loads(failure.message.removeprefix(MARK))
    # As the helper writes it, to the byte.
    problem = json.dumps({"error": {"code": code, "message": words, "hint": hint}}, ensure_ascii=False)
    told = f"{problem}\n".encode("utf-8", errors="replace")
    return replace(output, stdout=told, stdout_bytes=len(told))


def _cut(output: Output, most: int) -> Output:
    """As much as may be printed."""
    stdout = output.stdout[:most]
    stderr = output.stderr[: most - len(stdout)]
    return replace(
        output,
        stdout=stdout,
        stderr=stderr,
        stdout_truncated=output.stdout_truncated or len(stdout) < len(output.stdout),
        stderr_truncated=output.stderr_truncated or len(stderr) < len(output.stderr),
    )


def _digest(kept: bytes, truncated: bool) -> str | None:
    return None if truncated else hashlib.sha256(kept).hexdigest()


def _verdict(failure: Failure | None) -> tuple[Status, int | None, str | None]:
    if failure is None:
        return "ok", 0, None
    if failure.kind == "error":
        return "error", REFUSED if _is_refusal(failure) else BROKEN, None
    return _LIMITS.get(failure.kind, "sandbox_error"), None, failure.message


def _is_refusal(failure: Failure) -> bool:
    """A script can say what a refusal looks like; then it is one, if it has the form."""
    if not failure.message.startswith(MARK):
        return False
    try:
        _, _, _ = loads(failure.message.removeprefix(MARK))
    except (ValueError, TypeError):
        return False
    return True
