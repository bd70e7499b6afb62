"""The fake API server, on the loopback: real HTTP, real watch streams, real websockets, real schemas."""

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from tests.support.cluster import schemas
from tests.support.cluster.admission import Admission
from tests.support.cluster.controller import Controller
from tests.support.cluster.faults import Fault, Faults
from tests.support.cluster.node import Node
from tests.support.cluster.store import Key, Store
from tests.support.cluster.streams import FAULT, exec_stream, watch_stream

from raptorflow.base.json import JsonObject, dumps

TOKEN = "test-token"
NAMESPACE = "raptorflow-sandboxes"
CLAIM_RESOURCES = ("sandboxtemplates", "sandboxclaims", "sandboxwarmpools", "sandboxwarmpools/scale")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeCluster:
    """A cluster of one fake node.

    Attributes:
        store: its objects.
        node: what runs pods.
        admission: what is done to each pod before it is kept.
        controller: what runs claims.
        faults: what goes wrong, by a test's order.
        invalid: objects that a schema refused; a test that expects none asserts that.
        requests: method and path of all that came.
        came: set by the next request.
        has_claims: whether agent-sandbox is installed.
        runtime_classes: name -> handler.
        denied: verb and resource that the manager may not do, such as `("delete", "pods")`.
        drops: fields of a pod's spec that this server does not know.
        memory: what the metrics server says of every pod; None is no metrics server.
    """

    def __init__(self) -> None:
        self.store = Store()
        self.node = Node(self.store)
        self.admission = Admission()
        self.controller = Controller(self.store, self.node, NAMESPACE, self.admission)
        self.faults = Faults()
        self.invalid: list[str] = []
        self.requests: list[tuple[str, str]] = []
        self.came = asyncio.Event()
        self.has_claims = False
        self.runtime_classes = {"gvisor": "runsc"}
        self.denied: set[tuple[str, str]] = set()
        self.drops: set[str] = set()
        self.memory: str | None = None
        self.minor = "34"
        self.page = 2
        self._lists: dict[str, list[JsonObject]] = {}
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def start(self) -> None:
        app = web.Application(middlewares=[self._guard])
        app.router.add_route("*", "/{path:.*}", self._route)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://{host}:{port}"

    async def close(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        await self.node.close()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        method = _kind(request)
        self.requests.append((method, request.path))
        self.came.set()
        self.came = asyncio.Event()
        fault = self.faults.hit(method, request.path)
        if fault and (answer := await _before(request, fault)):
            return answer
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return refusal(401, "Unauthorized", "the token is not known")
        request[FAULT] = fault
        answer = await handler(request)
        if fault and fault.kind == "cut-after" and method not in {"WATCH", "EXEC"}:
            _cut(request)
        return answer

    async def _route(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        if "namespaces" not in parts:
            return await self._wide(request, parts)
        at = parts.index("namespaces") + 2
        path, rest = "/" + "/".join(parts[: at + 1]), parts[at + 1 :]
        if parts[1] == "metrics.k8s.io":
            return self._metrics(rest)
        if "agents.x-k8s.io" in parts[1] and not self.has_claims:
            return refusal(404, "NotFound", "no such resource")
        if not rest:
            return await self._collection(request, path)
        return await self._one(request, Key(path, rest[0]), rest[1:])

    async def _wide(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        """What belongs to no namespace."""
        if request.path == "/version":
            return answer({"major": "1", "minor": self.minor, "gitVersion": f"v1.{self.minor}.1"})
        if parts[-1] == "selfsubjectaccessreviews":
            return self._review(await request.json())
        if parts[-2] == "runtimeclasses" and parts[-1] in self.runtime_classes:
            handler = self.runtime_classes[parts[-1]]
            return answer({"metadata": {"name": parts[-1]}, "handler": handler})
        if request.path == "/apis/extensions.agents.x-k8s.io/v1beta1" and self.has_claims:
            return answer({"resources": [{"name": name} for name in CLAIM_RESOURCES]})
        return refusal(404, "NotFound", f"{request.path} does not exist")

    def _review(self, review: JsonObject) -> web.Response:
        schemas.check(review)
        asked = review["spec"]["resourceAttributes"]
        below = f"/{asked['subresource']}" if "subresource" in asked else ""
        allowed = (asked["verb"], f"{asked['resource']}{below}") not in self.denied
        return answer({**review, "status": {"allowed": allowed}}, 201)

    def _metrics(self, rest: list[str]) -> web.Response:
        if self.memory is None or rest[0] not in self.node.containers:
            return refusal(404, "NotFound", "no metrics")
        usage = {"cpu": "1250n", "memory": self.memory}
        return answer({"metadata": {"name": rest[0]}, "containers": [{"name": "sandbox", "usage": usage}]})

    async def _collection(self, request: web.Request, path: str) -> web.StreamResponse:
        if request.method == "POST":
            return await self._create(request, path)
        if request.query.get("watch") == "true":
            return await watch_stream(request, self.store, path)
        return self._list(request, path)

    async def _create(self, request: web.Request, path: str) -> web.Response:
        thing: JsonObject = await request.json()
        key = Key(path, thing["metadata"]["name"])
        try:
            schemas.check(thing)
        except schemas.Invalid as error:
            self.invalid.append(str(error))
            return refusal(422, "Invalid", str(error))
        if key in self.store.things:
            return refusal(409, "AlreadyExists", f"{key.resource} {key.name} already exists")
        self._as_stored(thing)
        if key.resource == "pods":
            self.admission.admit(thing["spec"])
        made = copy.deepcopy(self.store.add(key, thing))
        if key.resource == "pods":
            self.node.see(key)
        self.controller.made(key)
        return answer(made, 201)

    def _as_stored(self, thing: JsonObject) -> None:
        """The server's own way to write: it drops fields that it does not know, and shortens amounts."""
        spec: JsonObject = thing.get("spec", {})
        for field in self.drops:
            spec.pop(field, None)
        for container in spec.get("containers", []):
            for amounts in container["resources"].values():
                milli = int(amounts["cpu"].removesuffix("m"))
                amounts["cpu"] = f"{milli}m" if milli % 1000 else str(milli // 1000)

    def _list(self, request: web.Request, path: str) -> web.Response:
        if token := request.query.get("continue"):
            return self._page(self._lists[token], request)
        found = [copy.deepcopy(thing) for key, thing in self.store.things.items() if key.path == path]
        if only := request.query.get("fieldSelector"):
            found = [thing for thing in found if f"metadata.name={thing['metadata']['name']}" == only]
        for pair in filter(None, request.query.get("labelSelector", "").split(",")):
            name, value = pair.split("=")
            found = [thing for thing in found if thing["metadata"].get("labels", {}).get(name) == value]
        return self._page(found, request)

    def _page(self, found: list[JsonObject], request: web.Request) -> web.Response:
        """The next objects of a list as it was when its first page was asked for."""
        size = min(self.page, int(request.query.get("limit", "1000")))
        meta: JsonObject = {"resourceVersion": str(self.store.version)}
        if found[size:]:
            meta["continue"] = f"{len(found)}-{self.store.version}-{len(self.requests)}"
            self._lists[meta["continue"]] = found[size:]
        return answer({"metadata": meta, "items": found[:size]})

    async def _one(self, request: web.Request, key: Key, below: list[str]) -> web.StreamResponse:
        thing = self.store.things.get(key)
        if thing is None:
            return refusal(404, "NotFound", f"{key.resource} {key.name} not found")
        if below == ["exec"]:
            return await exec_stream(request, self.node, key.name)
        if below == ["scale"] and request.method == "PATCH":
            thing["spec"] |= (await request.json())["spec"]
            self.controller.made(key)
            return answer(self.store.change(key))
        if request.method == "DELETE":
            return await self._delete(request, key, thing)
        return answer(thing)

    async def _delete(self, request: web.Request, key: Key, thing: JsonObject) -> web.Response:
        options = await request.json()
        if key.resource == "pods":
            self.node.end(key, options["gracePeriodSeconds"])
        else:
            self.controller.removed(key, thing)
        return answer({"kind": "Status", "status": "Success"})


async def _before(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    """What a fault does instead of an answer."""
    if fault.kind == "status":
        return refusal(fault.status, "Faulty", fault.message, fault.retry_after)
    if fault.kind == "cut":
        _cut(request)
        return web.Response()
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    return None


def _cut(request: web.Request) -> None:
    transport: Any = request.transport
    transport.abort()


def _kind(request: web.Request) -> str:
    if request.query.get("watch") == "true":
        return "WATCH"
    return "EXEC" if request.path.endswith("/exec") else request.method


def answer(thing: JsonObject, status: int = 200) -> web.Response:
    return web.Response(text=dumps(thing), status=status, content_type="application/json")


def refusal(status: int, reason: str, message: str, retry_after: int | None = None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": status}
    return web.Response(
        text=json.dumps(body), status=status, headers=headers, content_type="application/json"
    )
