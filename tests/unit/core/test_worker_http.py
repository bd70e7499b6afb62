"""A worker's own pages, and what happens when their port is taken."""

import socket
from collections.abc import Generator

import httpx
import pytest

from raptorflow.core.errors import ValkeyUnavailable, WorkerPortTaken
from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.worker_http import WorkerPages

HOST = "127.0.0.1"


@pytest.fixture
def taken_port() -> Generator[int]:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


async def test_the_pages_are_served_until_the_worker_stops() -> None:
    async def away() -> None:
        raise ValkeyUnavailable("Valkey does not answer.")

    port = free_port()
    pages = WorkerPages(TelemetrySettings(worker_port=port), {"valkey": away})
    await pages.start()
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).status_code == 503
        assert "python_info" in (await client.get("/metrics")).text
    await pages.stop()
    with socket.socket() as again:
        again.bind((HOST, port))


async def test_a_chosen_port_that_is_taken_is_refused_with_a_sentence(taken_port: int) -> None:
    pages = WorkerPages(TelemetrySettings(worker_port=taken_port), {})
    with pytest.raises(WorkerPortTaken, match=str(taken_port)) as caught:
        await pages.start()
    assert caught.value.hint


async def test_a_second_worker_works_without_pages_when_no_port_was_chosen(
    taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = TelemetrySettings()
    monkeypatch.setattr(settings, "worker_port", taken_port)
    settings.model_fields_set.discard("worker_port")
    pages = WorkerPages(settings, {})
    await pages.start()
    await pages.stop()


async def test_port_0_serves_nothing() -> None:
    pages = WorkerPages(TelemetrySettings(worker_port=0), {})
    await pages.start()
    await pages.stop()
