"""R14-R19: output without end, in every form, and readers that do not read."""

import asyncio

from raptorflow.sandbox.attacks.memory import forget_peak, peak
from raptorflow.sandbox.attacks.model import Attack, Outcome, Probe, Trial, outcomes
from raptorflow.sandbox.attacks.program import said
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.result import SandboxResult
from raptorflow.skills.capabilities import MIB

FLOOD_BYTES = 10 * 1000**3
CONTROL_BYTES = 64 * MIB
# What the reader may hold above the program's cap: chunks on their way, copies of the result.
MOST_GROWTH_BYTES = 32 * MIB
FLOODS = {
    "R14": "for _ in range(AMOUNT // 65536): os.write(1, bytes(65536))",
    "R15": "for _ in range(AMOUNT // 8192): os.write(1, b'x' * 8192)",
    "R17": "for number in range(AMOUNT // 8192): os.write(1 + number % 2, b'x' * 8192)",
    "R18": "for _ in range(AMOUNT // 64): os.write(1, b'x')",
}
ODD_BYTES = "os.write(1, bytes(range(256)) + b'\\x1b]0;title\\x07\\x1b[2J\\xff\\xfe\\x00' + b'\\r\\n')"
NEIGHBOUR = "return 'fine'"
# The first of them may have ended before those that it runs beside were under way.
ENOUGH_BESIDE = 2


def _flood(attack_id: str) -> Probe:
    async def probe(stage: Stage) -> Trial:
        code = {"flood": FLOODS[attack_id]}
        text = stage.text(code, {"AMOUNT": FLOOD_BYTES}, apart=False, outside=False)
        await stage.inside(stage.text({"x": NEIGHBOUR}, {}, apart=False, outside=False))
        before = forget_peak()
        result = await stage.inside(text)
        growth = peak() - before
        text = stage.text(code, {"AMOUNT": CONTROL_BYTES}, apart=False, outside=True)
        free = await stage.outside(text)
        taken = len(free.stdout) + len(free.stderr)
        outcome, words = _flooded(result, growth)
        enough = CONTROL_BYTES // (64 if attack_id == "R18" else 1)
        return Trial(outcomes(outcome), words, taken >= enough, f"{taken} bytes came out without a limit")

    return probe


def _flooded(result: SandboxResult, growth: int) -> tuple[Outcome, str]:
    kept = len(result.stdout) + len(result.stderr)
    words = f"status {result.status}, {kept} bytes kept, this process grew by {growth // 1024} KiB"
    if kept > 2 * MIB or growth > MOST_GROWTH_BYTES:
        return "through", words
    if result.status == "timeout":
        return "killed:timeout", words
    if result.status != "output_limit":
        return "through", words
    truncated = result.stdout_truncated or result.stderr_truncated
    return ("killed:output_limit" if truncated else "through"), words


async def odd_bytes(stage: Stage) -> Trial:
    """R16: bytes that mean something to terminals and parsers come out as they went in."""
    text = stage.text({"odd": ODD_BYTES}, {}, apart=False, outside=False)
    result = await stage.inside(text)
    free = await stage.outside(stage.text({"odd": ODD_BYTES}, {}, apart=False, outside=True))
    sent = free.stdout[: -len(free.stdout.split(b'{"step"')[-1]) - len(b'{"step"')]
    same = result.status == "ok" and result.stdout.startswith(sent)
    return Trial(
        outcomes("contained" if same else "through"),
        f"{len(sent)} bytes came out {'as they are' if same else 'changed'}",
        len(sent) > len(range(256)),
        f"the same program writes {len(sent)} bytes without a sandbox",
    )


async def unread(stage: Stage) -> Trial:
    """R19: a program that never reads its input, and one that floods, beside others that want to go on."""
    sleep = f"time.sleep({3.0 * stage.patience})"
    slow = stage.text({"slow": sleep}, {}, apart=False, outside=False)
    flood = stage.text({"flood": FLOODS["R14"]}, {"AMOUNT": FLOOD_BYTES}, apart=False, outside=False)
    near = stage.text({"near": NEIGHBOUR}, {}, apart=False, outside=False)
    longer = {"timeout_seconds": 20 * stage.patience}
    alone = await _works(stage, near)
    unread = asyncio.ensure_future(stage.inside(slow, stdin=bytes(4 * MIB), limits=longer))
    flooding = asyncio.ensure_future(stage.inside(flood, limits={"output_bytes": 64 * MIB, **longer}))
    beside = 0
    try:
        while beside < ENOUGH_BESIDE and not unread.done():
            beside += await _works(stage, near) and not unread.done()
        ends = [(await unread).status, (await flooding).status]
    finally:
        await _end(unread, flooding)
    fine = ends == ["ok", "output_limit"] and beside >= ENOUGH_BESIDE
    return Trial(
        outcomes("contained" if fine else "through"),
        f"{beside} others ran from start to end beside them; they ended with {', '.join(ends)}",
        alone,
        "the neighbour works alone" if alone else "the neighbour does not even work alone",
    )


async def _end(*tasks: "asyncio.Future[SandboxResult]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _works(stage: Stage, text: str) -> bool:
    answer = said((await stage.inside(text)).stdout).get("near")
    return bool(answer and answer.words == "fine")


FLOOD_ATTACKS = (
    Attack(
        "R14",
        "Flood of output",
        "write 10 GB to standard output",
        "output is read in chunks, head and tail are kept, and the run ends at its limit",
        _flood("R14"),
        outcomes("killed:output_limit"),
    ),
    Attack(
        "R15",
        "Output without a line end",
        "write without ever ending a line",
        "nothing waits for a line: bytes are counted as they come",
        _flood("R15"),
        outcomes("killed:output_limit"),
    ),
    Attack(
        "R16",
        "Output that means something",
        "print NUL, invalid UTF-8 and terminal sequences",
        "output is bytes and stays bytes; whoever shows it escapes it",
        odd_bytes,
        outcomes("contained"),
    ),
    Attack(
        "R17",
        "Two floods at once",
        "write to standard output and standard error in turn, without end",
        "one limit counts both streams",
        _flood("R17"),
        outcomes("killed:output_limit"),
    ),
    Attack(
        "R18",
        "Flood of tiny writes",
        "write byte after byte, each of which could become a frame",
        "bytes and frames are counted on the host's side",
        _flood("R18"),
        outcomes("killed:output_limit", "killed:timeout"),
    ),
    Attack(
        "R19",
        "Nobody reads",
        "leave 4 MiB of input unread, and flood, while another sandbox works",
        "each sandbox has a channel of its own, and each direction waits alone",
        unread,
        outcomes("contained"),
    ),
)
