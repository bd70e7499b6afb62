"""What attacks on the network find outside: servers of our own on loopback addresses, and names for them.

A range of loopback addresses plays the public network, and the broker is told that it may be reached; every
other loopback address stays what it is, forbidden.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from raptorflow.core.addresses import Address
from raptorflow.sandbox.audit.errors import AuditUnavailable
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.broker.secrets.authority import Authority
from raptorflow.sandbox.broker.settings import BrokerLimits, BrokerSettings
from raptorflow.sandbox.manager import SandboxManager, Surroundings, build_manager
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.skills.capabilities import MIB, Capabilities

PUBLIC = "127.77.0.0/16"
GOOD_ADDRESS, EVIL_ADDRESS, OWN_ADDRESS = "127.77.0.1", "127.77.0.2", "127.0.0.1"
GOOD, OTHER, EVIL = "api.allowed.example", "other.allowed.example", "evil.example"
TENANT = "attacks"
DENIED = ("**.denied.example",)
MOST_HEAD = 64 * 1024
MOST_BODY = 1 << 20
WAIT_SECONDS = 2.0
TRIES = 16


@dataclass(frozen=True)
class Hit:
    """A request that reached a server."""

    head: bytes
    body: bytes


Answer = Callable[[Hit], bytes]


def plain(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """An answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def echo(hit: Hit) -> bytes:
    """What came, as the answer's body."""
    return plain(hit.head + hit.body)


@dataclass
class Server:
    """Answers HTTP, with or without TLS, and remembers all that reached it, connections too."""

    hits: list[Hit] = field(default_factory=list[Hit])
    touched: int = 0
    answer: Answer = echo
    port: int = 0
    tls_port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.touched += 1
        try:
            while head := await _head(reader):
                hit = Hit(head, await _body(reader, head))
                self.hits.append(hit)
                writer.write(self.answer(hit))
                await writer.drain()
                if b"connection: close" in head.lower():
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            pass
        finally:
            writer.close()

    def clear(self) -> None:
        """Forget, for the next attack."""
        self.hits.clear()
        self.touched = 0
        self.answer = echo


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        return error.partial


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length" and value.strip().isdigit():
            async with asyncio.timeout(WAIT_SECONDS):
                return await reader.readexactly(min(int(value), MOST_BODY))
        if name == b"transfer-encoding" and b"chunked" in value:
            async with asyncio.timeout(WAIT_SECONDS):
                return await reader.readuntil(b"0\r\n\r\n")
    return b""


class Names:
    """Where names lead: a fixed answer, or one after the other and the last for ever."""

    def __init__(self) -> None:
        self.table: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    def reset(self) -> None:
        """Only the honest names."""
        self.asked.clear()
        self.table = {GOOD: [[GOOD_ADDRESS]], OTHER: [[GOOD_ADDRESS]], EVIL: [[EVIL_ADDRESS]]}

    def lead(self, name: str, *answers: Sequence[str]) -> None:
        """Let a name lead somewhere."""
        self.table[name] = [list(answer) for answer in answers]

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """The next answer.

        Raises:
            OSError: the name is not known.
        """
        self.asked.append(host)
        answers = self.table.get(host)
        if not answers:
            raise OSError(f"{host} is not known")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(text) for text in answer]


@dataclass
class Vault:
    """Secrets by tenant and name."""

    values: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def of(self, tenant: str) -> "Owned":
        """One tenant's, and nobody else's."""
        return Owned(self, tenant)


@dataclass(frozen=True)
class Owned:
    """The secrets of one tenant."""

    vault: Vault
    tenant: str

    async def value(self, name: str) -> str | None:
        """The value of this moment."""
        return self.vault.values.get((self.tenant, name))


class FailingLog(AuditLog):
    """An audit log that can be told to fail."""

    failing = False

    def check(self) -> None:
        """As the real one; or as one whose disk is full.

        Raises:
            AuditUnavailable: it is not writing.
        """
        if self.failing:
            raise AuditUnavailable("The audit log cannot be written: the disk is full.")
        super().check()


