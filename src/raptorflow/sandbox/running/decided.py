"""A decision of the broker as a record of the audit log."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from raptorflow.sandbox.audit.errors import AuditUnavailable
from raptorflow.sandbox.audit.records import Egress
from raptorflow.sandbox.broker.decisions import Decision

# In place of what is required and has no form that can be written.
_UNKNOWN: Mapping[str, Any] = {"host": "", "port": 0, "bytes_up": 0, "bytes_down": 0}


def egress_of(decision: Decision, *, binding: bool) -> Egress:
    """The record.

    Args:
        decision: what was decided.
        binding: whether a part of it that has no form that can be written is an error; else it is left out.

    Raises:
        AuditUnavailable: it is binding, and cannot be written down as it is.
    """
    fields = _fields(decision)
    try:
        return Egress(**fields)
    except ValidationError as error:
        wrong = {str(part["loc"][0]) for part in error.errors()}
        if binding:
            raise AuditUnavailable(
                f"It cannot be written down: {', '.join(sorted(wrong))} has no form that a record takes.",
                hint="Rename what is meant by it in the skill, or in the policy.",
            ) from error
        known = {name: value for name, value in fields.items() if name not in wrong}
        return Egress(**known, **{name: _UNKNOWN[name] for name in wrong & _UNKNOWN.keys()})


def _fields(decision: Decision) -> dict[str, Any]:
    host, operation = decision.host, None
    if decision.kind == "services":
        host, _, operation = decision.host.partition("/")
    return {
        "decision": "allowed" if decision.allowed else "denied",
        "host": _safe(host),
        "port": decision.port,
        "address": decision.address,
        "rule": decision.rule,
        "secret": decision.rule if decision.kind == "secret" and decision.allowed else None,
        "reason": decision.reason,
        "connection": decision.id,
        "stage": decision.stage,
        "way": decision.kind,
        "operation": _safe(operation) if operation else None,
        "times": decision.times if decision.times > 1 else None,
        "handles_left": decision.handles_left or None,
        "bytes_up": decision.bytes_up,
        "bytes_down": decision.bytes_down,
        "took_ms": decision.ms,
    }


def _safe(name: str) -> str:
    """A name as it was sent may be anything; what is none is not written down."""
    return "".join(char for char in name if char.isascii() and (char.isalnum() or char in "_.:[]%-"))[:255]
