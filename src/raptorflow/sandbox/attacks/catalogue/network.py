"""N1-N10, N13 and N14: reaching what is not allowed, by name, by address, and by tricks with either."""

import asyncio
import socket
from contextlib import ExitStack

from raptorflow.sandbox.attacks.model import Attack, Trial, outcomes
from raptorflow.sandbox.attacks.outward import HONEST_TLS, Outward, with_touched, world_of
from raptorflow.sandbox.attacks.outward import IMPORTS as PROXY_IMPORTS
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.attacks.steps import Step, Steps
from raptorflow.sandbox.attacks.world import GOOD, OWN_ADDRESS, World

# A guest may know itself by a name, which its own image holds.
NAMES = """
found = set()
for name in (MACHINE, 'localhost'):
    try:
        found |= {each[4][0] for each in socket.getaddrinfo(name, 80)}
    except OSError as error:
        refused = error
if not found:
    raise refused
if found <= {'127.0.0.1', '::1'}:
    raise Absent('only its own')
return found
"""
GET = "get(f'http://{host}:{port}/')"
# The good host and this machine listen on the same port.
TURNING = """
try:
    get(f'http://turns.{GOOD}:{OWN_PORT}/')
except (Refused, LetPast) as error:
    raise ValueError(f'refused the first time already: {error}')
get(f'http://turns.{GOOD}:{OWN_PORT}/')
"""
# The name is known, so it can only be for the number of its addresses that it is not.
CROWDED = """
try:
    get(f'http://many.{GOOD}:{PORT}/')
except LetPast as error:
    raise (Refused if 'name-unknown' in str(error) else LetPast)(str(error))
"""
METADATA = ("169.254.169.254", "fd00:ec2::254", "168.63.129.16", "100.100.100.200", "169.254.1.1", "fe80::1")
PRIVATE = (
    *("10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "127.0.0.1", "127.0.0.53"),
    *("::1", "::ffff:127.0.0.1", "fc00::1", "fe80::1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1"),
)
SPELLINGS = (
    *("2135752705", "0x7f4d0001", "0177.77.0.1", "127.77.1", "0x7f.77.0.1", "127.077.000.001"),
    *("[::ffff:127.77.0.1]", "[::ffff:7f4d:1]", "[fe80::1%25lo]", "127.77.0.1.", "127.77.0.01", "1.1"),
)
ODD_NAMES = {
    "NUL": "'evil.example\\x00.' + GOOD",
    "NUL before": "GOOD + '\\x00.evil.example'",
    "line end": "GOOD + '\\r\\nX-A: b'",
    "user part": "GOOD + '@evil.example'",
    "user part with colon": "GOOD + ':80@evil.example'",
    "encoded dot": "'evil%2eexample'",
    "fragment": "'evil.example#' + GOOD",
    "backslash": "'evil.example\\\\.' + GOOD",
    "space": "'evil.example ' + GOOD",
    "long label": "'a' * 256 + '.example'",
    "homograph": "'\\u0430pi.allowed.example'",
    "full-width": "'\\uff45vil.example'",
    "empty": "''",
}


async def no_way(stage: Stage) -> Trial:
    """N1: without a way out there is nothing to reach anything with; real listeners wait outside."""
    with ExitStack() as stack:
        stream = stack.enter_context(socket.create_server((OWN_ADDRESS, 0)))
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind((OWN_ADDRESS, 0))
        facts = {
            "HOST": OWN_ADDRESS,
            "MACHINE": socket.gethostname(),
            "PORT": stream.getsockname()[1],
            "DATAGRAMS": datagrams.getsockname()[1],
        }
        return await Steps(
            {
                "interfaces": Step(
                    """
                    names = [line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line]
                    if names == ['lo']:
                        raise Absent('only lo')
                    """,
                    maybe=True,
                ),
                "TCP": "socket.create_connection((HOST, PORT), timeout=1).close()",
                "UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (HOST, DATAGRAMS))",
                "names": Step(NAMES, twin="socket.getaddrinfo('localhost', 80)"),
                "raw": Step("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", place="unguarded"),
                "IPv6": "socket.socket(socket.AF_INET6).close()",
                "the proxy": Step(
                    "socket.create_connection(('127.0.0.1', 3128), timeout=1).close()",
                    twin="socket.create_connection((HOST, PORT), timeout=1).close()",
                ),
            },
            facts=facts,
        )(stage)


async def allowed(stage: Stage) -> Trial:
    """N2: what the policy names can be reached, plainly and over TLS; else all refusals mean nothing."""
    world = world_of(stage)
    steps = {"plain": "get(f'http://{GOOD}:{PORT}/')", "TLS": HONEST_TLS}
    codes = {name: PROXY_IMPORTS + code for name, code in steps.items()}
    trial = await Steps(
        {name: Step(code) for name, code in codes.items()}, place="inside", facts=world.facts
    ).tried(stage.with_manager(world.manager), world.reach())
    reader, writer = await asyncio.open_connection("127.77.0.1", world.good.port)
    writer.write(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    answered = (await reader.read(64)).startswith(b"HTTP/1.1 200")
    writer.close()
    got = trial.outcomes == outcomes("through") and len(world.good.hits) > 1
    seen = outcomes("allowed") if got else outcomes("refused")
    return with_touched(
        Trial(seen, trial.evidence.replace("through", "reached"), answered, "it answers outside"), world
    )


def leads(*names_and_addresses: tuple[str, str]) -> "Prepare":
    """Names that are allowed and lead where nobody may."""
    return Prepare(names_and_addresses)


class Prepare:
    """Lets names lead somewhere.

    Args:
        table: name and address.
    """

    def __init__(self, table: tuple[tuple[str, str], ...]) -> None:
        self._table = table

    def __call__(self, world: World) -> None:
        """Do it."""
        for name, address in self._table:
            world.names.lead(name, [address])


def numbered(addresses: tuple[str, ...], prefix: str) -> tuple[tuple[str, str], ...]:
    """A name under the allowed domain for each address."""
    return tuple((f"{prefix}{number}.{GOOD}", address) for number, address in enumerate(addresses))


def rebind(world: World) -> None:
    """Names that change their mind, and names with two minds."""
    world.names.lead(f"turns.{GOOD}", ["127.77.0.1"], [OWN_ADDRESS])
    world.names.lead(f"mixed.{GOOD}", ["127.77.0.1", OWN_ADDRESS])
    world.names.lead(f"mixed6.{GOOD}", ["127.77.0.1", "::1"])
    world.names.lead(f"many.{GOOD}", ["127.77.0.1"] * 200)


NAMED = (*numbered(METADATA, "meta"), ("metadata.google.internal", "169.254.169.254"))
NEAR = numbered(PRIVATE, "near")
NETWORK = (
    Attack(
        "N1",
        "Out without a way out",
        "TCP, UDP, names, raw sockets and IPv6 from a sandbox that may reach nothing",
        "a network namespace without interfaces, and no sockets",
        no_way,
    ),
    Attack(
        "N2",
        "What is allowed",
        "reach the host that the policy names (the honest counterpart of all that follows)",
        "the broker passes on what the policy names, and that alone",
        allowed,
        outcomes("allowed"),
    ),
    Attack(
        "N3",
        "Another host",
        "reach a host that the policy does not name, plainly and by a tunnel",
        "the broker compares host and port with the policy",
        Outward(
            {
                "plain": GET.format(host="{EVIL}", port="{EVIL_PORT}"),
                "tunnel": Step("tunnel(f'{EVIL}:{EVIL_TLS}')", twin="tunnel(f'{GOOD}:{TLS}')"),
                "plain through a tunnel": Step(
                    "tunnel(f'{EVIL}:{EVIL_PORT}')", twin="tunnel(f'{GOOD}:{TLS}')"
                ),
            }
        ),
    ),
    Attack(
        "N4",
        "Another port",
        "reach the allowed host on a port that the policy does not name",
        "the policy names host and port together",
        Outward(
            {
                "plain": GET.format(host="{GOOD}", port="{BESIDE_PORT}"),
                "tunnel": Step("tunnel(f'{GOOD}:{BESIDE_TLS}')", twin="tunnel(f'{GOOD}:{TLS}')"),
                "no port": Step("get(f'http://{GOOD}/')"),
                "port 0": Step("tunnel(f'{GOOD}:0')", twin="tunnel(f'{GOOD}:{TLS}')"),
                "port beyond": Step("tunnel(f'{GOOD}:{TLS + 65536}')", twin="tunnel(f'{GOOD}:{TLS}')"),
            }
        ),
    ),
    Attack(
        "N5",
        "An address instead of a name",
        "reach the allowed host by its address",
        "an address is allowed only where the policy names it as such",
        Outward(
            {
                "allowed host's": GET.format(host="127.77.0.1", port="{PORT}"),
                "another's": GET.format(host="127.77.0.2", port="{EVIL_PORT}"),
                "this machine's": GET.format(host="127.0.0.1", port="{OWN_PORT}"),
                "tunnel": Step("tunnel(f'127.77.0.1:{TLS}')", twin="tunnel(f'{GOOD}:{TLS}')"),
            }
        ),
    ),
    Attack(
        "N6",
        "Addresses in disguise",
        "write addresses in decimal, hexadecimal, octal, short, mapped into IPv6, with zones",
        "what a resolver could read as an address is one only in its plain form",
        Outward(
            {spelling: GET.format(host=spelling.replace("%25", "%"), port="{PORT}") for spelling in SPELLINGS}
        ),
    ),
    Attack(
        "N7",
        "Metadata services",
        "reach the addresses where clouds hand out credentials, by allowed names and directly",
        "every address that a name leads to is judged before it is dialled; these are never allowed",
        Outward(
            {
                **{name: GET.format(host=name, port="80") for name, _ in NAMED},
                "directly": "get('http://169.254.169.254/latest/meta-data/')",
            },
            reach=(*(f"{name}:80" for name, _ in NAMED), "169.254.169.254:80"),
            prepare=leads(*NAMED),
        ),
    ),
    Attack(
        "N8",
        "Private networks and this machine",
        "reach private, carrier, loopback and multicast addresses by names that are allowed",
        "every address that a name leads to is judged; this machine's own are refused as well",
        Outward(
            {
                **{name: GET.format(host=name, port="{OWN_PORT}") for name, _ in NEAR},
                "directly": GET.format(host="127.0.0.1", port="{OWN_PORT}"),
                "localhost": GET.format(host="localhost", port="{OWN_PORT}"),
            },
            reach=(
                *(f"{name}:{{OWN_PORT}}" for name, _ in NEAR),
                "127.0.0.1:{OWN_PORT}",
                "localhost:{OWN_PORT}",
            ),
            prepare=leads(*NEAR, ("localhost", OWN_ADDRESS)),
        ),
    ),
    Attack(
        "N9",
        "Names that change",
        "an allowed name that leads to this machine the second time, or to two places at once",
        "a name is looked up once, all answers are judged, and the address that was judged is dialled",
        Outward(
            {
                "second time": Step(TURNING, twin="get(f'http://{GOOD}:{PORT}/')\n" * 2),
                "one good, one bad": GET.format(host="mixed.{GOOD}", port="{OWN_PORT}"),
                "one good, one bad of IPv6": GET.format(host="mixed6.{GOOD}", port="{OWN_PORT}"),
                "two hundred": Step(CROWDED),
            },
            reach=(
                *(f"{name}.{GOOD}:{{OWN_PORT}}" for name in ("turns", "mixed", "mixed6")),
                f"many.{GOOD}:{{PORT}}",
            ),
            prepare=rebind,
        ),
    ),
    Attack(
        "N10",
        "Names of its own making",
        "write /etc/hosts, and tell the proxy an address for an allowed name",
        "the broker looks names up outside; what is written inside is read by nobody",
        Outward(
            {
                "hosts file": Step(
                    "open('/etc/hosts', 'a').write('127.0.0.1 x')", twin="open('hosts', 'a').close()"
                ),
                "resolver's file": Step("open('/etc/resolv.conf', 'w')", twin="open('resolv', 'w').close()"),
                "Host header": Step(
                    "get(f'http://127.0.0.1:{OWN_PORT}/', host=f'{GOOD}:{PORT}')",
                ),
                "header of proxies": Step(
                    "more = f'X-Forwarded-Host: {GOOD}\\r\\nForwarded: host={GOOD}\\r\\n'\n"
                    "get(f'http://{EVIL}:{EVIL_PORT}/', headers=more)"
                ),
            }
        ),
    ),
    Attack(
        "N13",
        "Hosts that parsers read differently",
        "NUL, line ends, user parts, escapes, homographs and overlong labels in a host",
        "a host is parsed once into one form; decision and connection use that form",
        Outward(
            {
                name: f"get('http://' + {host} + f':{{EVIL_PORT}}/', host=GOOD)"
                for name, host in ODD_NAMES.items()
            }
            | {
                f"tunnel, {name}": Step(f"tunnel({host} + f':{{EVIL_TLS}}')", twin="tunnel(f'{GOOD}:{TLS}')")
                for name, host in ODD_NAMES.items()
            },
            reach=("{GOOD}:{EVIL_PORT}", "{GOOD}:{EVIL_TLS}"),
            prepare=leads(("evil.example", "127.77.0.2"), ("xn--pi-6kc.allowed.example", "127.77.0.2")),
            limits={"timeout_seconds": 60},
        ),
    ),
    Attack(
        "N14",
        "Names that look allowed",
        "names that begin or end with the allowed one, and names below it",
        "hosts are compared whole, never by their beginning or end",
        Outward(
            {
                "before": GET.format(host="evil{GOOD}", port="{EVIL_PORT}"),
                "after": GET.format(host="{GOOD}.evil.example", port="{EVIL_PORT}"),
                "below": GET.format(host="deep.{GOOD}", port="{EVIL_PORT}"),
                "above": GET.format(host="allowed.example", port="{EVIL_PORT}"),
                "hyphen": GET.format(host="evil-{GOOD}", port="{EVIL_PORT}"),
            },
            reach=("{GOOD}:{EVIL_PORT}",),
            prepare=leads(
                *(
                    (f"{before}{GOOD}{after}", "127.77.0.2")
                    for before, after in (("evil", ""), ("", ".evil.example"), ("deep.", ""), ("evil-", ""))
                ),
                ("allowed.example", "127.77.0.2"),
            ),
        ),
    ),
)
