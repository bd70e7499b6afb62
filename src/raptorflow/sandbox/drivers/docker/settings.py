"""The docker driver's branch of the settings."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

# What names one content for ever: an image's id, or a repository with a manifest's digest. Never a tag.
DIGEST = r"^([a-z0-9][a-z0-9._/:-]*@)?sha256:[0-9a-f]{64}$"
PLACES = ("/run/docker.sock", "/var/run/docker.sock")


class DockerSettings(BaseModel):
    """Which engine builds the sandboxes, and from what."""

    socket: Path | None = None
    """The engine's socket; `DOCKER_HOST`'s, this user's or the system's when not given. Never over a network:
    what is mounted lies on this machine."""
    runtime: str | None = None
    """A runtime that the engine knows, such as `runsc` (gVisor); the engine's own when not given."""
    image: Annotated[str, StringConstraints(pattern=DIGEST)] | None = None
    """An image that the engine has, by id or digest; when not given, one without any file, and the programs
    are this machine's own `/usr`, seen read-only."""
    image_python: Path = Path("/usr/bin/python3")
    """The interpreter, 3.11 or later, inside `image`."""
    start_seconds: float = Field(default=30.0, gt=0)
    """How long building a sandbox may take."""
    call_seconds: float = Field(default=20.0, gt=0)
    """How long the engine may take for one answer."""

    def engine_socket(self) -> Path:
        """Where the engine is asked; it may not exist."""
        if self.socket:
            return self.socket
        host = os.environ.get("DOCKER_HOST", "")
        own = os.environ.get("XDG_RUNTIME_DIR")
        named = [host.removeprefix("unix://")] if host.startswith("unix://") else []
        places = [*named, *([f"{own}/docker.sock"] if own else []), *PLACES]
        return Path(next((place for place in places if Path(place).is_socket()), places[0]))
