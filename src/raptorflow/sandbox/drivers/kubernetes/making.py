"""From an order to a sandbox that is ready, and is what was ordered."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from raptorflow.base.json import JsonObject
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.drivers.kubernetes.api import Api, ApiError
from raptorflow.sandbox.drivers.kubernetes.failures import start_failed
from raptorflow.sandbox.drivers.kubernetes.makers.ensuring import check_cut_off
from raptorflow.sandbox.drivers.kubernetes.makers.maker import Maker, Order, is_ours
from raptorflow.sandbox.drivers.kubernetes.objects.fields import labels as labels_in
from raptorflow.sandbox.drivers.kubernetes.objects.names import NONCE, labels_of
from raptorflow.sandbox.drivers.kubernetes.objects.readback import differences
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings
from raptorflow.sandbox.drivers.kubernetes.state import LOOK, NO_NODE, is_ready, unschedulable, why_waiting
from raptorflow.sandbox.drivers.kubernetes.watching import until
from raptorflow.sandbox.errors import SandboxStartFailed

log = logger(__name__)

LOWERED = (
    "The API server dropped a field that it does not know (upgrade it), or an admission webhook changed "
    "the pod (exempt the sandboxes' namespace)."
)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """See it through, also while whoever asks is being cancelled."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


class Making:
    """One sandbox on its way.

    Args:
        api: the cluster.
        maker: pods or claims.
        order: what is to be made.
        settings: how long each step may take.
    """

    def __init__(self, api: Api, maker: Maker, order: Order, settings: KubernetesSettings) -> None:
        self._api = api
        self._maker = maker
        self._order = order
        self._settings = settings
        self._last: JsonObject | None = None
        self._clock = asyncio.timeout(settings.start_seconds)
        self._due: float | None = None

    async def execute(self) -> str:
        """Make it and return its pod's name. Whatever fails leaves nothing.

        Raises:
            SandboxStartFailed: it could not be made.
            SandboxUnavailable: it would not be cut off from the network.
        """
        try:
            async with self._clock:
                return await self._make()
        except BaseException as error:
            await _to_its_end(self._undo())
            if isinstance(error, TimeoutError):
                raise self._too_late() from error
            if isinstance(error, ApiError):
                raise start_failed(error) from error
            raise

    async def _make(self) -> str:
        await check_cut_off(self._api, labels_of(self._settings.instance))
        await self._maker.ask(self._order)
        name = await self._maker.pod_of(self._order.name)
        pod = await until(self._api, self._api.place("pods"), name, self._ready)
        await self._check(pod)
        return name

    async def _check(self, pod: JsonObject) -> None:
        """What was made is what was ordered, and it is cut off, by labels that others may have added too."""
        if other := differences(self._order.spec, pod["spec"]):
            raise SandboxStartFailed(
                f"The cluster made another pod than was asked for: {'; '.join(other)}.", hint=LOWERED
            )
        await check_cut_off(self._api, labels_in(pod))

    def _ready(self, pod: JsonObject | None) -> JsonObject | None:
        if pod is None:
            if self._last is not None or self._maker.at_once:
                raise SandboxStartFailed("Somebody removed the sandbox before it was ready.", hint=LOOK)
            return None
        self._last = pod
        self._hurry(unschedulable(pod) is not None)
        return pod if is_ready(pod) else None

    def _hurry(self, homeless: bool) -> None:
        """A pod that no node takes is waited for a shorter time than one that is on its way."""
        if homeless and self._due is None:
            self._due = self._clock.when()
            soon = asyncio.get_running_loop().time() + self._settings.schedule_seconds
            self._clock.reschedule(min(soon, self._due or soon))
        elif not homeless and self._due is not None:
            self._clock.reschedule(self._due)
            self._due = None

    def _too_late(self) -> SandboxStartFailed:
        homeless = self._last is not None and unschedulable(self._last) is not None
        return SandboxStartFailed(
            f"The sandbox did not become ready in time: {why_waiting(self._last)}.",
            hint=NO_NODE if homeless else LOOK,
        )

    async def _undo(self) -> None:
        """Remove what was made, if it was made for this order."""
        name = self._order.name
        try:
            found = await self._maker.find(name)
            if found is not None and is_ours(found, self._order.notes[NONCE]):
                await self._maker.remove(name)
        except Exception as error:
            # The first failure is what matters to the caller. What is left is listed until somebody destroys
            # it: at the latest the next manager of this instance, when it is first used.
            log.warning("a sandbox that could not be built may be left", name=name, error=str(error))
