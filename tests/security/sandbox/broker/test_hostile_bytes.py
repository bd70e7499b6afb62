"""Any bytes at all, at each of the broker's doors: they are answered or cut, and nothing leaves."""

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.security.sandbox.broker.hellos import client_hello
from tests.support.outside import HOST, Outside

from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.errors import EgressDenied
from raptorflow.sandbox.broker.gate import Gate

HEADS = st.lists(
    st.sampled_from(
        [
            b"GET ",
            b"CONNECT ",
            b"POST ",
            b"http://",
            b"api.example.com",
            b":80",
            b":443",
            b"/",
            b" HTTP/1.1",
            b"\r\n",
            b"Host: ",
            b"evil.example",
            b"@",
            b"%",
            b"\0",
            b"\r",
            b"\n",
            b"Content-Length: 5",
            b"chunked",
            b"\xff",
            b"Transfer-Encoding: ",
            b"0\r\n\r\n",
            b"[::1]",
            b"127.1",
            b"\r\n\r\n",
            b" ",
            b"rfsec_",
            client_hello(HOST),
        ]
    )
    | st.binary(max_size=8),
    max_size=14,
).map(b"".join)


MANY = {"connections_per_second": 1e6, "burst": 10**6, "idle_seconds": 5.0}
SERVICES = {"google-ads": frozenset({"campaigns.read"})}


@contextmanager
def watched(door: str) -> Generator[Callable[[bytes], None]]:
    """Sends bytes to one door of one gate, and watches that no name is asked for but the allowed one."""
    with asyncio.Runner() as runner:
        world = Outside()
        world.limits |= MANY
        # The allowed host leads to ports that nobody listens on: only the name is of interest.
        gate = world.gate(f"{HOST}:80", f"{HOST}:443", services=SERVICES)

        async def send(first: bytes) -> None:
            inside = await world.open(gate, door)
            inside.send(first)
            inside.writer.write_eof()
            await inside.rest()
            await inside.leave()
            assert inside.served.done()
            assert set(world.names.asked) <= {HOST}
            assert "broker-failure" not in [one.reason for one in world.decisions]

        yield lambda first: runner.run(send(first))
        runner.run(world.close())


def test_no_bytes_at_the_proxys_door_reach_a_host_that_is_not_allowed() -> None:
    with watched("http") as send:

        @settings(max_examples=600, deadline=None)
        @given(HEADS)
        @example(b"GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
        @example(b"CONNECT api.example.com:443 HTTP/1.0\r\n\r\n")
        def check(first: bytes) -> None:
            send(first)

        check()


def test_no_bytes_at_the_services_door_do_harm() -> None:
    with watched("services") as send:

        @settings(max_examples=200, deadline=None)
        @given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode))
        def check(first: bytes) -> None:
            send(first)

        check()


def test_a_hello_that_was_tampered_with_never_passes_for_another_host() -> None:
    heard: list[bytes] = []
    hello = client_hello("evil.example")

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    with asyncio.Runner() as runner:
        world = Outside()
        world.limits |= MANY
        port = runner.run(world.serve(hear))
        world.settings["tls_only_ports"] = [port]
        there = f"{HOST}:{port}"
        gate = world.gate(there)

        @settings(max_examples=150, deadline=None)
        @given(st.lists(st.tuples(st.integers(0, len(hello) - 1), st.integers(0, 255)), max_size=4))
        def check(changes: list[tuple[int, int]]) -> None:
            changed = bytearray(hello)
            for at, byte in changes:
                changed[at] = byte
            runner.run(greet(world, gate, there, bytes(changed)))
            assert b"".join(heard) == b""

        check()
        # The right hello passes: the wrong ones were refused for what they are.
        runner.run(greet(world, gate, there, client_hello(HOST)))
        assert heard[-1] == client_hello(HOST)
        runner.run(world.close())


async def greet(world: Outside, gate: Gate, there: str, hello: bytes) -> None:
    """Send a hello into a tunnel, and nothing more."""
    inside = await world.open(gate)
    await inside.connect(there)
    inside.send(hello)
    inside.writer.write_eof()
    await inside.rest()
    await inside.leave()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"[a-z0-9.\[\]:%@x]{1,30}", fullmatch=True))
@example("0x7f.1:80")
@example("\uff11\uff12\uff17\uff0e\uff10\uff0e\uff10\uff0e\uff11:80")
def test_what_is_a_name_to_us_is_no_address_to_the_system(text: str) -> None:
    """The system's own reader of addresses agrees: nothing that it takes for one passes for a name."""
    try:
        there = Destination.parse(text)
    except EgressDenied:
        return
    assert Destination.parse(str(there)) == there
    if there.address is None:
        try:
            packed = socket.inet_aton(there.host)
        except OSError:
            return
        raise AssertionError(f"{text!r} is {packed!r} to the system")
