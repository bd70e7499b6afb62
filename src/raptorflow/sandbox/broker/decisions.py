"""The record of every decision."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from raptorflow.sandbox.broker.ports import Identity

Kind = Literal["connect", "http", "secret", "services", "connection"]
Stage = Literal["decided", "ended"]


@dataclass(frozen=True)
class Decision:
    """What a sandbox wanted of the outside, and what came of it.

    A refusal is one record. What is allowed is one record before anything is sent there, the attempt to
    connect included (one more for each further address that is tried), and one when it is over, with what
    passed. What is sent through it and refused is a refusal of its own before that. All have the same `id`.

    Attributes:
        id: of the connection or call, unique.
        time: when it was decided, or ended.
        stage: `decided` or `ended`.
        who: whose it is.
        kind: `connect` (a tunnel), `http` (plain), `secret` (a request that carries one), `services` (a
            call), or `connection` (refused before it said what it wants).
        host: canonical; as sent when it is none; the service and its operation for a call.
        port: 0 where there is none.
        address: what is dialled; when a name is refused for one of its addresses, that one; else None.
        rule: what allowed it: the destination as the policy has it, the secret's name, the operation.
        allowed: whether it was.
        reason: `allowed`, `done`, or the code of the error: why it was refused, or ended.
        bytes_up: from the sandbox, so far.
        bytes_down: to it.
        ms: since it began.
        times: how many alike this record stands for.
        handles_left: how often a secret's handle stood where it is not replaced, in a URL or a body.
    """

    id: str
    time: datetime
    stage: Stage
    who: Identity
    kind: Kind
    host: str
    port: int
    address: str | None
    rule: str | None
    allowed: bool
    reason: str
    bytes_up: int = 0
    bytes_down: int = 0
    ms: float = 0.0
    times: int = 1
    handles_left: int = 0


OnDecision = Callable[[Decision], None]
"""Keeps a record. It may raise for what is `allowed` and `decided`, which then does not happen. All others
have happened already: they are handed on also while it raises for those, and it never raises for them."""
