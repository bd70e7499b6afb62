"""A sandbox from its making to its end, with the real agent behind the fake API server."""

from raptorflow.sandbox.agent import files
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.agent.programs import Program, start
from raptorflow.sandbox.driver import Handle
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from tests.integration.sandbox.kubernetes.cluster.server import FakeCluster
from tests.integration.sandbox.kubernetes.conftest import BLUEPRINT


async def said_by(link: Link, code: str) -> tuple[int, bytes]:
    """The exit code and output of Python code inside."""
    output: list[bytes] = []
    running = await start(
        link,
        Program(["/usr/bin/python3", "-I", "-c", code]),
        lambda kind, chunk: output.append(chunk) if kind == wire.STDOUT else None,
    )
    return await running.wait(), b"".join(output)


async def test_a_program_runs_behind_the_channel_and_nothing_is_left(
    cluster: FakeCluster, driver: KubernetesDriver
) -> None:
    handle = await driver.create(BLUEPRINT, "first", {"tenant": "acme"})
    assert await driver.list() == [handle]
    link = Link(await driver.channel(handle))
    await link.open()
    assert await said_by(link, "print(6 * 7)") == (0, b"42\n")
    await link.close()
    await driver.destroy(handle)
    assert cluster.store.of("pods") == []
    assert cluster.node.containers == {}
    assert await driver.list() == []
