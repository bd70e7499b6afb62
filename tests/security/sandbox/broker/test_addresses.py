"""Where an allowed name may lead: to the public network, by the one answer that was judged."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest
from tests.security.sandbox.broker.test_hosts import connect, get
from tests.support.outside import HOST, PUBLIC, Outside, identity

from raptorflow.sandbox.broker.destinations.addresses import AddressRules
from raptorflow.sandbox.broker.errors import AddressDenied
from raptorflow.sandbox.broker.facade import Broker
from raptorflow.sandbox.broker.ports import EgressPolicy
from raptorflow.sandbox.broker.settings import BrokerSettings
from raptorflow.skills.capabilities import Capabilities

FORBIDDEN = (
    # Metadata services.
    *("169.254.169.254", "fd00:ec2::254", "168.63.129.16", "100.100.100.200", "fe80::1", "169.254.0.1"),
    # Private networks, this machine, and what stands for all its addresses.
    *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "127.0.0.1", "127.0.0.3"),
    *("0.0.0.1", "0.1.2.3", "::", "::1", "fc00::1", "fd12:3456::1", "fec0::1"),
    # Not for anybody: multicast, broadcast, reserved, documentation, benchmarks, relays.
    *("224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "ff02::1", "192.0.0.1", "192.0.2.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "2001:db8::1", "100::1", "3fff::1"),
    # IPv4 in IPv6: mapped, compatible, translated, 6to4, Teredo.
    *(
        "::ffff:127.0.0.2",
        "::ffff:8.8.8.8",
        "::127.0.0.2",
        "64:ff9b::7f00:2",
        "64:ff9b:1::1",
        "2002:7f00:2::",
    ),
    "2001:0:7f00:2::",
)


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_an_allowed_name_that_leads_to_a_forbidden_address_is_refused(
    world: Outside, address: str
) -> None:
    origin = await world.origin()
    gate = world.gate(f"{HOST}:{origin.port}")
    world.names.names[HOST] = [address]
    for request in (get(f"{HOST}:{origin.port}"), connect(f"{HOST}:{origin.port}")):
        answer = await world.ask(gate, request)
        assert (answer.status, answer.code) == (403, "address-denied")
    assert world.decisions[0].address == str(ip_address(address))
    assert origin.connections == 0
    # The same name is fine when it leads outside.
    world.names.names[HOST] = [PUBLIC]
    assert (await world.ask(gate, get(f"{HOST}:{origin.port}"))).status == 200


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"])
async def test_no_setting_opens_the_way_to_metadata(world: Outside, address: str) -> None:
    world.settings["allowed_ranges"] = ["0.0.0.0/0", "::/0"]
    world.names.names[HOST] = [address]
    assert (await world.ask(world.gate(f"{HOST}:80"), get(HOST))).code == "address-denied"
    literal = f"[{address}]:80" if ":" in address else f"{address}:80"
    assert (await world.ask(world.gate(literal), get(literal))).code == "address-denied"


@pytest.mark.parametrize("bad_first", [True, False])
async def test_one_forbidden_answer_among_good_ones_refuses_the_name(world: Outside, bad_first: bool) -> None:
    origin = await world.origin()
    world.names.names[HOST] = ["127.0.0.1", PUBLIC] if bad_first else [PUBLIC, "127.0.0.1"]
    answer = await world.ask(world.gate(f"{HOST}:{origin.port}"), get(f"{HOST}:{origin.port}"))
    assert (answer.code, origin.connections) == ("address-denied", 0)


async def test_a_name_is_looked_up_once_and_its_answer_is_what_is_dialled(world: Outside) -> None:
    origin = await world.origin()
    inner = await world.origin(at="127.0.0.1")
    gate = world.gate(f"{HOST}:{origin.port}", f"{HOST}:{inner.port}")
    first_answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])

    class Rebinding(dict[str, Sequence[str]]):
        def __getitem__(self, name: str) -> Sequence[str]:
            return next(first_answers)

    world.names.names = Rebinding({HOST: []})
    assert (await world.ask(gate, get(f"{HOST}:{origin.port}"))).status == 200
    assert world.names.asked == [HOST]
    # The second look finds the name led elsewhere: that connection is refused.
    assert (await world.ask(gate, get(f"{HOST}:{inner.port}"))).code == "address-denied"
    assert (origin.connections, inner.connections) == (1, 0)


async def test_a_second_address_is_tried_when_the_first_does_not_answer(world: Outside) -> None:
    origin = await world.origin()
    world.settings["allowed_ranges"] = ["127.0.0.2/31"]
    world.names.names[HOST] = ["127.0.0.3", PUBLIC]
    assert (await world.ask(world.gate(f"{HOST}:{origin.port}"), get(f"{HOST}:{origin.port}"))).status == 200
    assert [(one.stage, one.address) for one in world.decisions] == [
        ("decided", "127.0.0.3"),
        ("decided", PUBLIC),
        ("ended", PUBLIC),
    ]


async def test_what_the_sandbox_believes_about_a_name_does_not_matter(world: Outside) -> None:
    origin = await world.origin()
    trap = await world.origin(at="127.0.0.1")
    gate = world.gate(f"{HOST}:{origin.port}", f"{HOST}:{trap.port}")
    # With its own hosts file it can only ask for another address, which is not allowed.
    assert (await world.ask(gate, connect(f"127.0.0.1:{trap.port}"))).code == "host-not-allowed"
    assert (await world.ask(gate, get(f"127.0.0.1:{trap.port}", f"{HOST}:{trap.port}"))).status == 400
    assert trap.connections == 0
    assert (await world.ask(gate, get(f"{HOST}:{origin.port}"))).status == 200


async def test_an_address_counts_only_where_the_policy_names_it(world: Outside) -> None:
    origin = await world.origin()
    asked = f"{PUBLIC}:{origin.port}"
    assert (await world.ask(world.gate(f"{HOST}:{origin.port}"), get(asked))).code == "host-not-allowed"
    assert (await world.ask(world.gate(asked), get(asked))).status == 200
    # Naming a private address is not enough: an operator must allow its range.
    assert (await world.ask(world.gate("10.0.0.1:80"), get("10.0.0.1"))).code == "address-denied"


async def test_the_control_plane_is_out_of_reach_whatever_is_allowed(world: Outside) -> None:
    origin = await world.origin()
    world.settings["denied_ranges"] = [f"{PUBLIC}/32"]
    answer = await world.ask(world.gate(f"{HOST}:{origin.port}"), get(f"{HOST}:{origin.port}"))
    assert (answer.code, origin.connections) == ("address-denied", 0)


async def test_the_machines_own_addresses_are_out_of_reach(world: Outside) -> None:
    own = _own_address()
    world.names.names[HOST] = [own]
    answer = await world.ask(world.gate(f"{HOST}:80"), get(HOST))
    assert answer.code == "address-denied"


@pytest.mark.parametrize(
    ("own", "allowed"),
    [
        *(("10.1.2.3", one) for one in ("10.0.0.0/8", "10.1.2.2/31", "0.0.0.0/0")),
        *(("fd12::3", one) for one in ("fc00::/7", "fd12::2/127", "::/0")),
        # A public address of this machine, whether or not a range has it.
        *(("8.8.8.8", one) for one in ("10.0.0.0/8", "8.8.8.0/24")),
    ],
)
def test_no_range_opens_the_way_to_the_machines_own_addresses(own: str, allowed: str) -> None:
    address, ranges = ip_address(own), [ip_network(allowed)]
    with pytest.raises(AddressDenied, match="this machine"):
        AddressRules(allowed=ranges, own=lambda one: one == address).check(address, HOST)
    # Others in it are reached, and this one by whoever names the very address.
    if address in ranges[0]:
        AddressRules(allowed=ranges, own=lambda one: one != address).check(address, HOST)
    alone = [*ranges, ip_network(own)]
    AddressRules(allowed=alone, own=lambda one: one == address).check(address, HOST)


@pytest.mark.parametrize(
    ("allowed", "reached"), [("127.0.0.0/8", True), ("0.0.0.0/0", False), ("126.0.0.0/7", False)]
)
async def test_only_a_range_of_loopback_addresses_means_loopback(
    world: Outside, allowed: str, reached: bool
) -> None:
    origin = await world.origin(at="127.0.0.1")
    there = f"{HOST}:{origin.port}"
    world.names.names[HOST] = ["127.0.0.1"]
    world.settings["allowed_ranges"] = [allowed]
    assert (await world.ask(world.gate(there), get(there))).status == (200 if reached else 403)
    assert bool(origin.connections) == reached


async def test_a_name_that_is_not_known_and_a_host_that_does_not_answer_are_told_apart(
    world: Outside,
) -> None:
    with socket.create_server((PUBLIC, 0)) as closed:
        port = closed.getsockname()[1]
    gate = world.gate(f"{HOST}:{port}", "nowhere.example:80")
    assert (await world.ask(gate, get("nowhere.example"))).code == "name-unknown"
    assert (await world.ask(gate, get(f"{HOST}:{port}"))).code == "host-unreachable"


async def test_a_name_with_more_addresses_than_a_real_host_has_is_refused(world: Outside) -> None:
    world.names.names[HOST] = [PUBLIC] * 33
    assert (await world.ask(world.gate(f"{HOST}:80"), get(HOST))).code == "name-unknown"
    world.names.names[HOST] = []
    assert (await world.ask(world.gate(f"{HOST}:80"), get(HOST))).code == "name-unknown"


def _own_address() -> str:
    """The address this machine would use towards the outside; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]


async def test_the_systems_own_resolver_is_asked_and_judged_like_any(world: Outside) -> None:
    origin = await world.origin(at="127.0.0.1")
    there = f"localhost:{origin.port}"
    settings = BrokerSettings.model_validate({"allowed_ranges": ["127.0.0.0/8", "::1/128"]})
    for given, code in ((settings, 200), (BrokerSettings(), 403)):
        broker = Broker(given, world.decisions.append)
        gate = broker.admit(
            identity("a"), EgressPolicy(Capabilities(network=frozenset({there}))), world.vault
        )
        assert (await world.ask(gate, get(there))).status == code
        await gate.close()
    assert world.refused() == ["address-denied"]
