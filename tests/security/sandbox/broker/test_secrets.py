"""Secrets: the value reaches the one host it is bound to, and neither the sandbox nor any other host ever."""

import asyncio
import base64
import gzip
import io
import json
import logging
import re
import ssl
from collections.abc import Callable
from urllib.parse import quote

import pytest
from cryptography import x509
from tests.security.sandbox.broker.hellos import client_hello
from tests.security.sandbox.broker.test_hosts import get
from tests.support.outside import (
    HOST,
    PUBLIC,
    Answer,
    Inside,
    Origin,
    Outside,
    ok,
    read_request,
    trusting,
)

from raptorflow.sandbox.broker.gate import Gate
from raptorflow.sandbox.broker.ports import EgressPolicy
from raptorflow.skills.capabilities import Capabilities

VALUE = 'canary/"7f+3a9c&e='
OTHER_VALUE = "another-value-0815"
NAME = "EXAMPLE_KEY"
Echo = Callable[[bytes], bytes]


def echo(request: bytes) -> bytes:
    """A host that repeats all it was sent."""
    return ok(request, b"X-Seen: %s\r\n" % _authorization(request))


def _authorization(request: bytes) -> bytes:
    found = re.search(rb"(?i)authorization: ([^\r]*)", request)
    return found[1] if found else b"none"


class Bound:
    """A host with a secret bound to it, and a gate to it."""

    def __init__(self, world: Outside, origin: Origin, gate: Gate) -> None:
        self.world, self.origin, self.gate = world, origin, gate
        self.there = f"{HOST}:{origin.port}"
        self.handle = gate.environment()[NAME]

    async def open(self) -> Inside:
        inside = await self.world.open(self.gate)
        assert b" 200 " in await inside.connect(self.there)
        await inside.tls(trusting(self.gate.authority() or b""), HOST)
        return inside

    async def get(self, headers: str = "", path: str = "/") -> Answer:
        inside = await self.open()
        try:
            return await inside.get(path, self.there, headers)
        finally:
            await inside.leave()


async def bound(world: Outside, reply: Echo = echo, who: str = "a") -> Bound:
    world.vault.values.setdefault(NAME, VALUE)
    origin = await world.origin(reply, tls=HOST)
    there = f"{HOST}:{origin.port}"
    return Bound(world, origin, world.gate(there, secrets={NAME: there}, who=who))


async def test_the_value_stands_where_the_handle_stood_and_only_at_its_host(world: Outside) -> None:
    here = await bound(world, lambda _: ok(b"done"))
    answer = await here.get(
        f"Authorization: Bearer {here.handle}\r\nX-Api-Key: {here.handle}\r\nX-Mine: kept\r\n"
    )
    assert answer.body == b"done"
    assert f"Authorization: Bearer {VALUE}\r\nX-Api-Key: {VALUE}\r\nX-Mine: kept".encode() in here.origin.text
    assert here.handle.encode() not in here.origin.text
    assert [(one.kind, one.rule, one.allowed) for one in world.decisions if one.kind == "secret"] == [
        ("secret", NAME, True)
    ]
    assert VALUE not in repr(world.decisions) + repr(dict(here.gate.environment())) + repr(vars(here.gate))


async def test_handles_are_random_and_say_nothing(world: Outside) -> None:
    one, other = await bound(world), await bound(world, who="b")
    assert re.fullmatch(r"rfsec_[0-9a-f]{40}", one.handle)
    assert one.handle != other.handle


async def test_a_request_without_a_handle_passes_as_it_is(world: Outside) -> None:
    here = await bound(world, lambda _: ok(b"done"))
    assert (await here.get("Authorization: Bearer my-own\r\n")).body == b"done"
    assert b"Authorization: Bearer my-own" in here.origin.text
    assert world.vault.fetched == []


