"""N11, N12 and N15-N26: detours through requests, tunnels, other sockets, other sandboxes, and the rules."""

import asyncio
import secrets
import socket

from raptorflow.sandbox.attacks.gates import tightened
from raptorflow.sandbox.attacks.lasting import both
from raptorflow.sandbox.attacks.model import Attack, Trial, outcomes
from raptorflow.sandbox.attacks.outward import HONEST_TLS, IMPORTS, Outward, world_of
from raptorflow.sandbox.attacks.program import said
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.attacks.steps import Step
from raptorflow.sandbox.attacks.world import GOOD, OWN_ADDRESS, TENANT, Hit, World, plain
from raptorflow.skills.capabilities import Capabilities

KNOCK_SECONDS = 0.025
TUNNEL = "tunnel(f'{GOOD}:{TLS}')"
REDIRECTED = """
answer = ask((head(GOOD, PORT, 'Connection: close\\r\\n') + '\\r\\n').encode()).decode()
place = [line for line in answer.split('\\r\\n') if line.startswith('Location: ')][0][10:]
get(place)
"""
# A second request, to another host, in what looks to the first reader like the body of the first.
SMUGGLED = """
inner = head(EVIL, EVIL_PORT) + '\\r\\n'
outer = head(GOOD, PORT, {headers}, method='POST') + '\\r\\n'
answer = ask((outer + {before}inner).encode())
if answer.count(b'HTTP/1.1 200') < 2:
    raise Refused(answer.split(b'\\r\\n')[0].decode('latin-1'))
"""
SECOND = """
first = head(GOOD, PORT) + '\\r\\n'
second = head(EVIL, EVIL_PORT, 'Connection: close\\r\\n') + '\\r\\n'
answer = ask((first + second).encode())
if answer.count(b'HTTP/1.1 200') < 2:
    raise Refused(answer[-60:].decode('latin-1'))
"""
DIRECT = "socket.create_connection(({host!r}, {port}), timeout=1).close()"


def denied(world: World) -> None:
    """A name under the domain that the operator denies, and that a policy allows all the same."""
    world.names.lead("api.denied.example", ["127.77.0.1"])
    world.names.lead("denied.example", ["127.77.0.1"])


async def redirected(stage: Stage) -> Trial:
    """N11: the control is a host that does not redirect."""
    probe = Outward({"follow": Step(REDIRECTED, twin="get(f'http://{OTHER}:{PORT}/')")},
                    reach=("{OTHER}:{PORT}",), prepare=_redirect_good)  # fmt: skip
    return await probe(stage)


def _redirect_good(world: World) -> None:
    location = f"Location: http://{OWN_ADDRESS}:{world.own.port}/\r\nConnection: close\r\n"

    def answer(hit: Hit) -> bytes:
        return (
            plain(b"", "302 Found", location)
            if f"host: {GOOD}:".encode() in hit.head.lower()
            else plain(b"x")
        )

    world.good.answer = answer


async def neighbours(stage: Stage) -> Trial:
    """N19: one sandbox looks for another's listener, and for sockets that are not its own."""
    world = world_of(stage)
    mark = f"rf-near-{secrets.token_hex(4)}"
    listen = """
    listener = socket.socket()
    listener.bind(('127.0.0.1', 41999))
    listener.listen()
    listener.settimeout(2.5)
    try:
        listener.accept()
        return 'somebody came'
    except TimeoutError:
        raise Absent('nobody came')
    """
    look = """
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        try:
            socket.create_connection(('127.0.0.1', 41999), timeout=0.2).close()
            return 'reached'
        except OSError:
            time.sleep(0.05)
    raise Absent('nothing listens')
    """
    used = stage.with_manager(world.manager)
    texts = [stage.text({mark: code}, {}, apart=False, outside=False) for code in (listen, look)]
    inside = await asyncio.gather(*(used.inside(text, **world.reach()) for text in texts))
    texts = [stage.text({mark: code}, {}, apart=False, outside=True) for code in (listen, look)]
    outside = await asyncio.gather(*(stage.outside(text) for text in texts))
    saw = [answer.saw for result in inside for answer in said(result.stdout).values()]
    free = [answer.words for result in outside for answer in said(result.stdout).values()]
    apart = "through" not in saw and len(saw) == len(texts)
    return Trial(
        outcomes("absent" if apart else "through" if "through" in saw else "broken"),
        f"one sandbox: {saw}",
        "reached" in free,
        f"two processes outside: {free}",
    )


