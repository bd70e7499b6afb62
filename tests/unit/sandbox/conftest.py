"""A guest agent as a plain child process, without a sandbox around it, for what is about the protocol."""

import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from raptorflow.sandbox.agent.kept import agent_folder
from raptorflow.sandbox.agent.launch import AGENT, agent_command
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.channel import SocketChannel

END_SECONDS = 20


@dataclass
class ChildAgent:
    """An agent and our end of its channel."""

    socket: socket.socket
    pid: int


@pytest.fixture
def agent(request: pytest.FixtureRequest) -> Generator[ChildAgent]:
    """One that may not end what it did not start; an indirect parameter is the filter for its programs."""
    calls: bytes | None = getattr(request, "param", None)
    here, there = socket.socketpair()
    here.setblocking(False)
    folder = str(agent_folder(Path(sys.executable)))
    asked = agent_command(sys.executable, "socket", alone=False, calls=calls)
    command = [part.replace(AGENT, folder) for part in asked]
    with there:
        started = subprocess.Popen(command, stdin=there.fileno(), env={})
    with started as process, here:
        yield ChildAgent(here, process.pid)
        here.close()
        process.wait(END_SECONDS)


@pytest.fixture
def agent_socket(agent: ChildAgent) -> socket.socket:
    """To an agent that has not been greeted."""
    return agent.socket


@pytest.fixture
async def link(agent_socket: socket.socket) -> AsyncGenerator[Link]:
    """To an agent that has been greeted."""
    greeted = Link(SocketChannel(agent_socket))
    await greeted.open()
    yield greeted
    await greeted.close()
