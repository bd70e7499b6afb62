"""What the broker adds to a request over TLS: a new connection, and one more request on it.

Direct, through a tunnel that is passed through unread, and through one whose TLS ends in the broker to fill
in a secret; one after the other in each round, so that all see the same machine. Everything is on loopback.

    python benchmarks/broker.py [rounds]
"""

import asyncio
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from tests.support.outside import HOST, PUBLIC, Outside, ok, trusting

from raptorflow.base.json import JsonObject, dumps
from raptorflow.sandbox.broker.gate import Gate
from raptorflow.sandbox.broker.wire.streams import SocketStream

ROUNDS, REQUESTS, WARM = 300, 3, 20
NAME, VALUE = "EXAMPLE_KEY", "a-value-of-some-length"
BODY = b"x" * 2048
UNMETERED = {"connections_per_second": 1e9, "burst": 10**9, "bytes_up": 1 << 50, "bytes_down": 1 << 50}
TARGET_MS = 2.0

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Opening = Callable[[], Awaitable[Pair]]
Times = tuple[float, float]


async def measure(rounds: int, folder: Path) -> JsonObject:
    """The figures."""
    world = Outside()
    world.trust_authority(folder)
    world.limits |= UNMETERED
    world.vault.values[NAME] = VALUE
    port = (await world.origin(lambda _: ok(BODY), tls=HOST)).port
    there = f"{HOST}:{port}"
    world.settings["tls_only_ports"] = [port]
    own, spliced = trusting(world.authority.cert_pem.bytes()), world.gate(there)
    bound = world.gate(there, secrets={NAME: there})
    inner = trusting(bound.authority() or b"")
    handle = bound.environment()[NAME]
    ways: dict[str, tuple[Opening, str]] = {
        "direct": (lambda: asyncio.open_connection(PUBLIC, port, ssl=own, server_hostname=HOST), VALUE),
        "splice": (lambda: through(spliced, there, own), VALUE),
        "secret": (lambda: through(bound, there, inner), handle),
    }
    times: dict[str, list[Times]] = {name: [] for name in ways}
    for number in range(rounds + WARM):
        for name, (opening, key) in ways.items():
            taken = await timed(opening, there, key)
            if number >= WARM:
                times[name].append(taken)
    await world.close()
    return figures(times)


async def timed(opening: Opening, there: str, key: str) -> Times:
    """Milliseconds until the first answer of a new connection, and of one more request on it."""
    began = time.perf_counter()
    reader, writer = await opening()
    await asked(reader, writer, there, key)
    first = time.perf_counter()
    for _ in range(REQUESTS):
        await asked(reader, writer, there, key)
    last = time.perf_counter()
    writer.close()
    return (first - began) * 1000, (last - first) * 1000 / REQUESTS


async def through(gate: Gate, there: str, context: ssl.SSLContext) -> Pair:
    """A connection through the broker, over a pair of sockets in place of a sandbox's channel."""
    inner, outer = socket.socketpair()
    served = asyncio.create_task(gate.http(SocketStream(*await asyncio.open_connection(sock=outer))))
    reader, writer = await asyncio.open_connection(sock=inner)
    RUNNING.add(served)
    served.add_done_callback(RUNNING.discard)
    writer.write(f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(context, server_hostname=HOST)
    return reader, writer


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: str, key: str) -> None:
    """One request, to the end of its answer."""
    writer.write(f"GET / HTTP/1.1\r\nHost: {there}\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head
    await reader.readexactly(len(BODY))


def figures(times: dict[str, list[Times]]) -> JsonObject:
    """The last line: what each way adds to the direct one, round by round."""
    found: JsonObject = {"rounds": len(times["direct"])}
    for at, what in enumerate(("connection", "request")):
        found[f"direct_{what}_p50_ms"] = percentile([one[at] for one in times["direct"]], 50)
        for way in ("splice", "secret"):
            pairs = zip(times[way], times["direct"], strict=True)
            added = [slower[at] - direct[at] for slower, direct in pairs]
            found[f"{way}_{what}_added_p50_ms"] = percentile(added, 50)
            found[f"{way}_{what}_added_p95_ms"] = percentile(added, 95)
    found["target_added_p50_ms"] = TARGET_MS
    found["reached"] = {
        way: found[f"{way}_connection_added_p50_ms"] <= TARGET_MS for way in ("splice", "secret")
    }
    return found


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which that share of the values lies."""
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 3)


RUNNING: set[asyncio.Task[None]] = set()
"""A task that nobody holds may vanish."""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        print(dumps(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS, Path(made)))))
