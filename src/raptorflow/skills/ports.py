"""What the kit needs from outside: a sandbox for actions, a finder of skills, a language model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from raptorflow.skills.capabilities import Limits
from raptorflow.skills.model import Skill


@dataclass(frozen=True)
class Job:
    """A command of a skill to run.

    Attributes:
        command: the program and its arguments.
        stdin: what it reads.
        files: files that it may see, by the name they have in `/workspace/in`.
        limits: how much it may use.
        pure: it only computes, and may be run where nothing else can be done.
    """

    command: tuple[str, ...]
    stdin: bytes = b""
    files: Mapping[str, Path] | None = None
    limits: Limits = field(default_factory=Limits)
    pure: bool = False


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        status: `ok`, `error`, or the limit that ended it.
        stdout: what it printed; `stderr` likewise.
        artifacts: the names of the files that it left.
        seconds: from its first instruction to its last.
        message: what a person should know about the end.
        driver: which sandbox it ran in.
    """

    status: str
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    artifacts: tuple[str, ...]
    seconds: float
    message: str | None = None
    driver: str = ""


class Sandbox(Protocol):
    """Runs a skill's commands as the product does: nothing is open that the skill does not declare."""

    async def run(self, skill: Skill, folder: Path, job: Job) -> Ended:
        """Run one command of the skill in a folder."""
        ...


class Finder(Protocol):
    """Finds skills as an agent does."""

    async def find(self, question: str) -> str | None:
        """The skill that an agent would load for a question; None when none fits."""
        ...


@dataclass(frozen=True)
class Reply:
    """A model's answer and what it took."""

    text: str
    tokens: int
    seconds: float


class LanguageModel(Protocol):
    """Answers a prompt."""

    async def answer(self, system: str, question: str, files: Sequence[Path]) -> Reply:
        """The answer to one question."""
        ...
