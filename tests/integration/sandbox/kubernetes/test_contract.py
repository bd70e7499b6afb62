"""The drivers' contract, for pods and for claims, with the real agent behind the fake API server."""

import pytest
from tests.integration.sandbox.kubernetes.conftest import BLUEPRINT, MakeDriver
from tests.support.cluster.server import FakeCluster

from raptorflow.sandbox.agent import files
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.agent.programs import Program, start
from raptorflow.sandbox.driver import Handle, SandboxDriver, Usage
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed

KINDS = ("pods", "agent-sandbox")
MADE = ("pods", "sandboxes", "sandboxclaims")
INSIDE = """
import os, socket
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(os.getuid(), status["CapEff"].strip(), status["NoNewPrivs"].strip(), socket.gethostname())
print(sorted(line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line))
for path in ("/usr/x", "/x", "/skill/x", "/opt/raptorflow-agent/x"):
    try:
        open(path, "w")
    except OSError as error:
        print(path, error.strerror)
try:
    open("/workspace/big", "wb").write(bytes(9 * 1024 * 1024))
except OSError as error:
    print(error.strerror)
"""


@pytest.fixture(params=KINDS)
async def any_driver(
    cluster: FakeCluster, make_driver: MakeDriver, request: pytest.FixtureRequest
) -> KubernetesDriver:
    cluster.has_claims = True
    driver = make_driver(kind=request.param)
    await driver.prepare(BLUEPRINT)
    return driver


async def linked(driver: KubernetesDriver, handle: Handle) -> Link:
    link = Link(await driver.channel(handle))
    await link.open()
    return link


async def said_by(link: Link, code: str) -> tuple[int, str]:
    """The exit code and output of Python code inside."""
    output: list[bytes] = []
    running = await start(
        link,
        Program(["/usr/bin/python3", "-I", "-c", code]),
        lambda kind, chunk: output.append(chunk) if kind in {wire.STDOUT, wire.STDERR} else None,
    )
    await running.feed(b"")
    code_out = await running.wait()
    return code_out, b"".join(output).decode()


def left_on(cluster: FakeCluster) -> list[str]:
    return [name for resource in MADE for name in cluster.store.names(resource)]


async def test_it_is_a_driver(make_driver: MakeDriver) -> None:
    driver: SandboxDriver = make_driver()
    assert driver.name == "kubernetes"


async def test_programs_run_one_after_the_other_and_nothing_is_left(
    cluster: FakeCluster, any_driver: KubernetesDriver
) -> None:
    handle = await any_driver.create(BLUEPRINT, "First-1", {"tenant": "acme"})
    assert await any_driver.list() == [handle]
    link = await linked(any_driver, handle)
    assert await said_by(link, "print(6 * 7)") == (0, "42\n")
    assert await said_by(link, "raise SystemExit(7)") == (7, "")
    await link.close()
    await any_driver.destroy(handle)
    assert left_on(cluster) == []
    assert cluster.node.containers == {}
    assert await any_driver.list() == []


async def test_inside_there_is_no_network_no_power_and_room_for_no_more_than_was_given(
    any_driver: KubernetesDriver,
) -> None:
    link = await linked(any_driver, await any_driver.create(BLUEPRINT, "closed", {}))
    _, said = await said_by(link, INSIDE)
    who, interfaces, *refused = said.splitlines()
    assert who == f"65532 {'0' * 16} 1 sandbox"
    assert interfaces == "['lo']"
    assert refused[:2] == ["/usr/x Read-only file system", "/x Permission denied"] or refused[:2] == [
        "/usr/x Read-only file system",
        "/x Read-only file system",
    ]
    # The skill's copy is held by Landlock where the node's kernel has it.
    if link.landlock:
        assert "/skill/x Permission denied" in refused
    assert refused[-2:] == ["/opt/raptorflow-agent/x Read-only file system", "No space left on device"]
    await link.close()


async def test_a_skill_is_put_where_it_belongs_and_runs_from_there(any_driver: KubernetesDriver) -> None:
    link = await linked(any_driver, await any_driver.create(BLUEPRINT, "skilled", {}))
    await files.put(link, "/skill/scripts/hello.py", [b"print('from the skill')"])
    code = "exec(open('/skill/scripts/hello.py').read())"
    assert await said_by(link, code) == (0, "from the skill\n")
    await link.close()


async def test_when_the_channel_ends_the_sandbox_does(
    cluster: FakeCluster, any_driver: KubernetesDriver
) -> None:
    handle = await any_driver.create(BLUEPRINT, "short", {})
    link = await linked(any_driver, handle)
    running = await start(link, Program(["/usr/bin/sleep", "1000"]), lambda kind, chunk: None)
    (container,) = cluster.node.containers.values()
    await link.close()
    await container.first.wait()
    with pytest.raises(SandboxGone):
        await running.wait()


async def test_the_channel_is_opened_once(any_driver: KubernetesDriver) -> None:
    handle = await any_driver.create(BLUEPRINT, "once", {})
    await any_driver.channel(handle)
    with pytest.raises(SandboxGone):
        await any_driver.channel(handle)


