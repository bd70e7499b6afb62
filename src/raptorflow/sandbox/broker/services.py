"""Service calls: one line of JSON in, one out; checked here, done by the gateway."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import dumps
from raptorflow.sandbox.broker.errors import EgressDenied, HeadTooLarge, RequestInvalid, ServiceNotConnected
from raptorflow.sandbox.broker.ports import ServiceCall, Stream
from raptorflow.sandbox.broker.visit import Visit

SERVICE = r"[a-z0-9]+(?:[-.][a-z0-9]+)*"
LONGEST_NAME = 128


class Asked(BaseModel):
    """A call as a skill sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    service: str = Field(pattern=f"^{SERVICE}$", max_length=LONGEST_NAME)
    operation: str = Field(pattern=f"^{SERVICE}$", max_length=LONGEST_NAME)
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any])


async def serve_call(visit: Visit) -> None:
    """Serve one call.

    Raises:
        EgressDenied: why it was refused; the skill has been told.
    """

    async def refuse(denial: EgressDenied) -> None:
        await _answer(visit.stream, {"error": _words(denial)})

    async with visit.refusing(refuse):
        with visit.guest.caps.connection():
            limits = visit.guest.means.limits
            async with visit.hurry():
                asked = _read(await _line(visit.stream, limits.service_bytes))
            async with visit.hurry(limits.service_seconds):
                await _answer(visit.stream, await _done(visit, asked))


async def _done(visit: Visit, asked: Asked) -> Mapping[str, Any]:
    passage = visit.open("services", f"{asked.service}/{asked.operation}")
    passage.ask(lambda rules: rules.check_operation(asked.service, asked.operation))
    caller = visit.guest.means.caller
    if not caller:
        raise ServiceNotConnected(
            f"The service {asked.service} is not connected.",
            hint=f"An administrator connects {asked.service} to this RaptorFlow; no skill reaches it before.",
        )
    passage.allow()
    call = ServiceCall(visit.guest.who, asked.service, asked.operation, asked.arguments)
    try:
        return {"result": await caller.call(call)}
    except RaptorFlowError as error:
        return {"error": _words(error)}


def _read(line: bytes) -> Asked:
    try:
        return Asked.model_validate_json(line)
    except ValidationError as error:
        raise RequestInvalid(
            "That is no service call.",
            hint='Send one line: {"service": "...", "operation": "...", "arguments": {}}.',
        ) from error


async def _line(stream: Stream, most: int) -> bytes:
    line = bytearray()
    while more := await stream.read():
        piece, end, _ = more.partition(b"\n")
        line += piece
        if len(line) > most:
            raise HeadTooLarge(f"A service call has at most {most:,} bytes.")
        if end:
            break
    return bytes(line)


async def _answer(stream: Stream, answer: Mapping[str, Any]) -> None:
    await stream.write(dumps(answer).encode() + b"\n")
    await stream.end()


def _words(error: RaptorFlowError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "hint": error.hint}
