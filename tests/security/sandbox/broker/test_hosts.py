"""Which hosts a sandbox reaches: those of its policy, and no other, however it asks."""

import pytest
from tests.support.outside import HOST, PUBLIC, Outside, ok

from raptorflow.sandbox.broker.ports import EgressPolicy
from raptorflow.skills.capabilities import Capabilities


def get(authority: str, host: str | None = None, path: str = "/") -> bytes:
    """A plain request through the proxy."""
    head = f"GET http://{authority}{path} HTTP/1.1\r\nHost: {host or authority}\r\nConnection: close\r\n\r\n"
    return head.encode("latin-1")


def connect(authority: str) -> bytes:
    return f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode("latin-1")


async def test_a_declared_host_is_reached(world: Outside) -> None:
    origin = await world.origin(lambda _: ok(b"from outside"))
    gate = world.gate(f"{HOST}:{origin.port}")
    answer = await world.ask(gate, get(f"{HOST}:{origin.port}", path="/a?b=c"))
    assert (answer.status, answer.body) == (200, b"from outside")
    assert origin.text.startswith(b"GET /a?b=c HTTP/1.1\r\nHost: api.example.com:")
    decided, ended = world.decisions
    assert (decided.allowed, decided.reason, decided.address) == (True, "allowed", PUBLIC)
    assert (ended.stage, ended.reason, ended.rule) == ("ended", "done", f"{HOST}:{origin.port}")
    assert ended.bytes_down > len(b"from outside")
    assert (ended.who.tenant, ended.id) == ("tenant-a", decided.id)


@pytest.mark.parametrize(
    "asked",
    [
        "evil.example:{port}",
        "api.example.com:1",
        "evilapi.example.com:{port}",
        "api.example.com.evil.example:{port}",
        "example.com:{port}",
        "x.api.example.com:{port}",
        "127.0.0.1:{port}",
        "127.0.0.2:{port}",
        "[::1]:{port}",
        # The first letter is Cyrillic; as IDNA it is a name of its own.
        "xn--pi-7kc.example.com:{port}",
    ],
)
@pytest.mark.parametrize("way", [get, connect])
async def test_a_host_or_port_that_is_not_declared_is_refused(
    world: Outside, way: object, asked: str
) -> None:
    origin = await world.origin()
    gate = world.gate(f"{HOST}:{origin.port}")
    asked = asked.format(port=origin.port)
    answer = await world.ask(gate, get(asked) if way is get else connect(asked))
    assert (answer.status, answer.code) == (403, "host-not-allowed")
    assert (origin.connections, world.names.asked) == (0, [])
    assert world.refused() == ["host-not-allowed"]
    # The same gate still serves what is allowed.
    assert (await world.ask(gate, get(f"{HOST}:{origin.port}"))).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "127.0.0.01",
        "1.2.3.4.5",
        "256.1.1.1",
        "0x",
        "[::ffff:127.0.0.2]",
        "[::ffff:7f00:2]",
        "1.2.3.4.0x5",
    ],
)
@pytest.mark.parametrize("way", [get, connect])
async def test_an_address_in_disguise_is_refused(world: Outside, way: object, host: str) -> None:
    origin = await world.origin()
    gate = world.gate(f"{PUBLIC}:{origin.port}", f"{HOST}:{origin.port}")
    asked = f"{host}:{origin.port}"
    answer = await world.ask(gate, get(asked) if way is get else connect(asked))
    assert (answer.status, answer.code) == (403, "address-notation")
    assert origin.connections == 0
    assert (await world.ask(gate, get(f"{PUBLIC}:{origin.port}"))).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example%00.api.example.com",
        "api.example.com%2eevil.example",
        "user@api.example.com",
        "user:pass@api.example.com",
        "[fe80::1%25eth0]",
        "api..example.com",
        ".api.example.com",
        "-.example.com",
        "a" * 64 + ".example.com",
        "a" * 256,
        ".".join(["abcdefgh"] * 40),
        "api.example.com..",
        "[api.example.com]",
        "api.example.com#.evil.example",
        "api\\.example.com",
        "[::1",
    ],
)
@pytest.mark.parametrize("way", [get, connect])
async def test_what_is_no_host_is_refused(world: Outside, way: object, host: str) -> None:
    origin = await world.origin()
    gate = world.gate(f"{HOST}:{origin.port}")
    asked = f"{host}:{origin.port}"
    answer = await world.ask(gate, get(asked, HOST) if way is get else connect(asked))
    assert answer.status == 400
    assert answer.code in {"destination-invalid", "request-invalid"}
    assert (origin.connections, world.names.asked) == (0, [])