async def test_destroying_again_does_nothing(cluster: FakeCluster, any_driver: KubernetesDriver) -> None:
    handle = await any_driver.create(BLUEPRINT, "twice", {})
    await any_driver.destroy(handle)
    await any_driver.destroy(handle)
    await any_driver.destroy(Handle("kubernetes", "never-was"))
    assert left_on(cluster) == []
    with pytest.raises(SandboxGone):
        await any_driver.channel(handle)
    assert await any_driver.stats(handle) == Usage(exact=False)


async def test_a_name_is_taken_once_and_the_first_is_unhurt(
    cluster: FakeCluster, any_driver: KubernetesDriver
) -> None:
    handle = await any_driver.create(BLUEPRINT, "same", {})
    with pytest.raises(SandboxStartFailed, match="already"):
        await any_driver.create(BLUEPRINT, "same", {})
    link = await linked(any_driver, handle)
    assert await said_by(link, "print(1)") == (0, "1\n")
    await link.close()


async def test_another_manager_finds_what_a_dead_one_left_and_removes_it(
    cluster: FakeCluster, any_driver: KubernetesDriver, make_driver: MakeDriver
) -> None:
    made = [await any_driver.create(BLUEPRINT, f"left-{number}", {}) for number in range(3)]
    heir = make_driver()
    # The fake server hands out two a page.
    assert sorted(handle.sandbox_id for handle in await heir.list()) == ["left-0", "left-1", "left-2"]
    for handle in made:
        await heir.destroy(handle)
    assert left_on(cluster) == []


async def test_managers_with_names_of_their_own_do_not_see_each_other(
    driver: KubernetesDriver, make_driver: MakeDriver
) -> None:
    await driver.create(BLUEPRINT, "mine", {})
    assert await make_driver(instance="other").list() == []


async def test_closing_leaves_the_network_policy_and_nothing_else(
    cluster: FakeCluster, any_driver: KubernetesDriver
) -> None:
    await any_driver.create(BLUEPRINT, "one", {})
    await any_driver.create(BLUEPRINT, "two", {})
    await any_driver.close()
    assert [key.resource for key in cluster.store.things] == ["networkpolicies"]
    assert cluster.node.containers == {}


async def test_labels_are_shown_and_nothing_secret_is_in_a_pod(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    await driver.create(BLUEPRINT, "labelled", {"tenant": "Acme GmbH & Co", "run id": "r-1"})
    (pod,) = cluster.store.of("pods")
    notes = pod["metadata"]["annotations"]
    assert notes["raptorflow/label-tenant"] == "Acme GmbH & Co"
    assert notes["raptorflow/label-run-id"] == "r-1"
    assert "env" not in pod["spec"]["containers"][0]


async def test_memory_is_what_the_metrics_server_says(
    cluster: FakeCluster, any_driver: KubernetesDriver
) -> None:
    handle = await any_driver.create(BLUEPRINT, "measured", {})
    assert await any_driver.stats(handle) == Usage(exact=False)
    cluster.memory = "40Mi"
    await any_driver.stats(handle)
    cluster.memory = "30Mi"
    usage = await any_driver.stats(handle)
    assert (usage.memory_bytes, usage.peak_memory_bytes) == (30 * 2**20, 40 * 2**20)
    assert usage.cpu_ms is None


async def test_a_sandbox_that_ran_out_of_memory_says_so(
    cluster: FakeCluster, any_driver: KubernetesDriver
) -> None:
    handle = await any_driver.create(BLUEPRINT, "hungry", {})
    link = await linked(any_driver, handle)
    (name,) = cluster.node.containers
    await cluster.node.fail(name, "OOMKilled")
    with pytest.raises(SandboxGone):
        await said_by(link, "print(1)")
    usage = await any_driver.stats(handle)
    assert (usage.over, usage.out_of_memory) == ("oom", 1)
    await link.close()


@pytest.mark.parametrize(
    ("message", "full"),
    [
        ("Pod ephemeral local storage usage exceeds the total limit of containers 32Mi.", True),
        ("The node was low on resource: memory.", False),
    ],
)
async def test_an_eviction_is_told_apart_from_the_sandboxs_own_doing(
    cluster: FakeCluster, driver: KubernetesDriver, message: str, full: bool
) -> None:
    handle = await driver.create(BLUEPRINT, "evicted", {})
    (name,) = cluster.node.containers
    await cluster.node.fail(name, "Evicted", message)
    usage = await driver.stats(handle)
    assert (usage.disk_full, usage.over) == (full, None)
    await driver.destroy(handle)
    assert left_on(cluster) == []


async def test_a_silent_node_is_overruled(cluster: FakeCluster, make_driver: MakeDriver) -> None:
    driver = make_driver(destroy_seconds=0.2)
    await driver.prepare(BLUEPRINT)
    handle = await driver.create(BLUEPRINT, "stuck", {})
    cluster.node.confirms = False
    await driver.destroy(handle)
    assert left_on(cluster) == []