@dataclass(frozen=True)
class World:
    """Everything outside.

    Attributes:
        manager: its broker asks `names` and `vault`, may reach `PUBLIC`, and trusts the servers' authority.
        good: what is allowed, on `GOOD_ADDRESS`.
        evil: what is not, on `EVIL_ADDRESS`.
        beside: what is not allowed, on other ports of `GOOD_ADDRESS`.
        own: this machine's, on a loopback address that nobody may reach, and on the ports of `good`.
        log: what the manager writes down what happened in.
        records: the folder of that log.
    """

    manager: SandboxManager
    names: Names
    vault: Vault
    good: Server
    evil: Server
    beside: Server
    own: Server
    log: FailingLog
    records: Path

    def reset(self) -> None:
        """As at the beginning, for the next attack."""
        self.names.reset()
        self.vault.values.clear()
        self.log.failing = False
        for server in (self.good, self.evil, self.beside, self.own):
            server.clear()

    @property
    def facts(self) -> dict[str, object]:
        """What the code inside is told."""
        return {
            "GOOD": GOOD, "OTHER": OTHER, "EVIL": EVIL, "PORT": self.good.port, "TLS": self.good.tls_port,
            "EVIL_PORT": self.evil.port, "EVIL_TLS": self.evil.tls_port, "OWN_PORT": self.own.port,
            "BESIDE_PORT": self.beside.port, "BESIDE_TLS": self.beside.tls_port,
        }  # fmt: skip

    def reach(self, *more: str, secrets: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Fields of a spec that may reach the good host, and more."""
        network = frozenset({f"{GOOD}:{self.good.port}", f"{GOOD}:{self.good.tls_port}", *more})
        return {"reach": Capabilities(network=network, secrets=dict(secrets or {})), "tenant": TENANT}


@asynccontextmanager
async def open_world(settings: SandboxSettings, folder: Path) -> AsyncGenerator[World]:
    """A world for as long as the block lasts.

    Args:
        settings: of its manager, but for what its broker may reach and trusts.
        folder: for the authority's certificate and the records.
    """
    authority = Authority({GOOD, OTHER, EVIL}, timedelta(hours=2))
    trusted, records = folder / "authorities.pem", folder / "records"
    trusted.write_bytes(authority.pem())
    names, vault, log = Names(), Vault(), FailingLog(records, settings.audit)
    async with AsyncExitStack() as stack:
        good, evil, beside, own = await _servers(stack, authority)
        broker = BrokerSettings(
            denied_hosts=DENIED,
            allowed_ranges=(ip_network(PUBLIC),),
            authorities=trusted,
            limits=BrokerLimits(bytes_up=4 * MIB, bytes_down=8 * MIB),
        )
        around = Surroundings(secrets=vault.of, resolver=names, audit=log)
        manager = build_manager(settings.model_copy(update={"broker": broker}), around=around)
        stack.push_async_callback(manager.close)
        await manager.start()
        world = World(manager, names, vault, good, evil, beside, own, log, records)
        world.reset()
        yield world


async def _servers(stack: AsyncExitStack, authority: Authority) -> list[Server]:
    """The good one, the evil one, the one beside the good one, and this machine's own."""
    # A name that moves from the good one to this machine keeps its port.
    plain_ports, sealed_ports = (at_one_port(GOOD_ADDRESS, OWN_ADDRESS) for _ in range(2))
    apart = [
        (socket.create_server((address, 0)), socket.create_server((address, 0)))
        for address in (EVIL_ADDRESS, GOOD_ADDRESS)
    ]
    pairs = [(plain_ports[0], sealed_ports[0]), *apart, (plain_ports[1], sealed_ports[1])]
    contexts = [authority.context(host) for host in (GOOD, EVIL, GOOD, EVIL)]
    pairs_and_contexts = zip(pairs, contexts, strict=True)
    return [await _server(stack, listening, sealed, one) for (listening, sealed), one in pairs_and_contexts]


def at_one_port(*addresses: str) -> list[socket.socket]:
    """Sockets that listen on the same port of each address.

    Raises:
        OSError: there is no port that is free on all of them.
    """
    for _ in range(TRIES):
        with ExitStack() as stack, suppress(OSError):
            found = [stack.enter_context(socket.create_server((addresses[0], 0)))]
            port = found[0].getsockname()[1]
            found += [stack.enter_context(socket.create_server((each, port))) for each in addresses[1:]]
            stack.pop_all()
            return found
    raise OSError(f"no port is free on all of {', '.join(addresses)}")


async def _server(
    stack: AsyncExitStack, listening: socket.socket, sealed: socket.socket, context: ssl.SSLContext
) -> Server:
    server = Server(port=listening.getsockname()[1], tls_port=sealed.getsockname()[1])
    for each, sealing in ((listening, None), (sealed, context)):
        serving = await asyncio.start_server(server.serve, sock=each, limit=MOST_HEAD, ssl=sealing)
        stack.callback(serving.close)
    return server
