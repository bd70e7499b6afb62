"""Attacks through the broker: steps inside, servers outside, and what reached them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from textwrap import dedent

from raptorflow.sandbox.attacks.model import NotLive, Trial, outcomes
from raptorflow.sandbox.attacks.program import together
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.attacks.steps import Step, Steps
from raptorflow.sandbox.attacks.world import World

IMPORTS = "from proxy import PROXY, ask, checked, get, head, opened, received, tls, tls_get, tunnel\n"
HONEST = "get(f'http://{GOOD}:{PORT}/')"
HONEST_TLS = "tls(f'{GOOD}:{TLS}', GOOD).close()"


def world_of(stage: Stage) -> World:
    """The stage's world, as it was at the beginning.

    Raises:
        NotLive: there is none: the manager has no broker.
    """
    if stage.world is None:
        raise NotLive("there is nothing outside to reach: no broker was opened")
    stage.world.reset()
    return stage.world


@dataclass(frozen=True)
class Outward:
    """A probe whose steps run inside and must not get out.

    Each step's control is an honest request of the same kind to the host that is allowed, from inside.

    Attributes:
        steps: name -> step, or its code.
        reach: what may be reached besides the good host: `host:port` with the world's facts in braces.
        prepare: sets the world up.
        limits: those of the sandbox that are not the small ones.
    """

    steps: Mapping[str, Step | str]
    reach: tuple[str, ...] = ()
    prepare: Callable[[World], None] | None = None
    limits: Mapping[str, float] = field(default_factory=dict[str, float])

    async def __call__(self, stage: Stage) -> Trial:
        """Try them; whatever they say, what reached a forbidden server got through."""
        world = world_of(stage)
        if self.prepare:
            self.prepare(world)
        steps = Steps(
            {name: _prefixed(step) for name, step in self.steps.items()},
            place="inside",
            facts=world.facts,
            limits=self.limits,
        )
        fields = world.reach(*(each.format(**world.facts) for each in self.reach))
        trial = await steps.tried(stage.with_manager(world.manager), fields)
        return with_touched(trial, world)


def with_touched(trial: Trial, world: World) -> Trial:
    """The same, unless something reached a server that nothing may reach."""
    touched = {
        "the forbidden host": world.evil.touched,
        "the forbidden port": world.beside.touched,
        "this machine": world.own.touched,
    }
    lines = [f"{name} was reached {times} times" for name, times in touched.items() if times]
    if not lines:
        return trial
    return replace(trial, outcomes=outcomes("through"), evidence=together([*lines, trial.evidence]))


def _prefixed(step: Step | str) -> Step:
    step = Step(step, twin=HONEST) if isinstance(step, str) else step
    twin = HONEST if step.twin is None else step.twin
    return replace(step, code=IMPORTS + dedent(step.code), twin=IMPORTS + dedent(twin))
