"""What each driver tells its engine for a blueprint, without asking any engine."""

import os
from collections.abc import Callable

from raptorflow.sandbox.agent.launch import agent_command
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.docker.request import Base, create_request
from raptorflow.sandbox.drivers.local.command import CommandLine, memory_file


def local_command(blueprint: Blueprint) -> object:
    """Bubblewrap's arguments."""
    command = CommandLine(blueprint, memory_file(b""), "attack")
    try:
        return [os.fsdecode(part) for part in command.packed().split(b"\0") if part] + command.program()
    finally:
        command.close()


def docker_request(blueprint: Blueprint) -> object:
    """The body of the request for a container."""
    command = tuple(agent_command(str(blueprint.python), "stdio", alone=True))
    base = Base("sha256:" + "0" * 64, blueprint.mounts, command, None)
    return create_request(base, blueprint, "attack", {"run": "attack"})


RENDERED: dict[str, Callable[[Blueprint], object]] = {"local": local_command, "docker": docker_request}
