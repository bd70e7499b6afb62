"""A run's way out: its gate at the broker, bound to its sandbox for as long as it runs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

import certifi

from raptorflow.sandbox.agent.files import chunks, put
from raptorflow.sandbox.agent.link import Opened
from raptorflow.sandbox.agent.ways import Way
from raptorflow.sandbox.broker.facade import Broker
from raptorflow.sandbox.broker.gate import Gate
from raptorflow.sandbox.broker.ports import EgressPolicy, Identity, Secrets
from raptorflow.sandbox.running.live import LiveSandbox
from raptorflow.sandbox.spec import SandboxSpec

PUBLIC = Path(certifi.where())
AUTHORITIES = "/run/raptorflow/authorities.pem"
TRUSTING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


@asynccontextmanager
async def way_out(
    broker: Broker, spec: SandboxSpec, sandbox: LiveSandbox, secrets: Secrets
) -> AsyncGenerator[SandboxSpec]:
    """Let a sandbox ask the broker while the block lasts, and give the spec with what it must know for that.

    Raises:
        SandboxGone: the sandbox has ended.
    """
    if not sandbox.blueprint.reach:
        yield spec
        return
    who = Identity(sandbox.handle.sandbox_id, spec.run_id, spec.tenant, spec.skill)
    gate = broker.admit(who, EgressPolicy(spec.reach, spec.declared), secrets)
    sandbox.link.opened = _opener(gate)
    try:
        variables = dict(gate.environment())
        if authority := gate.authority():
            await put(sandbox.link, AUTHORITIES, chain(chunks(PUBLIC), [authority]))
            variables |= dict.fromkeys(TRUSTING, AUTHORITIES)
        yield replace(spec, env={**spec.env, **variables})
    finally:
        sandbox.link.opened = None
        await gate.close()


def _opener(gate: Gate) -> Opened:
    """What serves a connection that a program inside has made."""

    async def opened(kind: str, way: Way) -> None:
        await (gate.http if kind == "http" else gate.services)(way)

    return opened