@pytest.mark.parametrize(
    "byte", ["\0", "\r", "\n", " ", "\t", "\x0b", "\x7f", "\xad", "\u00e4", "\r\nX: y\r\n"]
)
async def test_a_byte_that_readers_read_in_different_ways_is_refused(world: Outside, byte: str) -> None:
    origin = await world.origin()
    gate = world.gate(f"{HOST}:{origin.port}")
    for asked in (f"evil.example{byte}.{HOST}:{origin.port}", f"{HOST}{byte}:{origin.port}"):
        answer = await world.ask(gate, connect(asked))
        assert answer.status == 400, asked
    assert (origin.connections, world.names.asked) == (0, [])


async def test_case_and_one_final_dot_do_not_matter(world: Outside) -> None:
    origin = await world.origin(lambda _: ok(b""))
    gate = world.gate(f"{HOST}:{origin.port}")
    answer = await world.ask(gate, get(f"API.Example.COM.:{origin.port}", f"api.EXAMPLE.com:{origin.port}"))
    assert answer.status == 200
    assert world.names.asked == [HOST]


@pytest.mark.parametrize("policy", [None, EgressPolicy(), EgressPolicy(Capabilities.none())])
async def test_an_empty_or_missing_policy_denies_everything(
    world: Outside, policy: EgressPolicy | None
) -> None:
    origin = await world.origin()
    gate = world.admit(policy)
    for asked in (f"{HOST}:{origin.port}", f"{PUBLIC}:{origin.port}"):
        assert (await world.ask(gate, get(asked))).code == "host-not-allowed"
        assert (await world.ask(gate, connect(asked))).code == "host-not-allowed"
    assert origin.connections == 0


async def test_what_cannot_be_read_in_a_policy_allows_nothing(world: Outside) -> None:
    origin = await world.origin()
    gate = world.gate(
        "*", "*:*", f"*.example.com:{origin.port}", HOST, f"{HOST}:", f"{HOST}:0", f"http://{HOST}"
    )
    assert (await world.ask(gate, get(f"{HOST}:{origin.port}"))).code == "host-not-allowed"


@pytest.mark.parametrize(
    "pattern", ["api.example.com", "API.example.com.", "*.example.com", "**.com", "api.example.com:{port}"]
)
async def test_the_operators_denial_wins(world: Outside, pattern: str) -> None:
    origin = await world.origin()
    world.settings["denied_hosts"] = [pattern.format(port=origin.port)]
    answer = await world.ask(world.gate(f"{HOST}:{origin.port}"), get(f"{HOST}:{origin.port}"))
    assert (answer.code, origin.connections) == ("host-denied", 0)
    assert "No line of skill.toml" in answer.problem["hint"]


@pytest.mark.parametrize(
    "pattern", ["example.com", "*.api.example.com", "**.api.example.com", "*.com", "api.example.com:1"]
)
async def test_a_denial_of_other_hosts_leaves_this_one(world: Outside, pattern: str) -> None:
    origin = await world.origin()
    world.settings["denied_hosts"] = [pattern]
    answer = await world.ask(world.gate(f"{HOST}:{origin.port}"), get(f"{HOST}:{origin.port}"))
    assert answer.status == 200


async def test_a_denial_says_which_line_would_allow_it(world: Outside) -> None:
    gate = world.gate(f"{HOST}:443")
    hint = (await world.ask(gate, connect("b.example:8443"))).problem["hint"]
    assert '[permissions]\nnetwork = ["api.example.com:443","b.example:8443"]'.replace(",", ", ") in hint


async def test_a_denial_of_what_is_declared_says_who_has_to_grant_it(world: Outside) -> None:
    declared = Capabilities(network=frozenset({"b.example:443"}))
    gate = world.admit(EgressPolicy(Capabilities.none(), declared))
    answer = await world.ask(gate, connect("b.example:443"))
    assert answer.code == "host-not-allowed"
    assert "did not grant it" in answer.problem["hint"]
