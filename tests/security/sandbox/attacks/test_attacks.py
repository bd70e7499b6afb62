"""Every attack of the catalogue is a test of its own, beside proof that it would succeed without a guard."""

import pytest

from raptorflow.sandbox.attacks.catalogue.everything import ATTACKS
from raptorflow.sandbox.attacks.model import Attack
from raptorflow.sandbox.attacks.runner import try_one
from raptorflow.sandbox.attacks.stage import Stage


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.attack_id)
async def test_the_attack_comes_to_nothing(stage: Stage, attack: Attack) -> None:
    verdict = await try_one(attack, stage)
    if verdict.state == "not_applicable":
        assert verdict.evidence
        return
    assert (verdict.state, verdict.outcome) == ("held", verdict.outcome), verdict
    assert verdict.control, verdict
