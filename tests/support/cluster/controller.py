"""The fake controller of agent-sandbox: pools of warm sandboxes, and claims to them."""

import copy

from tests.support.cluster.admission import Admission
from tests.support.cluster.node import Node
from tests.support.cluster.store import Key, Store

from raptorflow.base.json import JsonObject

POD_NAME = "agents.x-k8s.io/pod-name"


class Controller:
    """Does for each change what the real one does, at once.

    Attributes:
        asleep: it does nothing, as if it were down. Deleting is the API server's own work.
    """

    def __init__(self, store: Store, node: Node, namespace: str, admission: Admission) -> None:
        self._store = store
        self._node = node
        self._namespace = namespace
        self._admission = admission
        self._made = 0
        self.asleep = False

    def made(self, key: Key) -> None:
        """Something of ours was made or changed."""
        if self.asleep:
            return
        if key.resource == "sandboxwarmpools":
            self._fill(self._store.things[key])
        elif key.resource == "sandboxclaims":
            self._bind(key)

    def removed(self, key: Key, thing: JsonObject) -> None:
        """Something of ours is to go, and what belongs to it before."""
        if key.resource == "sandboxclaims":
            if bound := thing.get("status", {}).get("sandbox", {}).get("name"):
                self._end(bound)
        elif key.resource == "sandboxwarmpools":
            for sandbox in self._free(key.name):
                self._end(sandbox["metadata"]["name"])
        self._store.remove(key)

    def _fill(self, pool: JsonObject) -> None:
        name, wanted = pool["metadata"]["name"], pool["spec"]["replicas"]
        free = self._free(name)
        for sandbox in free[wanted:]:
            self._end(sandbox["metadata"]["name"])
        for _ in range(wanted - len(free)):
            self._made += 1
            self._sandbox(f"{name}-{self._made}", pool, name)

    def _bind(self, key: Key) -> None:
        claim = self._store.things[key]
        pool = next(
            pool
            for pool in self._store.of("sandboxwarmpools")
            if pool["metadata"]["name"] == claim["spec"]["warmPoolRef"]["name"]
        )
        warm = self._free(pool["metadata"]["name"])
        taken = warm[0]["metadata"]["name"] if warm else self._sandbox(key.name, pool, None)
        if warm:
            del warm[0]["metadata"]["labels"]["pool"]
        claim["status"] = {
            "sandbox": {"name": taken},
            "conditions": [{"type": "Ready", "status": "True", "reason": "DependenciesReady"}],
        }
        self._store.change(key)
        self._fill(pool)

    def _free(self, pool: str) -> list[JsonObject]:
        found = self._store.of("sandboxes")
        return [sandbox for sandbox in found if sandbox["metadata"]["labels"].get("pool") == pool]

    def _sandbox(self, name: str, pool: JsonObject, owner: str | None) -> str:
        """A sandbox and its pod, whose name may differ."""
        reference = pool["spec"]["sandboxTemplateRef"]["name"]
        (template,) = (
            found for found in self._store.of("sandboxtemplates") if found["metadata"]["name"] == reference
        )
        inner = copy.deepcopy(template["spec"]["podTemplate"])
        self._admission.admit(inner["spec"])
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"{name}-pod", "labels": inner["metadata"]["labels"]},
            "spec": inner["spec"],
        }
        place = Key(f"/apis/agents.x-k8s.io/v1beta1/namespaces/{self._namespace}/sandboxes", name)
        notes = {POD_NAME: f"{name}-pod"}
        self._store.add(
            place,
            {"metadata": {"name": name, "labels": {"pool": owner} if owner else {}, "annotations": notes}},
        )
        key = Key(f"/api/v1/namespaces/{self._namespace}/pods", f"{name}-pod")
        self._store.add(key, pod)
        self._node.see(key)
        return name

    def _end(self, sandbox: str) -> None:
        for key in list(self._store.things):
            if key.resource == "pods" and key.name == f"{sandbox}-pod":
                self._node.end(key, 1)
            elif key.resource == "sandboxes" and key.name == sandbox:
                self._store.remove(key)
