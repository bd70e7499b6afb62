"""Plain HTTP through the broker: one reading of each request, and each judged by itself."""

import asyncio
import urllib.request

import httpx
import pytest
from tests.security.sandbox.broker.test_hosts import get
from tests.support.outside import HOST, Outside, ok, read_request, trusting

from raptorflow.sandbox.broker.gate import Gate
from raptorflow.sandbox.broker.wire.streams import SocketStream


async def proxy(world: Outside, gate: Gate) -> str:
    """The gate's door as a proxy on loopback, as programs inside see it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gate.http(SocketStream(reader, writer))

    return f"http://127.0.0.1:{await world.serve(serve, at='127.0.0.1')}"


async def test_real_clients_reach_http_and_https(world: Outside) -> None:
    plain, tls = (
        await world.origin(lambda _: ok(b"plain")),
        await world.origin(lambda _: ok(b"tls"), tls=HOST),
    )
    gate = world.gate(f"{HOST}:{plain.port}", f"{HOST}:{tls.port}")
    door = await proxy(world, gate)
    context = trusting(world.authority.cert_pem.bytes())
    async with httpx.AsyncClient(proxy=door, verify=context, trust_env=False) as client:
        assert (await client.get(f"http://{HOST}:{plain.port}/")).text == "plain"
        assert (await client.get(f"https://{HOST}:{tls.port}/")).text == "tls"
        assert (await client.get("http://evil.example/")).json()["code"] == "host-not-allowed"
    # The standard library opens tunnels with HTTP/1.0.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": door, "https": door}),
        urllib.request.HTTPSHandler(context=context),
    )

    def fetched(url: str) -> bytes:
        with opener.open(url, timeout=10) as answer:
            return answer.read()

    for url in (f"http://{HOST}:{plain.port}/", f"https://{HOST}:{tls.port}/"):
        assert await asyncio.to_thread(fetched, url) in {b"plain", b"tls"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_methods_bodies_and_answers_pass_as_they_are(
    world: Outside, method: str, chunked: bool
) -> None:
    origin = await world.origin(lambda _: ok(b"" if method == "HEAD" else b"answer", b"X-Mark: kept\r\n"))
    gate = world.gate(f"{HOST}:{origin.port}")
    there = f"{HOST}:{origin.port}"
    framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: 5"
    body = "5\r\nhello\r\n0\r\n\r\n" if chunked else "hello"
    answer = await world.ask(
        gate,
        f"{method} http://{there}/x HTTP/1.1\r\nHost: {there}\r\n{framing}\r\n"
        f"Connection: close\r\n\r\n{body}".encode(),
    )
    assert answer.status == 200
    assert b"X-Mark: kept" in answer.raw
    assert answer.body == (b"" if method == "HEAD" else b"answer")
    assert origin.text.startswith(f"{method} /x HTTP/1.1\r\n".encode())
    assert b"hello" in origin.text


async def test_answers_in_chunks_and_up_to_the_end_of_the_connection_pass(world: Outside) -> None:
    for raw in (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nabc",
    ):

        async def answer(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes = raw
        ) -> None:
            await read_request(reader)
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + raw)
            writer.close()

        there = f"{HOST}:{await world.serve(answer)}"
        async with httpx.AsyncClient(proxy=await proxy(world, world.gate(there)), trust_env=False) as client:
            assert (await client.get(f"http://{there}/")).text == "abc"


async def test_a_client_that_waits_before_its_body_is_told_to_go_on(world: Outside) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    inside = await world.open(world.gate(there))
    inside.send(
        f"POST http://{there}/ HTTP/1.1\r\nHost: {there}\r\n"
        "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n".encode()
    )
    assert b" 100 " in await inside.until(b"\r\n\r\n")
    inside.send(b"body")
    assert (await inside.answer()).body == b"hello"
    assert b"xpect" not in origin.text


@pytest.mark.parametrize(
    "line",
    [
        "GET / HTTP/1.1",
        "GET //{there}/ HTTP/1.1",
        "GET https://{there}/ HTTP/1.1",
        "GET ftp://{there}/ HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET {there} HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "PRI * HTTP/2.0",
        "GET http:{there} HTTP/1.1",
        "GET http://{there} /x HTTP/1.1",
        "GET http://{there}/x",
        "\x16\x03\x01",
        "GET http://{there}/ HTTP/9.9",
    ],
)
async def test_only_requests_that_name_their_host_in_full_are_served(world: Outside, line: str) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    answer = await world.ask(
        world.gate(there), f"{line.format(there=there)}\r\nHost: {there}\r\n\r\n".encode()
    )
    assert (answer.status, origin.connections) == (400, 0)


SMUGGLED = "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        "Host: evil.example",
        "Host: {there}\r\nHost: evil.example",
        "Host: {there}\r\nHost: {there}",
        "Host: {there}@evil.example",
        "Host: {there}, evil.example",
        "Host : {there}",
        "",
        "Host: {there}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        "Host: {there}\r\nContent-Length: 5\r\nContent-Length: 60",
        "Host: {there}\r\nContent-Length: 5, 60",
        "Host: {there}\r\nContent-Length: +5",
        "Host: {there}\r\nContent-Length: -1",
        "Host: {there}\r\nTransfer-Encoding: gzip, chunked",
        "Host: {there}\r\nTransfer-Encoding: chunked, identity",
        "Host: {there}\r\nTransfer-Encoding: xchunked",
        "Host: {there}\r\nTransfer-Encoding:\x0bchunked",
        "Host: {there}\r\nTransfer-Encoding : chunked",
        "Host: {there}\r\nX: a\0b",
        "Host: {there}\r\nX: a\rb",
        "Host: {there}\r\nno colon",
        "Host: {there}\r\nConnection: Upgrade\r\nUpgrade: websocket",
        "Host: {there}\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    ],
)
async def test_a_request_that_can_be_read_in_two_ways_is_refused(world: Outside, headers: str) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    head = f"POST http://{there}/ HTTP/1.1\r\n{headers.format(there=there)}\r\n\r\n"
    answer = await world.ask(world.gate(there, "evil.example:80"), f"{head}0\r\n\r\n{SMUGGLED}".encode())
    assert (answer.status, answer.problem["status"]) == (400, 400)
    assert (origin.connections, world.allowed()) == (0, [])


async def test_bytes_behind_a_body_are_another_request_and_judged_as_one(world: Outside) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    first = f"POST http://{there}/ HTTP/1.1\r\nHost: {there}\r\nContent-Length: 5\r\n\r\nhello"
    answer = await world.ask(world.gate(there), (first + SMUGGLED).encode())
    assert answer.raw.count(b"HTTP/1.1 200") == 1
    assert answer.raw.count(b"HTTP/1.1 403") == 1
    assert len(origin.heard) == 1
    assert b"evil" not in origin.text
    assert world.refused() == ["host-not-allowed"]


async def test_a_second_request_to_another_allowed_host_goes_there(world: Outside) -> None:
    one, other = await world.origin(lambda _: ok(b"one")), await world.origin(lambda _: ok(b"other"))
    gate = world.gate(f"{HOST}:{one.port}", f"{HOST}:{other.port}")
    inside = await world.open(gate)
    for port, body in ((one.port, b"one"), (one.port, b"one"), (other.port, b"other"), (one.port, b"one")):
        inside.send(f"GET http://{HOST}:{port}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
        assert (await inside.answer()).body == body
    # The host's connection is used again while the requests are for the same host.
    assert (one.connections, other.connections) == (2, 1)
    assert world.allowed() == ["http"] * 4


async def test_headers_of_this_connection_and_of_proxies_stay_here(world: Outside) -> None:
    origin = await world.origin(
        lambda _: ok(
            b"",
            b"Proxy-Authenticate: Basic\r\nKeep-Alive: timeout=5\r\n"
            b"Connection: x-hop\r\nX-Hop: 1\r\nX-End: 2\r\n",
        )
    )
    there = f"{HOST}:{origin.port}"
    answer = await world.ask(
        world.gate(there),
        f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\n"
        "Proxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: x\r\n"
        "Connection: close, X-Private\r\nX-Private: 1\r\nTE: trailers\r\n"
        "X-Public: 2\r\nAuthorization: Bearer own\r\n\r\n".encode(),
    )
    for header in (b"Proxy-", b"X-Private", b"TE:", b"c2VjcmV0"):
        assert header not in origin.text
    assert b"X-Public: 2" in origin.text
    assert b"Authorization: Bearer own" in origin.text
    for header in (b"Proxy-", b"X-Hop", b"Keep-Alive"):
        assert header not in answer.raw
    assert b"X-End: 2" in answer.raw


@pytest.mark.parametrize("size", [17_000, 40_000, 200_000])
async def test_a_head_that_is_too_long_is_refused(world: Outside, size: int) -> None:
    origin = await world.origin()
    there = f"{HOST}:{origin.port}"
    gate = world.gate(there)
    for extra in (f"X: {'a' * size}", "\r\n".join(f"X{n}: {'a' * 100}" for n in range(size // 100))):
        answer = await world.ask(
            gate, f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\n{extra}\r\n\r\n".encode()
        )
        assert (answer.status, answer.code) == (431, "head-too-large")
    assert origin.connections == 0
    assert (await world.ask(gate, get(there, path="/" + "a" * 15_000))).status == 200


async def test_a_redirect_is_the_clients_to_follow_and_judged_like_any_request(world: Outside) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n"
    origin = await world.origin(lambda _: moved)
    there = f"{HOST}:{origin.port}"
    gate = world.gate(there)
    answer = await world.ask(gate, get(there))
    assert answer.status == 302
    assert world.names.asked == [HOST]
    async with httpx.AsyncClient(
        proxy=await proxy(world, gate), trust_env=False, follow_redirects=True
    ) as client:
        assert (await client.get(f"http://{there}/")).json()["code"] == "host-not-allowed"


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"",
    ],
)
async def test_an_answer_that_is_none_is_not_passed_on(world: Outside, raw: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(raw)
        writer.close()

    there = f"{HOST}:{await world.serve(answer)}"
    got = await world.ask(world.gate(there), get(there))
    assert (got.status, got.code) == (502, "answer-invalid")


async def test_an_answer_that_breaks_off_is_not_made_whole(world: Outside) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    there = f"{HOST}:{await world.serve(answer)}"
    got = await world.ask(world.gate(there), get(there))
    assert got.raw.endswith(b"half")
    assert world.decisions[-1].reason == "answer-invalid"


async def test_a_host_may_answer_before_it_has_read_the_body(world: Outside) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await writer.drain()
        writer.close()

    there = f"{HOST}:{await world.serve(answer)}"
    inside = await world.open(world.gate(there))
    inside.send(
        f"POST http://{there}/ HTTP/1.1\r\nHost: {there}\r\nContent-Length: 1000000\r\n\r\nsome".encode()
    )
    assert (await inside.answer()).status == 413
