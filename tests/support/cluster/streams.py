"""The fake API server's two kinds of stream: watches, and exec over a websocket."""

import asyncio
from asyncio import StreamReader
from asyncio.subprocess import Process
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web
from tests.support.cluster.faults import Fault
from tests.support.cluster.node import Node
from tests.support.cluster.store import Store

from raptorflow.base.json import JsonObject, dumps

FAULT: web.RequestKey[Fault | None] = web.RequestKey("fault")
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
GREETING_AND_ONE_MORE = 2
CHUNK = 32 * 1024
STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
GONE: JsonObject = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}


async def watch_stream(request: web.Request, store: Store, path: str) -> web.StreamResponse:
    """Changes since a version, and a bookmark first, as the real server sends now and then."""
    version = int(request.query["resourceVersion"])
    name = request.query["fieldSelector"].removeprefix("metadata.name=")
    stream = web.StreamResponse(headers={"Content-Type": "application/json"})
    await stream.prepare(request)
    with suppress(ConnectionError):
        await _tell_all(stream, request, store, Seen(version, path, name))
    return stream


@dataclass
class Seen:
    """What a watch is about, and how far it has come."""

    version: int
    path: str
    name: str


async def _tell_all(stream: web.StreamResponse, request: web.Request, store: Store, seen: Seen) -> None:
    """Until whoever watches goes away, or a fault says otherwise."""
    fault = request[FAULT]
    if seen.version < store.forgotten or (fault and fault.kind == "gone-event"):
        await _tell(stream, "ERROR", GONE)
        return
    bookmark: JsonObject = {"kind": "Pod", "metadata": {"resourceVersion": str(seen.version)}}
    await _tell(stream, "BOOKMARK", bookmark)
    sent = 0
    while True:
        woken = store.woken
        for change in list(store.since(seen.version, seen.path, seen.name)):
            seen.version = change.version
            if fault and fault.kind == "cut-after" and sent:
                await stream.write(b'{"type":"MODIF')
                _cut(request)
                return
            await _tell(stream, change.kind, change.thing)
            sent += 1
        await woken.wait()


async def exec_stream(request: web.Request, node: Node, name: str) -> web.StreamResponse:
    """A program in a pod's container, its three streams and its end as messages."""
    container = node.containers.get(name)
    if container is None:
        return web.Response(status=500, text="container not found")
    socket = web.WebSocketResponse(protocols=PROTOCOLS)
    await socket.prepare(request)
    program = await container.run(request.query.getall("command"))
    assert program.stdout
    assert program.stderr
    fault = request[FAULT]
    cut_after = GREETING_AND_ONE_MORE if fault and fault.kind == "cut-after" else 0
    outputs = asyncio.gather(_output(socket, program.stdout, STDOUT), _output(socket, program.stderr, STDERR))
    inputs = asyncio.create_task(_input(socket, program, cut_after))
    try:
        await asyncio.wait({outputs, inputs}, return_when=asyncio.FIRST_COMPLETED)
        if inputs.done() and cut_after:
            _cut(request)
    finally:
        inputs.cancel()
        await _finish(socket, program, outputs)
    return socket


async def _finish(
    socket: web.WebSocketResponse, program: Process, outputs: "asyncio.Future[tuple[None, None]]"
) -> None:
    """Whoever lets go of the stream closes the program's input; then it ends."""
    if program.stdin:
        program.stdin.close()
    await asyncio.gather(outputs, return_exceptions=True)
    code = await program.wait()
    status = {"status": "Success"} if code == 0 else {"status": "Failure", "reason": "NonZeroExitCode"}
    with suppress(ConnectionError):
        await socket.send_bytes(bytes([STATUS]) + dumps(status).encode())
        await socket.close()


async def _output(socket: web.WebSocketResponse, source: StreamReader, channel: int) -> None:
    while chunk := await source.read(CHUNK):
        if not socket.closed:
            await socket.send_bytes(bytes([channel]) + chunk)


async def _input(socket: web.WebSocketResponse, program: Process, cut_after: int) -> None:
    assert program.stdin
    taken = 0
    async for message in socket:
        assert message.type is WSMsgType.BINARY
        if message.data[0] == CLOSE:
            return
        assert message.data[0] == STDIN
        program.stdin.write(message.data[1:])
        await program.stdin.drain()
        taken += 1
        if taken == cut_after:
            return


async def _tell(stream: web.StreamResponse, kind: str, thing: JsonObject) -> None:
    await stream.write(dumps({"type": kind, "object": thing}).encode() + b"\n")


def _cut(request: web.Request) -> None:
    transport: Any = request.transport
    transport.abort()
