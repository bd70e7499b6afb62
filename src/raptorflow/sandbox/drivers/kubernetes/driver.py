"""The `kubernetes` driver: each sandbox is a pod without a network, reached by exec."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from raptorflow.base.clock import utc_now
from raptorflow.base.json import JsonObject
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.driver import Blueprint, Handle, Usage
from raptorflow.sandbox.drivers.kubernetes import checks
from raptorflow.sandbox.drivers.kubernetes.api import NOT_FOUND, Api, ApiError
from raptorflow.sandbox.drivers.kubernetes.channel import ExecChannel
from raptorflow.sandbox.drivers.kubernetes.failures import hint, unavailable
from raptorflow.sandbox.drivers.kubernetes.makers.claims import Claims
from raptorflow.sandbox.drivers.kubernetes.makers.ensuring import ensure, ensure_cut_off, remove_others
from raptorflow.sandbox.drivers.kubernetes.makers.maker import Order
from raptorflow.sandbox.drivers.kubernetes.makers.pods import Pods
from raptorflow.sandbox.drivers.kubernetes.making import Making
from raptorflow.sandbox.drivers.kubernetes.objects.agent import ENTRY, agent_files
from raptorflow.sandbox.drivers.kubernetes.objects.names import notes, sandbox_name
from raptorflow.sandbox.drivers.kubernetes.objects.pod import CONTAINER, has_room, inner_command, pod_spec
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings
from raptorflow.sandbox.drivers.kubernetes.state import ending
from raptorflow.sandbox.drivers.kubernetes.usage import UNSEEN, measured, with_ending
from raptorflow.sandbox.drivers.kubernetes.watching import until
from raptorflow.sandbox.drivers.kubernetes.wire import Link, connect
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed, SandboxUnavailable
from raptorflow.sandbox.interpreter import Mount
from raptorflow.sandbox.probing import ProbeReport

log = logger(__name__)

NAME = "kubernetes"


@dataclass
class Cluster:
    """A connection, and what was found at its other end."""

    link: Link
    api: Api
    maker: Pods | Claims


@dataclass
class Made:
    """What is known of one sandbox."""

    pod: str
    usage: Usage = UNSEEN
    channel: ExecChannel | None = None
    looked: float = field(default_factory=time.monotonic)

    @property
    def ended(self) -> bool:
        """Whether its channel has, and so it."""
        return self.channel is not None and self.channel.ended


class KubernetesDriver:
    """Sandboxes on a cluster.

    A cluster has no folders of this host, so a blueprint's mounts are not mounted: each sandbox has room of
    its own for those of `to_put`, and whoever runs something in it puts their files there first.

    Args:
        settings: the cluster and what the operator accepts.
    """

    name = NAME

    def __init__(self, settings: KubernetesSettings) -> None:
        self._settings = settings
        self._cluster: Cluster | None = None
        self._opening = asyncio.Lock()
        self._made: dict[str, Made] = {}
        self._report: ProbeReport | None = None
        self._probing = asyncio.Lock()
        self._agent_path: str | None = None
        self._agent_there = False
        self._tidying = asyncio.Lock()
        self._tidy = False

    @property
    def python(self) -> Path:
        """The interpreter inside, which is the image's and not this host's."""
        return Path(self._settings.python)

    def to_put(self, blueprint: Blueprint) -> tuple[Mount, ...]:
        """The mounts whose files have to be put in over the channel before a program starts.

        The interpreter is the image's, and the agent comes with the pod.
        """
        return tuple(mount for mount in blueprint.mounts if has_room(mount.target))

    async def probe(self) -> ProbeReport:
        """What the cluster enforces, as far as its API and its operator can say; asked until it is usable.

        What it said then is verified again for each sandbox: the network policy, and the pod as it was made.
        """
        async with self._probing:
            report = self._report or await self._probe()
            self._report = report if report.available else None
        return report

    async def _probe(self) -> ProbeReport:
        try:
            if objection := checks.of_settings(self._settings):
                return self._refused(objection)
            cluster = await self._connected()
            claims = isinstance(cluster.maker, Claims)
            if objection := await checks.of_cluster(cluster.api, self._settings, claims):
                return self._refused(objection)
            await ensure_cut_off(cluster.api, self._settings.instance)
            between = await checks.boundary(cluster.api, self._settings)
        except ApiError as error:
            return ProbeReport(self.name, problem=unavailable(error).message, remedy=hint(error))
        except SandboxUnavailable as error:
            return ProbeReport(self.name, problem=error.message, remedy=error.hint)
        held = checks.guarantees(self._settings)
        lacking = next((kept.by for kept in held.values() if kept.holder == "missing"), None)
        return ProbeReport(self.name, held, remedy=lacking, boundary=between)

    async def prepare(self, blueprint: Blueprint) -> None:
        """Make the network policy, the agent's config map, and with agent-sandbox a template and its pool.

        The first time, what another manager of this instance left is removed.

        Raises:
            SandboxUnavailable: one of them cannot be made, or is not what it must be.
        """
        cluster = await self._usable()
        try:
            await ensure_cut_off(cluster.api, self._settings.instance)
            await cluster.maker.prepare(await self._spec(cluster, blueprint))
        except ApiError as error:
            raise unavailable(error) from error

    async def warm(self, blueprint: Blueprint, size: int) -> None:
        """Set how many sandboxes of a blueprint agent-sandbox keeps ready.

        Raises:
            SandboxUnavailable: the cluster has no agent-sandbox, or refuses.
        """
        cluster = await self._usable()
        if not isinstance(cluster.maker, Claims):
            raise SandboxUnavailable("Without agent-sandbox the cluster keeps no sandboxes ready.")
        try:
            await cluster.maker.scale(await self._spec(cluster, blueprint), size)
        except ApiError as error:
            raise unavailable(error) from error

    async def create(self, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]) -> Handle:
        """Make a pod, or claim one, and wait until it is ready and is what was asked for.

        Raises:
            SandboxStartFailed: it could not be made; nothing is left.
            SandboxUnavailable: none can be, such as when the network policy is missing.
        """
        cluster = await self._usable()
        try:
            spec = await self._spec(cluster, blueprint)
        except ApiError as error:
            raise unavailable(error) from error
        order = Order(
            name=self._name(sandbox_id),
            spec=spec,
            notes=notes(sandbox_id, secrets.token_hex(16), labels),
            ends=utc_now() + timedelta(seconds=self._settings.lifetime_seconds),
        )
        try:
            pod = await Making(cluster.api, cluster.maker, order, self._settings).execute()
        except SandboxStartFailed:
            # Somebody may have removed what it is made of: look again before the next one.
            self._agent_there = False
            raise
        self._made[sandbox_id] = Made(pod)
        return Handle(self.name, sandbox_id)

    async def channel(self, handle: Handle) -> ExecChannel:
        """The way to its agent, which starts when it is opened; there is one.

        Raises:
            SandboxGone: it has ended.
            SandboxStartFailed: the cluster does not open it.
        """
        cluster = await self._usable()
        made = await self._find(cluster, handle)
        if made.channel:
            raise SandboxGone("The channel of a sandbox can be opened once.")
        path = f"{cluster.api.place('pods', made.pod)}/exec"
        try:
            socket = await cluster.api.socket(path, _exec(inner_command(self._settings, ENTRY)))
        except ApiError as error:
            if error.status == NOT_FOUND:
                raise SandboxGone(f"The sandbox {handle.sandbox_id} has ended.") from error
            raise SandboxStartFailed(f"The channel cannot be opened: {error}.", hint=hint(error)) from error
        made.channel = ExecChannel(socket, handle.sandbox_id)
        return made.channel

    async def stats(self, handle: Handle) -> Usage:
        """What it used, as the cluster counts it; what was last seen when it has ended.

        Memory is the working set, files in memory included. Processor time and tasks are not counted. The
        cluster is not asked more often than the settings say, and that it does not answer is no failure of
        the sandbox.
        """
        made = self._made.get(handle.sandbox_id)
        due = made is None or made.ended or time.monotonic() - made.looked >= self._settings.stats_seconds
        try:
            cluster = await self._usable()
            made = made or await self._find(cluster, handle)
            if due:
                await self._look(cluster.api, made)
        except SandboxGone:
            return UNSEEN
        except (ApiError, SandboxUnavailable) as error:
            log.debug("a sandbox cannot be measured", sandbox=handle.sandbox_id, error=str(error))
        return made.usage if made else UNSEEN

    async def destroy(self, handle: Handle) -> None:
        """Close the channel, so the agent ends; delete the pod, and wait until its node says it is gone."""
        cluster = await self._usable()
        made = self._made.get(handle.sandbox_id)
        if made and made.channel:
            made.channel.close()
        name = self._name(handle.sandbox_id)
        try:
            await cluster.maker.remove(name)
            if isinstance(cluster.maker, Claims):
                await Pods(cluster.api, self._settings).remove(name)
        except ApiError as error:
            raise unavailable(error) from error
        self._made.pop(handle.sandbox_id, None)

    async def list(self) -> list[Handle]:
        """Every sandbox of this instance in the namespace, whoever made it."""
        cluster = await self._usable()
        try:
            found = await cluster.maker.ids()
        except ApiError as error:
            raise unavailable(error) from error
        return [Handle(self.name, sandbox_id) for sandbox_id in dict.fromkeys(found)]

    async def close(self) -> None:
        """Destroy what this driver made, and what it prepared. The network policy stays: it does no harm."""
        if self._cluster is None:
            return
        for sandbox_id in [*self._made]:
            await self._let_go(Handle(self.name, sandbox_id))
        cluster, self._cluster, self._report = self._cluster, None, None
        try:
            await cluster.maker.clear()
            if self._agent_path:
                await cluster.api.delete(self._agent_path, 0)
        except ApiError as error:
            log.warning("what sandboxes shared may be left on the cluster", error=str(error))
        finally:
            self._agent_path, self._agent_there, self._tidy = None, False, False
            await cluster.link.close()

    async def _let_go(self, handle: Handle) -> None:
        try:
            await self.destroy(handle)
        except SandboxUnavailable as error:
            log.warning(
                "a sandbox may be left on the cluster", sandbox=handle.sandbox_id, error=error.message
            )

    def _refused(self, objection: checks.Objection) -> ProbeReport:
        return ProbeReport(self.name, problem=objection.problem, remedy=objection.remedy)

    def _name(self, sandbox_id: str) -> str:
        return sandbox_name(self._settings.instance, sandbox_id)

    async def _usable(self) -> Cluster:
        """The cluster, unless the operator has still to say something."""
        if objection := checks.of_settings(self._settings):
            raise objection.raised()
        try:
            return await self._connected()
        except ApiError as error:
            raise unavailable(error) from error

    async def _connected(self) -> Cluster:
        async with self._opening:
            if self._cluster is None:
                self._cluster = await self._connect()
            return self._cluster

    async def _connect(self) -> Cluster:
        link = await connect(self._settings)
        api = Api(link, self._settings)
        try:
            claims = await checks.has_claims(api, self._settings)
        except BaseException:
            await link.close()
            raise
        return Cluster(link, api, Claims(api, self._settings) if claims else Pods(api, self._settings))

    async def _spec(self, cluster: Cluster, blueprint: Blueprint) -> JsonObject:
        """The pod of a blueprint; the agent's files are brought to the cluster first."""
        files = agent_files(self._settings.instance)
        path, name = cluster.api.place("configmaps"), files["metadata"]["name"]
        async with self._tidying:
            if not self._tidy:
                if self._settings.is_alone:
                    await self._remove_leftovers()
                await remove_others(cluster.api, path, self._settings.instance, {name})
                self._tidy = True
        if not self._agent_there:
            await ensure(cluster.api, path, files, "data")
            self._agent_path, self._agent_there = f"{path}/{name}", True
        return pod_spec(blueprint, self._settings, files)

    async def _remove_leftovers(self) -> None:
        """End what this instance has and this manager does not: its last one was killed, or lost them.

        Nothing of this manager's is on its way yet. One that does not go is no reason to make no other.
        """
        left = [handle for handle in await self.list() if handle.sandbox_id not in self._made]
        await asyncio.gather(*(self._let_go(handle) for handle in left))
        if left:
            log.info("removed what another manager left", sandboxes=len(left))

    async def _find(self, cluster: Cluster, handle: Handle) -> Made:
        """One of ours, or one that another made before us."""
        if made := self._made.get(handle.sandbox_id):
            return made
        name = self._name(handle.sandbox_id)
        try:
            if await cluster.maker.find(name) is None:
                raise SandboxGone(f"There is no sandbox {handle.sandbox_id}.")
            async with asyncio.timeout(self._settings.start_seconds):
                pod = await cluster.maker.pod_of(name)
            return self._made.setdefault(handle.sandbox_id, Made(pod))
        except TimeoutError as error:
            raise SandboxGone(f"The sandbox {handle.sandbox_id} never got a pod.") from error
        except ApiError as error:
            raise unavailable(error) from error

    async def _look(self, api: Api, made: Made) -> None:
        """Measure it, or see how it ended."""
        made.looked = time.monotonic()
        pod = await self._pod(api, made)
        if pod and ending(pod):
            made.usage = with_ending(made.usage, pod)
        elif pod:
            made.usage = await measured(api, made.pod, made.usage)

    async def _pod(self, api: Api, made: Made) -> JsonObject | None:
        """The pod now; where its channel has ended, the word of how is waited for a moment."""
        path = api.place("pods")
        if not made.ended:
            return await api.find(f"{path}/{made.pod}")
        try:
            async with asyncio.timeout(self._settings.settle_seconds):
                return await until(api, path, made.pod, _ended)
        except TimeoutError:
            return None


def _ended(pod: JsonObject | None) -> JsonObject | None:
    """A pod that has ended, or that is no more."""
    if pod is None:
        return {}
    return pod if ending(pod) else None


def _exec(command: tuple[str, ...]) -> dict[str, str | tuple[str, ...]]:
    """Query parameters of an exec with three streams and no terminal."""
    return {
        "container": CONTAINER,
        "command": command,
        "stdin": "true",
        "stdout": "true",
        "stderr": "true",
        "tty": "false",
    }
