"""One turn (2 model calls, 1 tool call, a scripted model) through the whole product, and through LangGraph.

Ours: WebSocket, sign-in token, server process, Valkey, worker process, a PostgreSQL commit at each step, the
events back. The peer: a LangGraph agent graph with its PostgreSQL saver in one process, without a server, on
the same PostgreSQL, in a venv of its own. Both models answer at once, so what is measured is the machinery.

    python benchmarks/turn.py
"""

import argparse
import asyncio
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import httpx
import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import SecretStr
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from websockets.asyncio.client import ClientConnection, connect

from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.ids import new_id
from raptorflow.base.json import dumps, loads
from raptorflow.core.blobs import open_blobs
from raptorflow.core.db import Database
from raptorflow.core.http import install_http
from raptorflow.core.migrate import upgrade
from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.core.valkey import open_valkey
from raptorflow.orchestrator.endpoints import router
from raptorflow.orchestrator.folder_skills import FolderSkills
from raptorflow.orchestrator.runs.worker import Abilities, RunWorker
from raptorflow.orchestrator.service import AgentOrchestrator
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.orchestrator.sockets import router as sockets
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.stack.places import open_place
from raptorflow.stack.postgres import EmbeddedPostgres
from raptorflow.stack.valkey import EmbeddedValkey

HERE = Path(__file__).resolve()
PEER = HERE.parent / "peers" / "langgraph_turn.py"
PEER_PACKAGES = [
    "langgraph==1.2.22",
    "langgraph-checkpoint-postgres",
    "langchain-core",
    "psycopg[binary,pool]",
]
WARM_UP, TURNS, CONCURRENT, TURNS_EACH = 30, 200, 100, 8
READY_SECONDS = 30.0
RETRY_SECONDS = 0.05
ANSWER = "The scripted model has read the search results and gives this answer, which is one sentence long."


class NoSandbox:
    """The scripted turn runs no code."""

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        """Refuse."""
        return SandboxResult("sandbox_error", "none", message=f"{spec.command} is not run here")


async def scripted(
    messages: list[ModelMessage], info: AgentInfo
) -> AsyncIterator[str | dict[int, DeltaToolCall]]:
    """Search first, then answer."""
    last = messages[-1]
    if isinstance(last, ModelRequest) and isinstance(last.parts[-1], ToolReturnPart):
        yield ANSWER
        return
    yield {0: DeltaToolCall("search_skills", '{"query": "numbers"}', tool_call_id="call-1")}


def orchestrator_of(database: Database, arguments: argparse.Namespace) -> AgentOrchestrator:
    """The facade over the benchmark's parts."""
    valkey = open_valkey(arguments.valkey)
    return AgentOrchestrator(
        database, valkey, open_blobs("memory://"), OrchestratorSettings(), FolderSkills([])
    )


def serve(arguments: argparse.Namespace) -> None:
    """The server process."""
    database = Database(arguments.database)
    secret = SecretStr(arguments.secret)
    accounts = AccountsService(database, open_valkey(arguments.valkey), AccountsSettings(secret=secret))
    app = FastAPI(on_startup=[accounts.open])
    app.state.accounts, app.state.orchestrator = accounts, orchestrator_of(database, arguments)
    install_http(app)
    app.include_router(router)
    app.include_router(sockets)
    uvicorn.run(
        app, host="127.0.0.1", port=arguments.port, log_level="warning", ws="websockets-sansio", loop="uvloop"
    )


async def work(arguments: argparse.Namespace) -> None:
    """The worker process."""
    orchestrator = orchestrator_of(Database(arguments.database), arguments)
    model = FunctionModel(stream_function=scripted, model_name="scripted")
    worker = RunWorker(orchestrator, Abilities(FolderSkills([]), NoSandbox(), model, Path(sys.executable)))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await worker.start()
    await stop.wait()
    await worker.stop()


async def turn(connection: ClientConnection) -> float:
    """One turn's milliseconds, from the message to the run's last event."""
    started = time.perf_counter()
    await connection.send(dumps({"type": "message", "text": "What do the numbers say?"}))
    while loads(await connection.recv())["type"] != "RUN_FINISHED":
        pass
    return (time.perf_counter() - started) * 1000


