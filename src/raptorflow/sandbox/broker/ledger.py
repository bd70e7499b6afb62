"""Where decisions about one sandbox are written down."""

from collections.abc import Callable
from dataclasses import replace

from raptorflow.base.clock import Stopwatch
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.broker.decisions import Decision, OnDecision
from raptorflow.sandbox.broker.errors import BrokerFailure
from raptorflow.sandbox.broker.metrics import DECISIONS

log = logger(__name__)

QUIET_MS = 1000.0
"""Refusals of connections that say nothing yet are one record in this time, with their number."""


class Ledger:
    """Counts every decision and hands it on.

    Args:
        on_decision: keeps it. What it raises refuses what was to be allowed: nothing leaves unrecorded. A
            refusal and an end are told to it all the same.
        since: a watch; tests have their own.
    """

    def __init__(self, on_decision: OnDecision, since: Callable[[], Stopwatch] = Stopwatch) -> None:
        self._on_decision = on_decision
        self._since = since
        self._unsaid: dict[str, Decision] = {}
        self._said: dict[str, Stopwatch] = {}

    def write(self, decision: Decision) -> None:
        """Write one down.

        Raises:
            BrokerFailure: what was to be allowed could not be kept, and so is not.
        """
        if decision.kind == "connection":
            self._fold(decision)
        else:
            self._hand_on(decision)
        if decision.stage == "decided":
            DECISIONS.labels(decision.kind, str(decision.allowed).lower(), decision.reason).inc()

    def finish(self) -> None:
        """Say what was held back."""
        for decision in self._unsaid.values():
            self._hand_on(decision)
        self._unsaid.clear()

    def _fold(self, decision: Decision) -> None:
        """A flood of refusals must not become a flood of records."""
        held = self._unsaid.pop(decision.reason, None)
        decision = replace(decision, times=held.times + 1) if held else decision
        watch = self._said.get(decision.reason)
        if watch and watch.elapsed_ms() < QUIET_MS:
            self._unsaid[decision.reason] = decision
        else:
            self._said[decision.reason] = self._since()
            self._hand_on(decision)

    def _hand_on(self, decision: Decision) -> None:
        try:
            self._on_decision(decision)
        except Exception as error:
            log.error(
                "a decision was not kept", error=repr(error), reason=decision.reason, kind=decision.kind
            )
            if decision.allowed and decision.stage == "decided":
                raise BrokerFailure("The decision could not be recorded; nothing was passed on.") from error
