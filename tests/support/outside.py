"""A small internet on loopback, a broker before it, and programs that want out.

127.0.0.2 plays the public network (the operator allows that range here); everything else is as it is.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import trustme

from raptorflow.base.json import loads
from raptorflow.core.addresses import Address
from raptorflow.sandbox.broker.decisions import Decision
from raptorflow.sandbox.broker.facade import Broker
from raptorflow.sandbox.broker.gate import Gate
from raptorflow.sandbox.broker.ports import EgressPolicy, Identity, ServiceCaller
from raptorflow.sandbox.broker.settings import BrokerLimits, BrokerSettings
from raptorflow.sandbox.broker.wire.streams import SocketStream
from raptorflow.skills.capabilities import Capabilities

PUBLIC = "127.0.0.2"
HOST = "api.example.com"
SECRET = "EXAMPLE_KEY"
SECONDS = 10.0
Reply = Callable[[bytes], bytes]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Names:
    """A resolver of names that the tests make up; counts what it is asked."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self.names = dict(names)
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return [ip_address(address) for address in self.names[host]]


class Vault:
    """Secrets that can be changed and taken back."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {})
        self.fetched: list[str] = []

    async def value(self, name: str) -> str | None:
        self.fetched.append(name)
        return self.values.get(name)


@dataclass
class Origin:
    """A server outside, and everything that reached it."""

    port: int
    heard: list[bytes] = field(default_factory=list[bytes])
    connections: int = 0

    @property
    def text(self) -> bytes:
        return b"".join(self.heard)


def ok(body: bytes, headers: bytes = b"") -> bytes:
    """An answer."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), headers, body)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request, its body by Content-Length or in chunks."""
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    if b"content-length:" in lowered:
        length = int(lowered.partition(b"content-length:")[2].split(b"\r\n")[0])
        return head + await reader.readexactly(length)
    if b"transfer-encoding: chunked" in lowered:
        return head + await reader.readuntil(b"0\r\n\r\n")
    return head


