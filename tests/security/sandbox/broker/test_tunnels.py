"""CONNECT: whom the first bytes in a tunnel greet, and that the rest passes unread and whole."""

import asyncio
import os
import ssl
from contextlib import suppress

import pytest
from tests.security.sandbox.broker.hellos import client_hello, records
from tests.support.outside import HOST, PUBLIC, Inside, Outside, ok, trusting

from raptorflow.sandbox.broker.wire.retry import RETRY

ALERT = b"\x15\x03\x03\x00\x02\x02\x31"


async def tls_origin(world: Outside, *, strict: bool = True) -> tuple[int, str]:
    """A TLS server with a certificate for the host; its port, and what a policy calls it."""
    origin = await world.origin(lambda _: ok(b"over tls"), tls=HOST)
    if strict:
        world.settings["tls_only_ports"] = [origin.port]
    return origin.port, f"{HOST}:{origin.port}"


@pytest.mark.parametrize("strict", [True, False])
async def test_tls_to_the_tunnels_host_passes_end_to_end(world: Outside, strict: bool) -> None:
    _, there = await tls_origin(world, strict=strict)
    inside = await world.open(world.gate(there))
    assert b" 200 " in await inside.connect(there)
    await inside.tls(trusting(world.authority.cert_pem.bytes()), HOST)
    assert (await inside.get("/", there)).body == b"over tls"
    assert world.allowed() == ["connect"]


@pytest.mark.parametrize("name", ["evil.example", "x.api.example.com", "example.com", "api.example.com.evil"])
@pytest.mark.parametrize("strict", [True, False])
async def test_tls_to_another_host_than_the_tunnels_is_cut(world: Outside, name: str, strict: bool) -> None:
    origin = await world.origin(tls=HOST)
    world.settings["tls_only_ports"] = [origin.port] if strict else []
    inside = await world.open(world.gate(f"{HOST}:{origin.port}"))
    await inside.connect(f"{HOST}:{origin.port}")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await inside.tls(trusting(world.authority.cert_pem.bytes()), name)
    assert origin.heard == []
    await inside.served
    assert "server-name-mismatch" in [one.reason for one in world.decisions]


async def greeted(
    world: Outside, first: bytes, *, strict: bool = True, at: str = HOST
) -> tuple[bytes, bytes]:
    """Send first bytes into a tunnel: what the server got of them, and what came back."""
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.put_nowait(await reader.read())
        writer.close()

    port = await world.serve(hear)
    world.settings["tls_only_ports"] = [port] if strict else []
    inside = await world.open(world.gate(f"{at}:{port}"))
    await inside.connect(f"{at}:{port}")
    inside.send(first)
    inside.writer.write_eof()
    back = await inside.rest()
    return await asyncio.wait_for(got.get(), 10), back


async def test_a_hello_for_the_host_reaches_the_server_as_it_was_sent(world: Outside) -> None:
    hello = client_hello("API.example.com")
    assert await greeted(world, hello) == (hello, b"")
    early = b"\x14\x03\x03\x00\x01\x01" + b"\x17\x03\x03\x00\x04data"
    assert (await greeted(world, hello + early))[0] == hello + early


async def test_a_server_that_asks_for_a_second_hello_gets_it(world: Outside) -> None:
    context = world.server_context(HOST)
    # A client offers a key for another curve first.
    context.set_ecdh_curve("secp384r1")
    origin = await world.origin(lambda _: ok(b"asked twice"), tls=HOST, context=context)
    for strict in (True, False):
        world.settings["tls_only_ports"] = [origin.port] if strict else []
        inside = await world.open(world.gate(f"{HOST}:{origin.port}"))
        await inside.connect(f"{HOST}:{origin.port}")
        await inside.tls(trusting(world.authority.cert_pem.bytes()), HOST)
        assert (await inside.get("/", HOST)).body == b"asked twice"


def server_hello(random: bytes) -> bytes:
    body = b"\x03\x03" + random + b"\x00\x13\x01\x00\x00\x00"
    return records(b"\x02" + len(body).to_bytes(3) + body)


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("size", [16_000, 40])
async def test_a_second_hello_for_another_host_does_not_reach_the_server(
    world: Outside, early: bool, size: int
) -> None:
    heard: list[bytes] = []

    async def ask_again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65_536))
        writer.write(server_hello(RETRY))
        heard.append(await reader.read())
        writer.close()

    there = f"{HOST}:{await world.serve(ask_again)}"
    for name, arrives in ((HOST, True), ("evil.example", False)):
        heard.clear()
        inside = await world.open(world.gate(there))
        await inside.connect(there)
        first, second = (
            client_hello(HOST),
            b"\x14\x03\x03\x00\x01\x01" + client_hello(name, record_bytes=size),
        )
        inside.send(first + (second if early else b""))
        if not early:
            await inside.reader.readexactly(len(server_hello(RETRY)))
            inside.send(second)
        inside.writer.write_eof()
        await inside.rest()
        await inside.leave()
        assert (client_hello(name, record_bytes=size) in b"".join(heard)) == arrives
        assert (b"evil" in b"".join(heard)) is False
    assert world.decisions[-1].reason == "server-name-mismatch"


