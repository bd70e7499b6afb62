"""Reaches the engine, when this program has the library for it."""

from importlib import import_module

from raptorflow.sandbox.drivers.docker.engine import Engine
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.errors import SandboxUnavailable


def connect(settings: DockerSettings) -> Engine:
    """A client of the engine; it connects when it is asked something, in a running event loop.

    Raises:
        SandboxUnavailable: aiodocker is not installed.
    """
    try:
        client = import_module("raptorflow.sandbox.drivers.docker.client")
    except ModuleNotFoundError as error:
        raise SandboxUnavailable(
            f"The docker driver lacks {error.name}.", hint="pip install 'raptorflow[docker]'"
        ) from error
    return client.DockerEngine(settings.engine_socket(), settings.call_seconds)
