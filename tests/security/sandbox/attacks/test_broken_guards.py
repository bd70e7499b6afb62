"""Attacks can fail: with a guard taken away each gets through, and what it leaves behind is seen."""

import os
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from raptorflow.sandbox.attacks import leftovers, steps
from raptorflow.sandbox.attacks.catalogue.everything import ATTACKS
from raptorflow.sandbox.attacks.catalogue.network import NETWORK
from raptorflow.sandbox.attacks.leftovers import groups_of
from raptorflow.sandbox.attacks.model import Attack
from raptorflow.sandbox.attacks.opening import open_stage
from raptorflow.sandbox.attacks.outward import Outward
from raptorflow.sandbox.attacks.runner import try_one
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.broker.destinations import dialing
from raptorflow.sandbox.broker.destinations.addresses import AddressRules
from raptorflow.sandbox.broker.destinations.rules import Rules
from raptorflow.sandbox.driver import Handle
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.settings import SandboxSettings

GUARDED = [attack for attack in NETWORK if attack.attack_id in {"N4", "N7", "N8", "N9"}]
# Held by the form of a destination, which is not taken away.
MALFORMED = {"port 0", "port beyond"}


@pytest.fixture(scope="module")
async def local_stage() -> AsyncGenerator[Stage]:
    async with open_stage(SandboxSettings(allow_supervised=True), "local") as opened:
        yield opened


def everything(*_: object) -> str:
    return "everything"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that allows everything, and dials nothing but this machine."""
    dial = dialing.asyncio.open_connection

    async def only_here(host: str, *arguments: Any, **options: Any) -> Any:
        if not host.startswith("127."):
            raise OSError("a test leaves nothing")
        return await dial(host, *arguments, **options)

    monkeypatch.setattr(Rules, "check", everything)
    monkeypatch.setattr(AddressRules, "check", everything)
    monkeypatch.setattr(dialing, "MOST_ANSWERS", 1000)
    monkeypatch.setattr(dialing.asyncio, "open_connection", only_here)
    monkeypatch.setattr(steps, "SHOWN", 100)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("attack", GUARDED, ids=lambda attack: attack.attack_id)
async def test_without_the_rules_every_step_gets_through(local_stage: Stage, attack: Attack) -> None:
    assert isinstance(attack.probe, Outward)
    trial = await attack.probe(local_stage)
    assert "through" in trial.outcomes
    held = [name for name in attack.probe.steps if f"{name}: through" not in trial.evidence]
    assert set(held) <= MALFORMED, trial.evidence
    assert trial.control


@pytest.mark.parametrize("attack", GUARDED, ids=lambda attack: attack.attack_id)
async def test_with_the_rules_every_step_is_refused(local_stage: Stage, attack: Attack) -> None:
    verdict = await try_one(attack, local_stage)
    assert (verdict.state, verdict.outcome, verdict.control) == ("held", "refused", True), verdict


@pytest.mark.parametrize("attack_id", ["F8", "L1"])
async def test_a_driver_that_destroys_nothing_is_found_out(
    local_stage: Stage, attack_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    destroy, kept = LocalDriver.destroy, list[tuple[LocalDriver, Handle]]()

    async def keep(self: LocalDriver, handle: Handle) -> None:
        kept.append((self, handle))

    monkeypatch.setattr(LocalDriver, "destroy", keep)
    monkeypatch.setattr(leftovers, "SETTLE_SECONDS", 0.5)
    attack = next(each for each in ATTACKS if each.attack_id == attack_id)
    try:
        verdict = await try_one(attack, local_stage)
    finally:
        for driver, handle in kept:
            await destroy(driver, handle)
    assert verdict.state == "unexpected"
    assert "left behind: " in verdict.evidence, verdict
    # Root has control groups, and a sandbox has one for as long as it is not destroyed.
    assert ("control group" in verdict.evidence) == bool(groups_of(os.getpid())), verdict
