"""A stream that has nothing to say gives signs of life."""

from raptorflow.orchestrator.streams.outbox import Outbox

SOON = 0.001


async def test_an_idle_outbox_yields_nothing_now_and_then() -> None:
    outbox = Outbox(3)
    batches = outbox.batches(SOON)
    assert await anext(batches) == []
    outbox.put(["a"])
    assert await anext(batches) == ["a"]
    outbox.close()
    assert [batch async for batch in batches] == []