async def test_after_the_servers_answer_nothing_is_looked_at(world: Outside) -> None:
    heard: list[bytes] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(client_hello(HOST)))
        writer.write(server_hello(bytes(32)))
        heard.append(await reader.read())
        writer.close()

    there = f"{HOST}:{await world.serve(accept)}"
    inside = await world.open(world.gate(there))
    await inside.connect(there)
    inside.send(client_hello(HOST))
    await inside.reader.readexactly(len(server_hello(bytes(32))))
    inside.send(b"\x16anything at all")
    inside.writer.write_eof()
    await inside.rest()
    assert heard == [b"\x16anything at all"]


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        (client_hello("evil.example"), "server-name-mismatch"),
        (client_hello(None), "server-name-mismatch"),
        (client_hello("api.example.com\0.evil.example"), "destination-invalid"),
        (client_hello(HOST, encrypted=0xFE0D), "hello-encrypted"),
        (client_hello(HOST, encrypted=0xFFCE), "hello-encrypted"),
        (client_hello(None, encrypted=0xFE0D), "hello-encrypted"),
        (client_hello(HOST, twice=True), "tunnel-not-tls"),
        (client_hello(HOST, trailing=b"\0"), "tunnel-not-tls"),
        (client_hello(HOST)[:-1], "tunnel-not-tls"),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
async def test_a_hello_that_hides_or_names_another_host_does_not_reach_the_server(
    world: Outside, hello: bytes, reason: str, strict: bool
) -> None:
    got, back = await greeted(world, hello, strict=strict)
    assert got == b""
    assert back in {ALERT, b""}
    assert reason in [one.reason for one in world.decisions]


@pytest.mark.parametrize(
    "first", [b"SSH-2.0-x\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x80\x2e\x01\x03\x01", b"\0"]
)
async def test_only_tls_passes_a_tunnel_to_a_port_of_many_hosts(world: Outside, first: bytes) -> None:
    got, _ = await greeted(world, first)
    assert got == b""
    assert world.refused() == ["tunnel-not-tls"]


@pytest.mark.parametrize("size", [3, 7, 100])
async def test_a_hello_in_pieces_and_in_many_records_is_put_together(world: Outside, size: int) -> None:
    hello = client_hello(HOST, record_bytes=size)
    got, _ = await greeted(world, hello)
    assert got == hello
    assert "server-name-mismatch" not in world.refused()
    got, _ = await greeted(world, client_hello("evil.example", record_bytes=size))
    assert got == b""


async def test_an_address_that_the_policy_names_needs_no_server_name(world: Outside) -> None:
    hello = client_hello(None)
    assert (await greeted(world, hello, at=PUBLIC))[0] == hello
    assert (await greeted(world, client_hello("evil.example"), at=PUBLIC))[0] == b""


@pytest.mark.parametrize(
    "first",
    [
        *(b"\0\0\0\x08\x04\xd2\x16\x2f", b"SSH-2.0-x\r\n", b"*1\r\n$4\r\nPING\r\n", b"EHLO x\r\n", b"abc"),
        # LDAP's anonymous bind, MySQL's lengths, MQTT, AMQP, MongoDB, memcached, git with such a path, SIP.
        *(b"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0", b" \0\0\x01\x85", b"\n\0\0\x01\x85"),
        *(b"\x10\x0c\0\x04MQTT", b"AMQP\0\0\x09\x01", b"A\0\0\0", b"get a/http/1 b\r\n"),
        *(b"002agit-upload-pack /http/1\0host=x\0", b"INVITE sip:a@x SIP/2.0\r\n", b"\x85\xffdata"),
        b"\0" * 70_000,
    ],
)
async def test_other_protocols_pass_on_ports_of_their_own(world: Outside, first: bytes) -> None:
    assert (await greeted(world, first, strict=False))[0] == first


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"\r\n\r\n GET / HTTP/1.0\r\n",
        b"get / HTTP/1.1\n\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        *(
            words + b"\r\nHost: evil.example\r\n\r\n"
            for words in (
                b"M-SEARCH / HTTP/1.1",
                b"GET_X / HTTP/1.1",
                b"A" * 17 + b" / HTTP/1.1",
                b"A" * 9000 + b" / HTTP/1.1",
                b"!#$%&'*+-.^_`|~0 / HTTP/1.1",
                b"GET\t/ HTTP/1.1",
                b"GET /\tHTTP/1.1",
                b"GET\r/\rHTTP/1.1",
                b"\x0bGET / HTTP/1.1",
                b"\x0c\x1c\xa0\n\tGET\x0b/\x0cHTTP/1.1",
                b"GET\xa0/\xa0HTTP/1.1",
                b"GET / http/1.1",
                b"GET /\0 HTTP/1.1",
                b"\0GET / HTTP/1.1",
                b"G\xc3\x89T / HTTP/1.1",
            )
        ),
        b"GET /" + b"a" * 40_000,
    ],
)
async def test_http_does_not_hide_in_a_tunnel(world: Outside, first: bytes) -> None:
    got, _ = await greeted(world, first, strict=False)
    assert got == b""
    assert "tunnel-not-tls" in [one.reason for one in world.decisions]


