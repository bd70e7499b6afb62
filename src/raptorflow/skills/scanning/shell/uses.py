"""What shell code uses of the world: hosts, programs, secrets, packages and files outside."""

import re
from collections.abc import Iterator, Sequence

from raptorflow.skills.scanning.hosts import destination_of
from raptorflow.skills.scanning.model import Use
from raptorflow.skills.scanning.python.sensitive import label_of_variable
from raptorflow.skills.scanning.shell.fetching import FETCHERS
from raptorflow.skills.scanning.shell.words import Pipeline
from raptorflow.skills.scanning.subject import Source

_INSTALLERS = re.compile(
    r"(?:pip3?|uv pip|pipx|npm|pnpm|yarn|cargo|gem|go|brew|apt(?:-get)?)\s+(?:install|add|get|"
    r"i)\s+(?:-\S+\s+)*(\S+)"
)
_VARIABLE = re.compile(r"\$\{?([A-Z][A-Z0-9_]{2,60})")
_URL = re.compile(r"https?://[^\s\"'<>|)]+")


def uses(found: Sequence[Pipeline], source: Source) -> Iterator[Use]:
    """Uses of power in scripts and blocks; each once."""
    seen: set[tuple[str, str]] = set()
    for pipeline in found:
        for use in _of(pipeline, source):
            if (use.kind, use.target) not in seen:
                seen.add((use.kind, use.target))
                yield use


def _of(pipeline: Pipeline, source: Source) -> Iterator[Use]:
    programs = [command.program for command in pipeline.commands if command.program]
    for name in programs:
        yield Use("process", name[:80], source.path, pipeline.line)
    if any(name.lower() in FETCHERS for name in programs):
        for url in _URL.findall(pipeline.text)[:5] or ["*"]:
            yield Use("network", destination_of(url), source.path, pipeline.line)
    for package in _INSTALLERS.findall(pipeline.text):
        yield Use("package", package[:80], source.path, pipeline.line)
    for name in _VARIABLE.findall(pipeline.text):
        kind = "secret" if label_of_variable(name) else "environment"
        yield Use(kind, name, source.path, pipeline.line)
