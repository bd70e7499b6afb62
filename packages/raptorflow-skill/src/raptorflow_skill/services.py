"""Calls to outside services, made by the gateway on the skill's behalf.

The skill never sees a credential: it says which operation it wants, and the gateway, which holds the
credentials, checks that the skill may and calls the service.
"""

import json
import os
import socket
from typing import Any

from raptorflow_skill.errors import SkillError

BROKER = "RAPTORFLOW_BROKER"
CHUNK = 65536


def call(service: str, operation: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    """Call an operation of a service and return its answer.

    Raises:
        SkillError: the service is not connected (`service-not-connected`), or refused the call.
    """
    broker = os.environ.get(BROKER)
    if not broker:
        raise SkillError(
            "service-not-connected",
            f"The service {service} is not connected.",
            f"An administrator connects {service} to this RaptorFlow; until then the skill cannot reach it.",
        )
    request = {"service": service, "operation": operation, "arguments": arguments or {}}
    answer = _exchange(broker, request)
    if "error" in answer:
        problem = answer["error"]
        raise SkillError(problem["code"], problem["message"], problem.get("hint"))
    result: dict[str, Any] = answer["result"]
    return result


def _exchange(broker: str, request: dict[str, Any]) -> dict[str, Any]:
    """One JSON line out, one JSON line back, over the broker's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(broker)
        connection.sendall(json.dumps(request).encode() + b"\n")
        content = b""
        while not content.endswith(b"\n"):
            chunk = connection.recv(CHUNK)
            if not chunk:
                break
            content += chunk
    answer: dict[str, Any] = json.loads(content)
    return answer