@pytest.mark.parametrize("first", [b"M-SEARCH\t/ HTTP/1.1\r", b"\0GET / HTTP/1.1\r", b"\x0bGET / http/1.1"])
async def test_http_that_comes_in_pieces_never_reaches_the_end_of_its_line(
    world: Outside, first: bytes
) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.read())
        writer.close()

    there = f"{HOST}:{await world.serve(hear)}"
    for size in (1, 3, 7):
        inside = await world.open(world.gate(there))
        await inside.connect(there)
        text = first + b"\nHost: evil.example\r\n\r\n"
        with suppress(ConnectionError):  # it is cut while more is sent
            for at in range(0, len(text), size):
                inside.send(text[at : at + size])
                await inside.writer.drain()
                # Let the broker read it as a piece of its own.
                for _ in range(5):
                    await asyncio.sleep(0)
        await inside.rest()
        await inside.leave()
        assert b"/1" not in await asyncio.wait_for(heard.get(), 10)
        assert world.decisions[-1].reason == "tunnel-not-tls"


async def test_a_server_that_speaks_first_is_heard(world: Outside) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        writer.write(await reader.readline())
        writer.close()

    port = await world.serve(greet)
    inside = await world.open(world.gate(f"{HOST}:{port}"))
    await inside.connect(f"{HOST}:{port}")
    assert await inside.until(b"\n") == b"220 ready\r\n"
    inside.send(b"EHLO me\r\n")
    assert await inside.until(b"\n") == b"EHLO me\r\n"


async def test_each_direction_ends_alone_and_nothing_is_lost(world: Outside) -> None:
    sent, answered = os.urandom(3_000_000), os.urandom(2_000_000)
    heard: list[bytes] = []

    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.write(answered)
        writer.close()

    port = await world.serve(answer_at_the_end)
    inside = await world.open(world.gate(f"{HOST}:{port}"))
    await inside.connect(f"{HOST}:{port}")
    inside.send(b"\0" + sent)
    inside.writer.write_eof()
    assert await inside.rest() == answered
    assert heard == [b"\0" + sent]
    await inside.served
    ended = world.decisions[-1]
    assert (ended.stage, ended.reason) == ("ended", "done")
    assert ended.bytes_up > len(sent)
    assert ended.bytes_down > len(answered)


async def test_bytes_sent_ahead_of_the_answer_to_connect_are_not_lost(world: Outside) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(6))
        writer.close()

    port = await world.serve(echo)
    inside = await world.open(world.gate(f"{HOST}:{port}"))
    inside.send(f"CONNECT {HOST}:{port} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode() + b"\0early")
    assert (await inside.rest()).endswith(b"\r\n\r\n\0early")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_connect_is_taken_with_and_without_a_host_header(world: Outside, version: str) -> None:
    _, there = await tls_origin(world)
    gate = world.gate(there)
    host = "" if version == "1.0" else f"Host: {HOST}\r\n"
    inside = await world.open(gate)
    inside.send(
        f"CONNECT {there} HTTP/{version}\r\n{host if version == '1.0' else f'Host: {there}'}\r\n\r\n".encode()
    )
    assert b" 200 " in await inside.until(b"\r\n\r\n")


@pytest.mark.parametrize(
    "head",
    [
        "CONNECT {there} HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
        "CONNECT {there} HTTP/1.1\r\nHost: api.example.com:1\r\n\r\n",
        "CONNECT {there} HTTP/1.1\r\nHost: {there}\r\nHost: evil.example\r\n\r\n",
        "CONNECT {there} HTTP/1.1\r\nHost: {there}\r\nContent-Length: 5\r\n\r\nabcde",
        "CONNECT {there} HTTP/1.1\r\nHost: {there}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "CONNECT http://{there}/ HTTP/1.1\r\nHost: {there}\r\n\r\n",
        "CONNECT api.example.com HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
        "CONNECT api.example.com:0443 :80 HTTP/1.1\r\nHost: {there}\r\n\r\n",
        "CONNECT api.example.com:+443 HTTP/1.1\r\nHost: {there}\r\n\r\n",
        "CONNECT api.example.com:65536 HTTP/1.1\r\nHost: {there}\r\n\r\n",
        "CONNECT api.example.com:0 HTTP/1.1\r\nHost: {there}\r\n\r\n",
    ],
)
async def test_a_connect_that_can_be_read_in_two_ways_is_refused(world: Outside, head: str) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    answer = await world.ask(world.gate(there, f"{HOST}:443"), head.format(there=there).encode())
    assert answer.status == 400
    assert origin.connections == 0


async def test_a_tunnel_in_a_tunnel_leads_nowhere_else(world: Outside) -> None:
    """Where an allowed host is itself a proxy, it must not become a relay."""
    inside: Inside
    relay = await world.origin()
    inside = await world.open(world.gate(f"{HOST}:{relay.port}"))
    await inside.connect(f"{HOST}:{relay.port}")
    inside.send(b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n")
    assert await inside.rest() == b""
    assert relay.heard == []
