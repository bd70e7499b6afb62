"""What a turn leaves for operators: spans by OpenTelemetry's GenAI conventions, and Prometheus counters."""

from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from raptorflow.orchestrator.runs import turn, worker


async def test_spans_and_counters(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for module in (turn, worker):
        monkeypatch.setattr(module, "spans", provider.get_tracer("test"))
    before = REGISTRY.get_sample_value("raptorflow_runs_total", {"status": "succeeded"}) or 0.0
    await house.start_worker()
    person = await house.person()
    session_id = await house.session(person)
    file = await house.upload(person, "poem.txt", b"a rose is a rose")
    await house.ended(person, await house.send(person, session_id, "Count the words", files=[file["id"]]))
    await house.workers.pop().stop()
    spans = {span.name: dict(span.attributes or {}) for span in exporter.get_finished_spans()}
    assert spans["invoke_agent raptorflow"]["gen_ai.conversation.id"] == str(session_id)
    assert spans["chat offline"]["gen_ai.operation.name"] == "chat"
    assert spans["execute_tool load_skill"]["gen_ai.skill.name"] == "word-counter"
    assert spans["execute_tool word-counter__count"]["gen_ai.tool.name"] == "word-counter__count"
    assert REGISTRY.get_sample_value("raptorflow_runs_total", {"status": "succeeded"}) == before + 1