async def inbound(stage: Stage) -> Trial:
    """N20: a program listens on every address; this machine tries to reach it."""
    world = world_of(stage)
    port = _free_port()
    listen = """
    listener = socket.socket()
    listener.bind(('0.0.0.0', PORT))
    listener.listen()
    listener.settimeout(1.5)
    try:
        listener.accept()
        return 'somebody came'
    except TimeoutError:
        raise Absent('nobody came')
    """
    facts = {"PORT": port}
    used = stage.with_manager(world.manager)

    async def knock() -> bool:
        for _ in range(60):
            try:
                _, writer = await asyncio.open_connection(OWN_ADDRESS, port)
                writer.close()
                return True
            except OSError:
                await asyncio.sleep(KNOCK_SECONDS)
        return False

    text = stage.text({"listen": listen}, facts, apart=False, outside=False)
    inside, reached = await asyncio.gather(used.inside(text, **world.reach()), knock())
    text = stage.text({"listen": listen}, facts, apart=False, outside=True)
    _, control = await asyncio.gather(stage.outside(text), knock())
    answer = said(inside.stdout).get("listen")
    shut = not reached and answer is not None and answer.saw != "through"
    reached_words = "it was reached" if reached else "nobody reached it"
    return Trial(
        outcomes(("absent" if answer.saw == "absent" else "refused") if shut and answer else "through"),
        f"inside: {answer.words if answer else inside.status}; from this machine {reached_words}",
        control,
        "the same program outside is reached",
    )


def _free_port() -> int:
    with socket.create_server((OWN_ADDRESS, 0)) as found:
        return int(found.getsockname()[1])


MANY = Outward(
    {
        "2,000 connections": Step(
            """
            passed = 0
            for _ in range(2000):
                try:
                    get(f'http://{GOOD}:{PORT}/')
                    passed += 1
                except (Refused, OSError) as error:
                    raise Refused(f'{error} after {passed}')
            """
        ),
        "256 at once": Step("kept = [tunnel(f'{GOOD}:{TLS}') for _ in range(256)]", twin=TUNNEL),
    },
    limits={"timeout_seconds": 30},
)
MUCH = Outward(
    {
        "8 MiB where 4 are allowed": Step(
            "for _ in range(8): get(f'http://{GOOD}:{PORT}/', method='POST', body=bytes(1 << 20))",
            twin="get(f'http://{GOOD}:{PORT}/', method='POST', body=bytes(1000))",
        )
    }
)


async def spent(stage: Stage) -> Trial:
    """N22: more connections than a sandbox may open, and more bytes than it may send."""
    return both(await MANY(stage), await MUCH(stage))


async def empty(stage: Stage) -> Trial:
    """N24: nothing allowed is everything denied: no policy, an empty one, and one with services alone."""
    world = world_of(stage)
    used = stage.with_manager(world.manager)
    codes = {"proxy": IMPORTS + "get(f'http://{GOOD}:{PORT}/')", "tunnel": IMPORTS + TUNNEL}
    text = stage.text(codes, world.facts, apart=True, outside=False)
    policies = {
        "none": {},
        "empty": {"reach": Capabilities.none(), "tenant": TENANT},
        "services alone": {"reach": Capabilities(services={"mail": frozenset({"send"})}), "tenant": TENANT},
    }
    got: list[str] = []
    for name, fields in policies.items():
        answers = said((await used.inside(text, **fields)).stdout)
        got += [f"{name}: {step}" for step in codes if step not in answers or answers[step].saw == "through"]
    answers = said((await used.inside(text, **world.reach())).stdout)
    alive = all(answer.succeeded for answer in answers.values()) and len(answers) == len(codes)
    return Trial(
        outcomes("through" if got else "refused"),
        "; ".join(got) or f"{len(policies)} policies, {len(codes)} ways each, all refused",
        alive,
        "with a policy both ways are open",
    )


