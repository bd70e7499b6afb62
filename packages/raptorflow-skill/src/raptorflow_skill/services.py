"""Calls to outside services, made by the gateway on the skill's behalf.

The skill never sees a credential: it says which operation it wants, and the gateway, which holds the
credentials, checks that the skill may and calls the service.
"""

import json
import os
import socket
from collections.abc import Mapping
from typing import Any, cast

from raptorflow_skill.errors import SkillError

BROKER = "RAPTORFLOW_BROKER"
SECONDS = 60.0


def call(service: str, operation: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Call an operation of a service, such as `campaigns.search` of `google-ads`, and return its answer.

    Raises:
        SkillError: the service is not connected (`service-not-connected`), cannot be reached
            (`service-unreachable`), or refused the call (the gateway's code).
    """
    broker = os.environ.get(BROKER)
    if not broker:
        raise SkillError(
            "service-not-connected",
            f"The service {service} is not connected.",
            f"An administrator connects {service} to this RaptorFlow; until then the skill cannot reach it.",
        )
    request = {"service": service, "operation": operation, "arguments": dict(arguments or {})}
    try:
        answer: object = json.loads(_exchange(broker, json.dumps(request, allow_nan=False).encode()))
    except (OSError, ValueError) as error:
        raise _unreachable(service, operation, str(error)) from error
    told = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    if isinstance(told.get("error"), dict):
        raise _refused(service, operation, told["error"])
    result = told.get("result")
    if not isinstance(result, dict):
        raise _unreachable(service, operation, "the answer has no result")
    return cast("dict[str, Any]", result)


def _exchange(broker: str, request: bytes) -> bytes:
    """One JSON line out, one JSON line back, over the broker's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SECONDS)
        connection.connect(broker)
        connection.sendall(request + b"\n")
        with connection.makefile("rb") as answers:
            return answers.readline()


def _unreachable(service: str, operation: str, reason: str) -> SkillError:
    return SkillError(
        "service-unreachable",
        f"{service} gave no answer to {operation}: {reason or 'no reason given'}.",
        "Try again; whether the call took effect is not known.",
    )


def _refused(service: str, operation: str, problem: Mapping[str, Any]) -> SkillError:
    message = problem.get("message") or f"{service} refused {operation}."
    return SkillError(str(problem.get("code") or "service-refused"), str(message), problem.get("hint"))
