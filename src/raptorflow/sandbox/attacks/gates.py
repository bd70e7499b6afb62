"""N23: a gate of the broker, held in the hand while a tunnel through it is open."""

import asyncio

from raptorflow.sandbox.attacks.model import Trial, outcomes
from raptorflow.sandbox.attacks.outward import world_of
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.attacks.world import GOOD, PUBLIC, TENANT
from raptorflow.sandbox.broker.decisions import Decision
from raptorflow.sandbox.broker.facade import Broker
from raptorflow.sandbox.broker.gate import Gate
from raptorflow.sandbox.broker.ports import EgressPolicy, Identity
from raptorflow.sandbox.broker.settings import BrokerSettings
from raptorflow.skills.capabilities import Capabilities

ANSWER_SECONDS = 3.0
# Neither HTTP nor TLS, which may go through a tunnel to a port of its own.
MESSAGE = b"\x00 attack \r\n\r\n"


class Pipe:
    """A stream of a sandbox, whose program is us."""

    def __init__(self) -> None:
        self._sent: asyncio.Queue[bytes] = asyncio.Queue()
        self._came: asyncio.Queue[bytes] = asyncio.Queue()
        self.cut = False

    async def read(self) -> bytes:
        """What the program sent."""
        return await self._sent.get()

    async def write(self, data: bytes) -> None:
        """For the program."""
        self._came.put_nowait(data)

    async def end(self) -> None:
        """No more for the program."""
        self._came.put_nowait(b"")

    def close(self) -> None:
        """The connection is over."""
        self.cut = True
        self._came.put_nowait(b"")

    async def says(self, data: bytes) -> bytes:
        """Send as the program, and take the next that comes; nothing when nothing does."""
        self._sent.put_nowait(data)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._came.get()
        except TimeoutError:
            return b""


async def tightened(stage: Stage) -> Trial:
    """A tunnel passes bytes; the policy becomes empty; the tunnel passes no more."""
    world = world_of(stage)
    settings = BrokerSettings.model_validate({"allowed_ranges": [PUBLIC]})
    kept: list[Decision] = []
    broker = Broker(settings, kept.append, resolver=world.names)
    allowed = Capabilities(network=frozenset({f"{GOOD}:{world.good.port}"}))
    who = Identity("attack", "attack", TENANT, "attack")
    gate = broker.admit(who, EgressPolicy(allowed), world.vault.of(TENANT))
    before, after, cut = await _through(gate, f"{GOOD}:{world.good.port}")
    hits = len(world.good.hits)
    state = "cut" if cut else "left open"
    words = f"then {len(after)} bytes came back, the connection was {state}, {hits} message arrived"
    seen = outcomes("refused" if cut and not after and hits == 1 else "through")
    return Trial(seen, words, MESSAGE in before, "the message before that passed, and its echo came back")


async def _through(gate: Gate, target: str) -> tuple[bytes, bytes, bool]:
    """What came back through a tunnel before and after the policy became empty, and whether it was cut."""
    pipe = Pipe()
    serving = asyncio.create_task(gate.http(pipe))
    try:
        await pipe.says(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        before = await pipe.says(MESSAGE)
        while MESSAGE not in before and (more := await pipe.says(b"")):
            before += more
        gate.set_policy(EgressPolicy(Capabilities.none()))
        return before, await pipe.says(MESSAGE), pipe.cut
    finally:
        await gate.close()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