async def crashed(stage: Stage) -> Trial:
    """N25: after the first request nothing can be written down any more; the second does not leave."""
    world = world_of(stage)

    def fail(hit: Hit) -> bytes:
        world.log.failing = True
        return plain(b"ok", headers="Connection: close\r\n")

    world.good.answer = fail
    codes = {
        "first": "get(f'http://{GOOD}:{PORT}/')",
        "second": "get(f'http://{GOOD}:{PORT}/')",
        "TLS": HONEST_TLS,
    }
    codes = {name: IMPORTS + code for name, code in codes.items()}
    text = stage.text(codes, world.facts, apart=True, outside=False)
    try:
        answers = said((await stage.with_manager(world.manager).inside(text, **world.reach())).stdout)
    finally:
        world.log.failing = False
    first = answers.pop("first", None)
    shut = all(answer.saw != "through" for answer in answers.values()) and len(answers) == len(codes) - 1
    words = "; ".join(f"{name}: {answer.words or answer.saw}" for name, answer in answers.items())
    return Trial(
        outcomes("refused" if shut and len(world.good.hits) == 1 else "through"),
        f"{words}; the host had {len(world.good.hits)} request",
        first is not None and first.succeeded,
        "the request before that was passed on",
    )


DETOURS = (
    Attack(
        "N11",
        "A redirect",
        "an allowed host redirects to this machine",
        "the broker follows no redirect; the next request is judged like any other",
        redirected,
    ),
    Attack(
        "N12",
        "Another name inside the tunnel",
        "ask for another host in TLS or in Host than the tunnel or the request was allowed for; ask for none",
        "the hello in a tunnel is read and must name the tunnel's host; Host must equal the request's",
        Outward(
            {
                "another name in TLS": Step("tls(f'{GOOD}:{TLS}', EVIL)", twin=HONEST_TLS),
                "no name in TLS": Step("tls(f'{GOOD}:{TLS}', None)", twin=HONEST_TLS),
                "another Host": "get(f'http://{GOOD}:{PORT}/', host=EVIL)",
                "two Hosts": "get(f'http://{GOOD}:{PORT}/', headers=f'Host: {EVIL}\\r\\n')",
            }
        ),
    ),
    Attack(
        "N15",
        "Requests that are read twice",
        "origin form, smuggled and pipelined requests, upgrades, tunnels within tunnels",
        "one strict reader; each request on a connection is judged alone",
        Outward(
            {
                "origin form": Step(
                    "more = 'Connection: close\\r\\n\\r\\n'\n"
                    "checked(ask(head(EVIL, EVIL_PORT, more, origin=True).encode()))"
                ),
                **{
                    name: SMUGGLED.format(headers=headers, before=before)
                    for name, (headers, before) in {
                        "length and chunks": (
                            "'Content-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n'",
                            "'0\\r\\n\\r\\n' + ",
                        ),
                        "two lengths": ("f'Content-Length: 0\\r\\nContent-Length: {len(inner)}\\r\\n'", ""),
                        "a bad length": ("'Content-Length: +0\\r\\n'", ""),
                        "a folded header": ("'X: y\\r\\n Content-Length: 0\\r\\n'", ""),
                        "space before the colon": ("'Transfer-Encoding : chunked\\r\\n'", ""),
                    }.items()
                },
                "pipelined": Step(SECOND),
                "another scheme": "get(f'ftp://{EVIL}:{EVIL_PORT}/')",
                "a tunnel in a tunnel": Step(
                    """
                    connection = tunnel(f'{GOOD}:{PORT}')
                    connection.sendall(f'CONNECT {EVIL}:{EVIL_PORT} HTTP/1.1\\r\\n\\r\\n'.encode())
                    checked(received(connection, b'\\r\\n\\r\\n'), cut=True)
                    """,
                    twin=TUNNEL,
                ),
                "plain HTTP in a tunnel": Step(
                    """
                    connection = tunnel(f'{GOOD}:{PORT}')
                    connection.sendall(f'GET / HTTP/1.1\\r\\nHost: {EVIL}\\r\\n\\r\\n'.encode())
                    checked(received(connection, b'\\r\\n\\r\\n'), cut=True)
                    """,
                    twin=TUNNEL,
                ),
                "HTTP/2": Step("checked(ask(b'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'))"),
                "SOCKS": Step(
                    """
                    answer = ask(b'\\x05\\x01\\x00')
                    if not answer.startswith(b'\\x05'):
                        raise Refused('no such protocol')
                    """
                ),
            },
            limits={"timeout_seconds": 60},
        ),
    ),
    Attack(
        "N16",
        "Without the proxy",
        "ignore the variables that name the proxy and connect directly",
        "there is no route: the variables are for convenience alone",
        Outward(
            {
                "to the allowed host": Step(DIRECT.format(host="127.77.0.1", port="PORT")),
                "to this machine": Step(DIRECT.format(host="127.0.0.1", port="OWN_PORT")),
                "by name": Step("socket.getaddrinfo(GOOD, 80)"),
                "with NO_PROXY": Step(
                    "import urllib.request\n"
                    "os.environ['NO_PROXY'] = os.environ['no_proxy'] = '*'\n"
                    "urllib.request.urlopen(f'http://127.77.0.1:{PORT}/', timeout=2)"
                ),
            }
        ),
    ),
    Attack(
        "N17",
        "Other protocols",
        "datagrams to this machine, names asked of a server, raw packets",
        "the namespace has only its own loopback, and other kinds of socket cannot be made",
        Outward(
            {
                "datagram, answered": Step(
                    """
                    channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    channel.settimeout(1)
                    channel.connect(('127.77.0.1', 53))
                    channel.send(b'x')
                    channel.recv(10)
                    """
                ),
                "a public name server": Step(
                    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.53', 53))"
                ),
                "QUIC": Step(
                    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 443))"
                ),
                "ping": Step("socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1)"),
                "raw": Step("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
                "names over TLS": Step("tunnel('dns.example:853')", twin=TUNNEL),
            }
        ),
    ),
    Attack(
        "N18",
        "By IPv6",
        "reach this machine and others by IPv6, directly and by the proxy",
        "no interface but loopback for either protocol; the broker judges both alike",
        Outward(
            {
                "loopback": Step(DIRECT.format(host="::1", port="OWN_PORT")),
                "a public address": Step(DIRECT.format(host="2001:db8::1", port="443")),
                "through the proxy": Step("get(f'http://[::1]:{OWN_PORT}/')"),
                "tunnel": Step("tunnel(f'[::ffff:127.0.0.1]:{OWN_PORT}')", twin=TUNNEL),
            }
        ),
    ),
    Attack(
        "N19",
        "The neighbour",
        "reach what listens in another sandbox",
        "each sandbox has a loopback and a channel of its own",
        neighbours,
    ),
    Attack(
        "N20",
        "Being reached",
        "listen on every address and be reached from this machine",
        "nothing of the sandbox's network is connected to anything",
        inbound,
    ),
    Attack(
        "N21",
        "Rewriting the rules",
        "talk to the kernel's firewall and routes, add an interface",
        "no such socket can be made, and there are no rules in the sandbox that hold it",
        Outward(
            {
                "firewall": Step("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)"),
                "routes": Step("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)"),
                "interface": Step(
                    "fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, b'lo' + bytes(38))"
                ),
                "forwarding": Step("open('/proc/sys/net/ipv4/ip_forward', 'w')"),
            }
        ),
        in_guest=outcomes("refused", "absent", "contained"),
    ),
    Attack(
        "N22",
        "More than its share",
        "open thousands of connections, hundreds at once, and send more bytes than are allowed",
        "the broker counts connections at once and a second, and bytes, for each sandbox",
        spent,
    ),
    Attack(
        "N23",
        "Going on after the policy changed",
        "keep using a tunnel that is no longer allowed",
        "a tighter policy cuts what is open",
        tightened,
    ),
    Attack(
        "N24",
        "An empty policy",
        "reach anything with no policy, an empty one, or one for services alone",
        "an empty policy denies; without one there is not even a socket",
        empty,
    ),
    Attack(
        "N25",
        "A broker that fails",
        "go out while the broker cannot write down what it decides",
        "what is not written down does not leave",
        crashed,
    ),
    Attack(
        "N26",
        "Denied and allowed at once",
        "reach hosts that the policy allows and the operator denies, in other spellings too",
        "the operator's list is asked first, with the same canonical host",
        Outward(
            {
                "plain": "get(f'http://api.denied.example:{PORT}/')",
                "upper case": "get(f'http://API.Denied.EXAMPLE:{PORT}/')",
                "final dot": "get(f'http://api.denied.example.:{PORT}/')",
                "tunnel": Step("tunnel(f'api.denied.example:{TLS}')", twin=TUNNEL),
            },
            reach=("api.denied.example:{PORT}", "api.denied.example:{TLS}"),
            prepare=denied,
        ),
    ),
)
