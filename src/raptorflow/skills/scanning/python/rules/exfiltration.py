"""Data that leaves: from where it was read to where it is sent."""

import re
from collections.abc import Iterator, Sequence

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.hosts import HostKind, destination_of, host_of, kind_of_host
from raptorflow.skills.scanning.model import Severity, Use
from raptorflow.skills.scanning.python.context import Context, excerpt, threat
from raptorflow.skills.scanning.python.network import LOOKUPS, NETWORK_CALLS, SENDS, sent_by, url_of
from raptorflow.skills.scanning.python.program import Call
from raptorflow.skills.scanning.python.rules.commands import command_line, command_of, starts_program
from raptorflow.skills.scanning.python.value import Label

_SENDERS = re.compile(
    r"\b(?:curl|wget|nc|ncat|netcat|scp|rsync|ftp|sftp|http|aws s3 cp|gsutil cp|rclone|nslookup|dig)\b"
)
_DROPS: frozenset[HostKind] = frozenset(("catcher", "tunnel", "paste", "chat", "address", "onion"))
REMEDY = "Send only what the task needs, to the service that the skill names, and declare both in skill.toml."
_WORDS: dict[HostKind, str] = {
    "catcher": "a service that shows strangers what is sent to it",
    "tunnel": "a tunnel to a machine that nobody can name",
    "paste": "a paste site",
    "chat": "a chat's webhook",
    "address": "a bare address",
    "onion": "a hidden service",
}


def exfiltration(context: Context) -> Iterator[Seen]:
    """Uses of the network, and what should not go over it."""
    for calls in context.calls_by_source.values():
        yield from _collected_and_uploaded(calls)
    for call in context.program.calls:
        if call.name in NETWORK_CALLS or call.name in SENDS:
            url = url_of(call).text if call.name in NETWORK_CALLS else ""
            if call.name in NETWORK_CALLS:
                yield Use("network", destination_of(url), call.source.path, call.line)
            yield from _sent(call, sent_by(call), url, context)
        elif call.name in LOOKUPS:
            yield from _looked_up(call)
        elif starts_program(call):
            line = command_line(command_of(call))
            if _SENDERS.search(line):
                yield from _sent(call, command_of(call).every_label(), line, context)


def _collected_and_uploaded(calls: Sequence[Call]) -> Iterator[Seen]:
    """Logins or wallets are copied or packed, and a file is uploaded: what is in it was read before."""
    taken = {label for call in calls for label in call.result.labels if label.kind == "credential"}
    uploads = [
        call
        for call in calls
        if call.name in NETWORK_CALLS and _has_file(call) and taken.isdisjoint(sent_by(call))
    ]
    for call in uploads[:1] if taken else []:
        words = sorted(label.detail for label in taken)[0]
        message = f"`{call.name}` uploads a file after the code has taken {words}."
        yield threat(call, "credential-theft", "critical", message, REMEDY)


def _has_file(call: Call) -> bool:
    sent = [call.keywords[name] for name in ("files", "data", "content", "json") if name in call.keywords]
    parts = [part for value in sent for part in (value, *(value.items or ()))]
    return any(part.name.startswith(("open()", "pathlib.Path()")) for part in parts)


def _sent(call: Call, labels: frozenset[Label], url: str, context: Context) -> Iterator[Seen]:
    host = host_of(url)
    kind = kind_of_host(host)
    if kind in {"local", "metadata"}:
        return
    place = _WORDS.get(kind, host or "an address that is only known while it runs")
    to = f"{place} ({host})" if host and host != place else place
    for label in labels:
        severity = _weight(label, host, kind, context)
        if severity is None:
            continue
        code = "credential-theft" if label.kind in {"credential", "keystrokes"} else "data-theft"
        message = f"`{call.name}` sends {_what(label)} to {to}."
        yield threat(call, code, severity, message, REMEDY)
    secrets = {label.detail for label in labels if label.kind == "secret" and "_" in label.detail}
    if len({name.partition("_")[0] for name in secrets}) >= MANY_SECRETS and kind != "unknown":
        names = excerpt(", ".join(sorted(secrets)))
        yield threat(call, "credential-theft", "critical", f"`{call.name}` sends {names} to {to}.", REMEDY)


MANY_SECRETS = 4
_MODELS = re.compile(
    r"(?:openai|anthropic|googleapis|openrouter|mistral|groq|deepseek|cohere|azure)\.(?:com|ai)$"
)


def _weight(label: Label, host: str, kind: HostKind, context: Context) -> Severity | None:
    """How bad it is that this goes there; None when honest code does it."""
    if label.kind in {"credential", "keystrokes", "environment"}:
        return "critical"
    if label.kind == "conversation":
        return "critical" if kind in _DROPS else "medium" if _MODELS.search(host) else "high"
    if label.kind == "clipboard":
        return "critical" if kind in _DROPS else "medium"
    if label.kind == "home":
        return "critical" if kind in _DROPS else None
    if label.kind == "secret":
        return _weight_of_secret(label, host, kind, context)
    return None


def _weight_of_secret(label: Label, host: str, kind: HostKind, context: Context) -> Severity | None:
    """A skill's own key goes to its own service; another's key, or a stranger's address, is theft."""
    if kind == "chat":
        own = re.search(r"TELEGRAM|TG_|BOT|DISCORD|SLACK|WEBHOOK|CHAT|NOTIFY", label.detail, re.IGNORECASE)
        return None if own else "high"
    if kind in _DROPS:
        return None if context.documents(host) and kind == "address" else "critical"
    if _MODELS.search(host):
        # Code that can ask several models picks the key while it runs.
        return None
    owner = next((hosts for name, hosts in _OWNERS.items() if name in label.detail.upper()), None)
    if kind != "plain" or owner is None or any(part in host for part in owner) or context.documents(host):
        return None
    return "high"


# Whose key a variable holds, and what their hosts have in their names.
_OWNERS: dict[str, tuple[str, ...]] = {
    "AWS_SECRET": ("amazonaws", "aws"),
    "AWS_ACCESS": ("amazonaws", "aws"),
    "AWS_SESSION": ("amazonaws", "aws"),
    "OPENAI": ("openai", "azure"),
    "ANTHROPIC": ("anthropic", "claude"),
    "GITHUB_TOKEN": ("github",),
    "GH_TOKEN": ("github",),
    "STRIPE": ("stripe",),
    "SSH_": (),
}


def _looked_up(call: Call) -> Iterator[Seen]:
    bad = [
        label
        for label in sent_by(call)
        if label.kind in {"credential", "environment", "secret", "conversation"}
    ]
    for label in bad[:1]:
        yield threat(
            call, "data-theft", "critical",
            f"`{call.name}` puts {_what(label)} into a name that it looks up: whoever answers for the "
            f"domain reads it.",
            REMEDY,
        )  # fmt: skip


def _what(label: Label) -> str:
    return f"the secret {excerpt(label.detail)}" if label.kind == "secret" else label.detail
