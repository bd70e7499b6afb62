"""Tokens of well-known services in programs that never talk to those services."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from raptorflow.skills.scanning.model import Threat
from raptorflow.skills.scanning.python.context import threat_at
from raptorflow.skills.scanning.whole.programs import Program


class Service(NamedTuple):
    """A service's token, and what a program that talks to it names."""

    token: re.Pattern[str]
    named: re.Pattern[str]


def _service(token: str, named: str) -> Service:
    return Service(re.compile(rf"\b(?:{token})\b"), re.compile(named, re.IGNORECASE))


_SERVICES = (
    _service("AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN",
             r"amazonaws|boto|aws-sdk|\baws[ '\"]|s3|bedrock|minio"),
    _service("GITHUB_TOKEN|GH_TOKEN|GITHUB_PAT",
             r"github\.com|githubusercontent|octokit|\bgh[ '\"]|ghcr\.io|\bgit[ '\"]"),
    _service("GITLAB_TOKEN|CI_JOB_TOKEN", r"gitlab"),
    _service("NPM_TOKEN|NODE_AUTH_TOKEN", r"npmjs|\bnpm[ '\"]|npmrc"),
    _service("ANTHROPIC_API_KEY", r"anthropic|claude|litellm|langchain"),
    _service("STRIPE_SECRET_KEY|STRIPE_API_KEY", r"stripe\.com|import stripe|stripe\("),
    _service("SLACK_BOT_TOKEN", r"slack"),
)  # fmt: skip
_READS = re.compile(
    r"environ|getenv|process\.env|process\[|ENV\[|\$env:|os\.Getenv|\$\{?(?:AWS|GITHUB|GH|GITLAB|CI_JOB|NPM|NODE|"
    r"ANTHROPIC|STRIPE|SLACK)_"
)
_REACHES = re.compile(
    r"https?://(?!localhost|127\.)|\bcurl\b|\bdig\b|nslookup|\bsocket\b|net\.Dial|getaddrinfo|gethostby\w+|dns\."
)
REMEDY = "Read only the keys of the services that the skill talks to."


def foreign(program: Program) -> Iterator[Threat]:
    """Each service whose token is read by what talks to somebody else."""
    if not _REACHES.search(program.text) or not _READS.search(program.text):
        return
    for service in _SERVICES:
        found = service.token.search(program.text)
        rest = service.token.sub("", program.text)
        if found and not service.named.search(rest):
            source = next(one for one in program.sources if service.token.search(one.text))
            message = f"The program reads {found[0]} and talks to somebody else than that service."
            yield threat_at(source, source.first_line, "foreign-token", "high", message, REMEDY)