class Client:
    """A signed-in user of the server."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def open(self, http: httpx.AsyncClient) -> ClientConnection:
        """A socket of a new session."""
        answer = await http.post("/api/v1/orchestrator/sessions", json={}, headers=self._headers)
        session_id = answer.raise_for_status().json()["id"]
        address = f"ws{self._url.removeprefix('http')}/ws/sessions/{session_id}?after=0"
        return await connect(address, additional_headers=self._headers, compression=None)

    async def measure(self) -> dict[str, float]:
        """A turn alone, and how many there are in a second when many talk at once."""
        async with httpx.AsyncClient(base_url=self._url, timeout=READY_SECONDS) as http:
            await until_ready(http)
            alone: list[float] = []
            for start in range(0, WARM_UP + TURNS, TURNS_EACH):
                connection = await self.open(http)
                times = [await turn(connection) for _ in range(TURNS_EACH)]
                alone += times if start >= WARM_UP else []
                await connection.close()
            connections = [await self.open(http) for _ in range(CONCURRENT)]
            per_second = await self._together(connections)
        cuts = statistics.quantiles(alone, n=20)
        return {"p50_ms": statistics.median(alone), "p95_ms": cuts[-1], "per_second": per_second}

    async def _together(self, connections: Sequence[ClientConnection]) -> float:
        async def several(connection: ClientConnection) -> None:
            for _ in range(TURNS_EACH):
                await turn(connection)

        started = time.perf_counter()
        await asyncio.gather(*(several(connection) for connection in connections))
        return len(connections) * TURNS_EACH / (time.perf_counter() - started)


async def until_ready(http: httpx.AsyncClient) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            await http.get("/openapi.json")
            return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(RETRY_SECONDS)


async def token_of(database_url: str, valkey_url: str, secret: str) -> str:
    """A fresh user's token."""
    database, valkey = Database(database_url), open_valkey(valkey_url)
    accounts = AccountsService(database, valkey, AccountsSettings(secret=SecretStr(secret)))
    await accounts.open()
    user_id: UUID = await accounts.create_user(f"{new_id()}@example.org", "Somebody")
    pair = await accounts.redeem_link(await accounts.one_time_link(user_id))
    await database.close()
    await valkey.aclose()
    return pair.access_token


def peer(database_url: str, folder: Path) -> dict[str, float]:
    """LangGraph's figures, in a venv of its own."""
    venv = folder / "peer"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, venv], check=True)
    python = venv / "bin" / "python"
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *PEER_PACKAGES], check=True)
    url = database_url.replace("postgresql+psycopg", "postgresql")
    answer = subprocess.run(
        [python, PEER, url, str(TURNS), str(CONCURRENT)], check=True, stdout=subprocess.PIPE, text=True
    )
    return loads(answer.stdout.splitlines()[-1])


def free_port() -> int:
    """A port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def measure(*, with_peer: bool) -> dict[str, float]:
    """Start everything, measure, stop everything."""
    folder = Path(tempfile.mkdtemp(prefix="rf-turn-"))
    postgres, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
    processes: list[asyncio.subprocess.Process] = []
    try:
        urls, valkey_url = await postgres.start(), await valkey.start()
        await asyncio.to_thread(upgrade, urls.owner_url)
        secret, port = str(new_id()), free_port()
        token = await token_of(urls.app_url, valkey_url, secret)
        parts = ["--database", urls.app_url, "--valkey", valkey_url, "--port", str(port), "--secret", secret]
        for role in ("serve", "work"):
            processes.append(await asyncio.create_subprocess_exec(sys.executable, HERE, role, *parts))
        figures = await Client(f"http://127.0.0.1:{port}", token).measure()
        if with_peer:
            theirs = await asyncio.to_thread(peer, urls.owner_url, folder)
            figures |= {f"peer_{name}": value for name, value in theirs.items()}
    finally:
        for process in processes:
            process.terminate()
            await process.wait()
        await valkey.stop()
        await postgres.stop()
        open_place(folder).remove()
        shutil.rmtree(folder, ignore_errors=True)
    return {name: round(value, 2) for name, value in figures.items()}


def main() -> None:
    """Run as the benchmark, or as one of its processes."""
    configure_telemetry(TelemetrySettings(log_level="ERROR"), service="benchmark")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", nargs="?", choices=["serve", "work"])
    parser.add_argument("--database")
    parser.add_argument("--valkey")
    parser.add_argument("--port", type=int)
    parser.add_argument("--secret")
    parser.add_argument("--no-peer", action="store_true")
    arguments = parser.parse_args()
    if arguments.role == "serve":
        serve(arguments)
    elif arguments.role == "work":
        uvloop.run(work(arguments))
    else:
        print(dumps(uvloop.run(measure(with_peer=not arguments.no_peer))))


if __name__ == "__main__":
    main()