class Outside:
    """Servers, names, a broker, and what it decided."""

    def __init__(self) -> None:
        self.names = Names({HOST: [PUBLIC]})
        self.vault = Vault()
        self.decisions: list[Decision] = []
        self.settings: dict[str, Any] = {"allowed_ranges": [f"{PUBLIC}/32"], "tls_only_ports": ()}
        self.limits: dict[str, Any] = {"handshake_seconds": SECONDS}
        self.caller: ServiceCaller | None = None
        self.failing: Exception | None = None
        self.stream = SocketStream
        self._stack = AsyncExitStack()

    @cached_property
    def authority(self) -> trustme.CA:
        return trustme.CA()

    async def close(self) -> None:
        await self._stack.aclose()

    async def serve(
        self,
        handler: Handler,
        *,
        tls: str | None = None,
        at: str = PUBLIC,
        context: ssl.SSLContext | None = None,
    ) -> int:
        """Start a server; with TLS when a host is named that it has a certificate for."""
        context = context or (self.server_context(tls) if tls else None)
        server = await asyncio.start_server(handler, at, 0, ssl=context)
        self._stack.push_async_callback(_stop, server)
        return server.sockets[0].getsockname()[1]

    async def origin(
        self,
        reply: Reply = lambda _: ok(b"hello"),
        *,
        tls: str | None = None,
        at: str = PUBLIC,
        context: ssl.SSLContext | None = None,
    ) -> Origin:
        """An HTTP server that answers whatever it is asked."""
        origin = Origin(0)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            origin.connections += 1
            try:
                while not reader.at_eof():
                    request = await read_request(reader)
                    origin.heard.append(request)
                    writer.write(reply(request))
                    await writer.drain()
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        origin.port = await self.serve(handle, tls=tls, at=at, context=context)
        return origin

    def server_context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with self.authority.issue_cert(host).private_key_and_cert_chain_pem.tempfile() as file:
            context.load_cert_chain(file)
        return context

    def broker(self) -> Broker:
        settings = BrokerSettings(**self.settings, limits=BrokerLimits(**self.limits))
        return Broker(settings, self._keep, self.caller, self.names)

    def trust_authority(self, folder: Path) -> None:
        """Let the broker trust the servers' authority."""
        self.settings["authorities"] = file = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(file))

    def gate(self, *network: str, who: str = "a", **capabilities: Any) -> Gate:
        allowed = Capabilities.model_validate({"network": frozenset(network), **capabilities})
        return self.admit(EgressPolicy(allowed), who=who)

    def admit(self, policy: EgressPolicy | None, who: str = "a") -> Gate:
        gate = self.broker().admit(identity(who), policy, self.vault)
        self._stack.push_async_callback(gate.close)
        return gate

    async def open(self, gate: Gate, door: str = "http") -> "Inside":
        """A connection of a program inside to one of the gate's doors."""
        inner, outer = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=outer)
        stream = self.stream(reader, writer)
        served = asyncio.create_task(gate.http(stream) if door == "http" else gate.services(stream))
        inside = Inside(*await asyncio.open_connection(sock=inner), served)
        self._stack.push_async_callback(inside.leave)
        return inside

    async def open_sealed(self, there: str) -> tuple["Inside", Gate]:
        """A connection to a host that a secret is bound to, with TLS up to the broker."""
        self.vault.values[SECRET] = "a-value"
        gate = self.gate(there, secrets={SECRET: there})
        return await self.open_tls(gate, there, gate.authority() or b""), gate

    async def open_tls(self, gate: Gate, there: str, authority: bytes) -> "Inside":
        """A tunnel with TLS, whose other end this authority vouches for."""
        inside = await self.open(gate)
        assert b" 200 " in await inside.connect(there)
        await inside.tls(trusting(authority), HOST)
        return inside

    async def ask(self, gate: Gate, request: bytes) -> "Answer":
        """Send bytes to the proxy, and read all that comes back."""
        inside = await self.open(gate)
        inside.send(request)
        answer = Answer(await inside.rest())
        await inside.leave()
        return answer

    def refused(self) -> list[str]:
        return [one.reason for one in self.decisions if not one.allowed]

    def allowed(self) -> list[str]:
        return [one.kind for one in self.decisions if one.allowed and one.stage == "decided"]

    def _keep(self, decision: Decision) -> None:
        if self.failing:
            raise self.failing
        self.decisions.append(decision)


@dataclass
class Inside:
    """A program in a sandbox at its end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    served: asyncio.Task[None]

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def rest(self) -> bytes:
        async with asyncio.timeout(SECONDS):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(SECONDS):
            return await self.reader.readuntil(mark)

    async def connect(self, authority: str) -> bytes:
        """Open a tunnel; the head of the answer."""
        self.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        return await self.until(b"\r\n\r\n")

    async def tls(self, context: ssl.SSLContext, name: str) -> None:
        async with asyncio.timeout(SECONDS):
            await self.writer.start_tls(context, server_hostname=name)

    async def get(self, path: str, host: str, headers: str = "") -> "Answer":
        """One request within a tunnel, whose answer is read by its length."""
        self.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode())
        return await self.answer()

    async def answer(self) -> "Answer":
        async with asyncio.timeout(SECONDS):
            return Answer(await read_request(self.reader))

    async def leave(self) -> None:
        self.writer.close()
        await asyncio.wait([self.served], timeout=SECONDS)


@dataclass(frozen=True)
class Answer:
    """What a proxy or a host answered."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1]) if self.raw else 0

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def problem(self) -> dict[str, Any]:
        return loads(self.body)

    @property
    def code(self) -> str:
        return self.problem["code"]


def identity(who: str) -> Identity:
    return Identity(f"sandbox-{who}", f"run-{who}", f"tenant-{who}", "acme/reports")


def trusting(*pems: bytes) -> ssl.SSLContext:
    """A client that trusts these authorities alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for pem in pems:
        context.load_verify_locations(cadata=pem.decode())
    return context


async def _stop(server: asyncio.Server) -> None:
    server.close()


@asynccontextmanager
async def outside_world() -> AsyncGenerator[Outside]:
    world = Outside()
    try:
        yield world
    finally:
        await world.close()
