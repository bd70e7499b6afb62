"""L9 and L10: agents that forge their greeting, break the protocol, or flood it."""

from collections.abc import Awaitable, Callable, Mapping

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.attacks.hostile import (
    ENDED,
    FORGED,
    MALFORMED,
    Script,
    after_greeting,
    flooded,
    honest,
    lister,
    many_ways,
    meets,
    slow_reader,
)
from raptorflow.sandbox.attacks.memory import forget_peak, peak
from raptorflow.sandbox.attacks.model import Attack, Trial, outcomes
from raptorflow.sandbox.attacks.program import together
from raptorflow.sandbox.attacks.stage import Stage

MOST_GROWTH_BYTES = 32 * 1024 * 1024


async def _ended(scripts: Mapping[str, Script]) -> list[str]:
    """The agents that were not shown the door."""
    said = {name: await meets(script) for name, script in scripts.items()}
    return [f"{name}: {words}" for name, words in said.items() if not words.startswith(ENDED)]


async def forged(stage: Stage) -> Trial:
    """L9: who answers wrongly is not talked to."""
    accepted = await _ended(FORGED)
    alive = await honest()
    words = together(accepted) or f"{len(FORGED)} of {len(FORGED)} agents were refused"
    return Trial(outcomes("through" if accepted else "refused"), words, alive, "an honest agent is accepted")


async def malformed(stage: Stage) -> Trial:
    """L10: frames that are wrong must end it; floods must end it, or be read no faster than they are used."""
    bad = await _ended(MALFORMED)
    grown: list[str] = []
    for name, flood in FLOODS.items():
        before = forget_peak()
        said = await flood()
        growth = peak() - before
        (bad if growth > MOST_GROWTH_BYTES else grown).append(f"{name}: {said}, {growth >> 20} MiB of growth")
    words = together(bad or [f"{len(MALFORMED)} agents were shown the door", *grown])
    return Trial(
        outcomes("through" if bad else "refused"), words, await honest(), "an honest agent is accepted"
    )


async def _connections() -> str:
    return await meets(after_greeting(many_ways))


async def _unread_connections() -> str:
    return await meets(after_greeting(many_ways), deaf=True)


async def _listing() -> str:
    return await flooded(lister, wire.ENTRY, wire.packed([b"f", b"1", b"x" * 60_000]))


async def _fast_file() -> str:
    return await flooded(slow_reader, wire.DATA, bytes(60_000))


# The worst last: memory that was once taken hides what the next one takes.
FLOODS: dict[str, Callable[[], Awaitable[str]]] = {
    "a file faster than it is read": _fast_file,
    "a listing without end": _listing,
    "200,000 connections": _connections,
    "200,000 connections and no look at the answers": _unread_connections,
}
CHANNEL = (
    Attack(
        "L9",
        "A forged agent",
        "answer the greeting with another version, another nonce, too early, twice, or in another protocol",
        "the host's end of the channel ends the sandbox at the first frame that is not what must come",
        forged,
        outcomes("refused"),
    ),
    Attack(
        "L10",
        "An agent that breaks the protocol",
        "100,000 random frames, endless frames, unknown streams, 200,000 connections, floods of answers",
        "every frame is checked against what may come; what waits on the host is bounded",
        malformed,
        outcomes("refused"),
    ),
)