async def test_basic_credentials_are_filled_in(world: Outside) -> None:
    here = await bound(world, echo)
    credentials = base64.b64encode(f"user:{here.handle}".encode()).decode()
    answer = await here.get(f"Authorization: Basic {credentials}\r\n")
    sent = base64.b64encode(f"user:{VALUE}".encode())
    assert b"Authorization: Basic " + sent in here.origin.text
    assert sent not in answer.raw
    assert VALUE.encode() not in base64.b64decode(
        _authorization(answer.body).removeprefix(b"Basic ") + b"==", b"**"
    )


async def test_a_handle_in_a_url_or_a_body_stays_text_and_is_counted(world: Outside) -> None:
    here = await bound(world)
    inside = await here.open()
    handle = here.handle.encode()
    head = b"POST /?key=%s HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % (
        handle,
        here.there.encode(),
    )
    inside.send(head + b"a\r\n" + handle[:10] + b"\r\n")
    inside.send(b"24\r\n" + handle[10:] + b"\r\n0\r\n\r\n")
    assert (await inside.answer()).status == 200
    await inside.leave()
    assert VALUE.encode() not in here.origin.text
    assert world.vault.fetched == []
    assert world.decisions[-1].handles_left == 2


async def test_a_compressed_or_encoded_handle_is_only_text(world: Outside) -> None:
    here = await bound(world)
    body = gzip.compress(here.handle.encode())
    inside = await here.open()
    inside.send(b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n" % (here.there.encode(), len(body)))
    inside.send(b"X-Key: " + base64.b64encode(here.handle.encode()) + b"\r\n\r\n" + body)
    assert (await inside.answer()).status == 200
    assert VALUE.encode() not in here.origin.text


async def test_a_handle_at_another_port_or_in_the_clear_is_refused_and_the_value_not_fetched(
    world: Outside,
) -> None:
    here, other = await bound(world), await world.origin()
    there = f"{HOST}:{other.port}"
    gate = world.gate(there, here.there, secrets={NAME: here.there})
    handle = gate.environment()[NAME]
    basic = base64.b64encode(f"x:{handle}".encode()).decode()
    for request in (
        get(there, path=f"/?key={handle}"),
        get(there).replace(b"Connection", f"Authorization: Bearer {handle}\r\nConnection".encode()),
        get(there).replace(b"Connection", f"Authorization: Basic {basic}\r\nConnection".encode()),
    ):
        answer = await world.ask(gate, request)
        assert (answer.status, answer.code) == (403, "secret-elsewhere")
        assert f'{NAME} = "{here.there}"' in answer.problem["hint"]
    # In the clear not even to the host it is bound to.
    request = get(here.there).replace(b"Connection", f"Authorization: {handle}\r\nConnection".encode())
    answer = await world.ask(gate, request)
    assert answer.code == "secret-elsewhere"
    assert "https://" in answer.problem["hint"]
    assert (other.connections, here.origin.connections, world.vault.fetched) == (0, 0, [])
    assert world.refused() == ["secret-elsewhere"] * 4


async def test_a_handle_bound_to_another_host_is_refused_where_tls_ends(world: Outside) -> None:
    one, other = await world.origin(echo, tls=HOST), await world.origin(echo, tls="b.example")
    world.names.names["b.example"] = [PUBLIC]
    world.vault.values = {NAME: VALUE, "OTHER": OTHER_VALUE}
    here, there = f"{HOST}:{one.port}", f"b.example:{other.port}"
    gate = world.gate(here, there, secrets={NAME: here, "OTHER": there})
    inside = await world.open(gate)
    await inside.connect(there)
    await inside.tls(trusting(gate.authority() or b""), "b.example")
    answer = await inside.get("/", there, f"Authorization: {gate.environment()[NAME]}\r\n")
    assert (answer.status, answer.code) == (403, "secret-elsewhere")
    assert (other.heard, world.vault.fetched) == ([], [])
    assert ("secret", "secret-elsewhere") in [(one.kind, one.reason) for one in world.decisions]


async def test_a_handle_of_another_sandbox_is_worth_nothing(world: Outside) -> None:
    a, b = await bound(world, who="a"), await bound(world, who="b")
    answer = await b.get(f"Authorization: Bearer {a.handle}\r\n")
    assert (answer.status, answer.code) == (403, "secret-elsewhere")
    assert (b.origin.heard, world.vault.fetched) == ([], [])
    assert (await b.get(f"Authorization: Bearer {b.handle}\r\n")).status == 200


async def test_the_value_of_the_moment_is_sent_and_one_taken_back_is_not(world: Outside) -> None:
    here = await bound(world, lambda _: ok(b"done"))
    inside = await here.open()
    header = f"Authorization: Bearer {here.handle}\r\n"
    assert (await inside.get("/1", here.there, header)).status == 200
    world.vault.values[NAME] = OTHER_VALUE
    assert (await inside.get("/2", here.there, header)).status == 200
    assert [VALUE.encode() in one for one in here.origin.heard] == [True, False]
    assert OTHER_VALUE.encode() in here.origin.heard[1]
    del world.vault.values[NAME]
    answer = await inside.get("/3", here.there, header)
    assert (answer.status, answer.code) == (403, "secret-unavailable")
    assert len(here.origin.heard) == 2


async def test_a_secret_that_is_no_longer_granted_is_refused_on_an_open_connection(world: Outside) -> None:
    here = await bound(world)
    inside = await here.open()
    here.gate.set_policy(EgressPolicy(Capabilities(network=frozenset({here.there}))))
    answer = await inside.get("/", here.there, f"Authorization: Bearer {here.handle}\r\n")
    assert (answer.status, world.vault.fetched, here.origin.heard) == (403, [], [])


@pytest.mark.parametrize(
    "value", ["short", "line\r\nX: y", "line\nbreak-long-enough", "nul\0long-enough", "gärtner-lang", ""]
)
async def test_a_value_that_cannot_stand_in_a_header_is_not_sent(world: Outside, value: str) -> None:
    world.vault.values[NAME] = value
    here = await bound(world)
    answer = await here.get(f"Authorization: Bearer {here.handle}\r\n")
    assert (answer.code, here.origin.heard) == ("secret-unavailable", [])


def _spelt() -> list[bytes]:
    plain = VALUE.encode()
    return [
        plain,
        json.dumps(VALUE).encode(),
        quote(VALUE, safe="").encode(),
        *(base64.b64encode(b"x" * shift + plain + b"tail") for shift in range(3)),
    ]


@pytest.mark.parametrize("text", _spelt())
async def test_an_echo_is_masked_in_every_usual_spelling(world: Outside, text: bytes) -> None:
    here = await bound(world, lambda _: ok(b"before " + text + b" after", b"X-Seen: " + text + b"\r\n"))
    answer = await here.get(f"Authorization: Bearer {here.handle}\r\n")
    assert text not in answer.raw
    assert b"before " in answer.raw
    assert b" after" in answer.raw
    assert b"*" * 8 in answer.raw
    # The lengths are what they were.
    assert len(answer.body) == len(b"before " + text + b" after")
    control = await here.get()
    assert control.status == 200


async def test_an_echo_in_pieces_is_masked_and_nothing_else_is_held_back(world: Outside) -> None:
    released = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nevent\n\r\n")
        await writer.drain()
        await released.wait()
        for byte in VALUE.encode() + b"!":
            writer.write(b"1\r\n" + bytes([byte]) + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        writer.close()

    port = await world.serve(drip, tls=HOST)
    world.vault.values[NAME] = VALUE
    there = f"{HOST}:{port}"
    here = Bound(world, Origin(port), world.gate(there, secrets={NAME: there}))
    inside = await here.open()
    inside.send(f"GET / HTTP/1.1\r\nHost: {there}\r\nAuthorization: {here.handle}\r\n\r\n".encode())
    await inside.until(b"event\n")
    released.set()
    rest = await inside.until(b"0\r\n\r\n")
    body = b"".join(re.findall(rb"(?s)\r\n[0-9a-f]+\r\n(.*?)(?=\r\n)", b"\r\n" + rest.lstrip(b"\r\n")))
    assert body == b"*" * len(VALUE) + b"!"


async def test_a_secret_sent_on_a_second_connection_is_masked_in_an_answer_that_is_open_already(
    world: Outside,
) -> None:
    streams: list[asyncio.StreamWriter] = []

    async def live_log(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        if request.startswith(b"GET /events"):
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n.\r\n")
            streams.append(writer)
            return
        for stream in streams:
            stream.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(request), request))
        writer.write(ok(b"done"))

    port = await world.serve(live_log, tls=HOST)
    world.vault.values[NAME] = VALUE
    there = f"{HOST}:{port}"
    here = Bound(world, Origin(port), world.gate(there, secrets={NAME: there}))
    listening = await here.open()
    listening.send(f"GET /events HTTP/1.1\r\nHost: {there}\r\n\r\n".encode())
    await listening.until(b"\r\n.\r\n")
    assert (await here.get(f"Authorization: Bearer {here.handle}\r\n")).body == b"done"
    rest = await listening.until(b"0\r\n\r\n")
    assert b"Authorization: Bearer " + b"*" * len(VALUE) in rest
    assert VALUE.encode() not in rest


async def test_a_compressed_answer_is_not_passed_on_before_a_secret_was_sent(world: Outside) -> None:
    here = await bound(world, lambda request: ok(gzip.compress(request), b"Content-Encoding: gzip\r\n"))
    answer = await here.get()
    assert (answer.status, answer.code, world.vault.fetched) == (502, "answer-invalid", [])


async def test_a_compressed_answer_is_not_asked_for_and_not_passed_on(world: Outside) -> None:
    here = await bound(world, lambda request: ok(gzip.compress(request), b"Content-Encoding: gzip\r\n"))
    answer = await here.get(f"Accept-Encoding: gzip, br\r\nAuthorization: Bearer {here.handle}\r\n")
    assert (answer.status, answer.code) == (502, "answer-invalid")
    assert b"Accept-Encoding: identity" in here.origin.text
    assert b"gzip, br" not in here.origin.text


@pytest.mark.parametrize(
    "host", ["evil.example", "api.example.com", "api.example.com:1", "{there}\r\nHost: evil.example"]
)
async def test_a_request_for_another_host_within_the_tunnel_is_refused(world: Outside, host: str) -> None:
    here = await bound(world)
    inside = await here.open()
    answer = await inside.get("/", host.format(there=here.there), f"Authorization: {here.handle}\r\n")
    assert (answer.status, here.origin.heard, world.vault.fetched) == (400, [], [])


@pytest.mark.parametrize("target", ["http://evil.example/", "https://{there}/", "*", "evil.example:443"])
async def test_only_paths_are_asked_for_within_the_tunnel(world: Outside, target: str) -> None:
    here = await bound(world)
    answer = await here.get(f"Authorization: {here.handle}\r\n", target.format(there=here.there))
    assert (answer.status, here.origin.heard, world.vault.fetched) == (400, [], [])


async def test_a_websocket_at_a_host_with_a_secret_is_refused(world: Outside) -> None:
    here = await bound(world)
    answer = await here.get(f"Authorization: {here.handle}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
    assert (answer.status, here.origin.heard, world.vault.fetched) == (400, [], [])


async def test_no_secret_is_sent_to_a_host_that_cannot_show_who_it_is(world: Outside) -> None:
    world.vault.values[NAME] = VALUE
    origin = await world.origin(echo, tls="evil.example")
    there = f"{HOST}:{origin.port}"
    gate = world.gate(there, secrets={NAME: there})
    inside = await world.open(gate)
    inside.send(f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n\r\n".encode())
    answer = Answer(await inside.rest())
    assert (answer.status, answer.code) == (502, "host-untrusted")
    assert (origin.heard, world.vault.fetched) == ([], [])
    world.settings["authorities"] = None
    stranger = await bound(world)
    inside = await world.open(stranger.gate)
    assert b" 502 " in await inside.connect(stranger.there)


async def test_a_hello_for_another_host_is_refused_where_tls_ends(world: Outside) -> None:
    here = await bound(world)
    for hello in (
        client_hello("evil.example"),
        client_hello(None),
        client_hello(HOST, encrypted=0xFE0D),
        b"GET / H",
    ):
        inside = await world.open(here.gate)
        await inside.connect(here.there)
        inside.send(hello)
        inside.writer.write_eof()
        assert await inside.rest() in {b"", b"\x15\x03\x03\x00\x02\x02\x31"}
    assert here.origin.heard == []


async def test_http2_is_not_offered_where_tls_ends(world: Outside) -> None:
    here = await bound(world)
    context = trusting(here.gate.authority() or b"")
    context.set_alpn_protocols(["h2", "http/1.1"])
    inside = await world.open(here.gate)
    await inside.connect(here.there)
    await inside.tls(context, HOST)
    assert inside.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"


async def test_each_sandbox_has_an_authority_of_its_own(world: Outside) -> None:
    a, b = await bound(world, who="a"), await bound(world, who="b")
    assert a.gate.authority() != b.gate.authority()
    inside = await world.open(b.gate)
    await inside.connect(b.there)
    with pytest.raises(ssl.SSLError):
        await inside.tls(trusting(a.gate.authority() or b""), HOST)
    assert (await b.get()).status == 200


async def test_the_authority_vouches_for_its_hosts_alone_and_its_key_stays_here(world: Outside) -> None:
    here = await bound(world)
    pem = here.gate.authority() or b""
    assert b"PRIVATE" not in pem
    certificate = x509.load_pem_x509_certificate(pem)
    names = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert names.critical
    assert names.value.permitted_subtrees == [x509.DNSName(HOST)]
    assert names.value.excluded_subtrees
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() <= 26 * 3600


async def test_a_gate_without_secrets_has_no_authority_and_reads_nothing(world: Outside) -> None:
    origin = await world.origin(echo, tls=HOST)
    gate = world.gate(f"{HOST}:{origin.port}")
    assert (gate.authority(), dict(gate.environment())) == (None, {})
    inside = await world.open(gate)
    await inside.connect(f"{HOST}:{origin.port}")
    # The certificate is the host's own.
    await inside.tls(trusting(world.authority.cert_pem.bytes()), HOST)


async def test_a_secret_whose_host_is_not_granted_is_not_bound(world: Outside) -> None:
    gate = world.gate("b.example:443", secrets={NAME: f"{HOST}:443"})
    assert (gate.authority(), dict(gate.environment())) == (None, {})


async def test_many_requests_go_through_one_connection(world: Outside) -> None:
    here = await bound(world, lambda _: ok(b"done"))
    inside = await here.open()
    for number in range(10):
        assert (
            await inside.get(f"/{number}", here.there, f"Authorization: {here.handle}\r\n")
        ).body == b"done"
    assert (len(here.origin.heard), here.origin.connections) == (10, 1)


async def test_a_host_that_closes_after_each_answer_is_dialled_anew(world: Outside) -> None:
    here = await bound(world, lambda _: ok(b"done", b"Connection: close\r\n"))
    inside = await here.open()
    for number in range(3):
        assert (await inside.get(f"/{number}", here.there)).body == b"done"
    assert here.origin.connections == 3


async def quoting_fault(name: str) -> str:
    """A vault that fails with the secret in its words."""
    raise RuntimeError(VALUE)


async def test_a_fault_in_the_vault_sends_nothing_and_says_nothing(
    world: Outside, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    here = await bound(world)

    monkeypatch.setattr(world.vault, "value", quoting_fault)
    answer = await here.get(f"Authorization: {here.handle}\r\n")
    assert (answer.status, answer.code, here.origin.heard) == (500, "broker-failure", [])
    assert VALUE.encode() not in answer.raw
    said = logged()
    assert "RuntimeError" in said
    assert VALUE not in said


async def test_a_log_that_cannot_be_written_does_not_quote_a_fault(
    world: Outside, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    here = await bound(world)

    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(world.vault, "value", quoting_fault)
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(closed)])
    await here.get(f"Authorization: {here.handle}\r\n")
    said = logged()
    assert "closed file" in said
    assert VALUE not in said
