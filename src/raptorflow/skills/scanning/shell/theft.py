"""Credentials, wallets and conversations that a shell command reads, and where they go."""

import re
from collections.abc import Iterator, Sequence

from raptorflow.skills.scanning.hosts import HostKind, host_of, kind_of_host
from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.python.sensitive import label_of_path
from raptorflow.skills.scanning.python.value import Label
from raptorflow.skills.scanning.shell.signs import Place
from raptorflow.skills.scanning.shell.words import Pipeline

_SENDERS = {
    "curl",
    "wget",
    "nc",
    "ncat",
    "netcat",
    "scp",
    "rsync",
    "ftp",
    "sftp",
    "http",
    "rclone",
    "socat",
    "telnet",
}
_READERS = {
    *(
        "cat",
        "tar",
        "zip",
        "cp",
        "base64",
        "head",
        "tail",
        "less",
        "xxd",
        "gzip",
        "find",
        "grep",
        "ls",
        "strings",
    ),
    *("rsync", "scp", "openssl", "awk", "sed", "security", "sqlite3", "tee", "mv", "7z", "gpg", "ditto"),
}
_LOOKUPS = {"dig", "nslookup", "host", "ping"}
_BODY = re.compile(
    r"(?:-d|--data(?:-binary|-raw|-urlencode)?|-F|--form|-T|--upload-file|--post-data|--post-file|"
    r"--body-data)[= ]?[\"']?[^\s]{0,200}(?:@[~/.\w-]|\$\(|`|\$\w)"
)
_EVERYTHING = re.compile(r"(?:^|[\s|$(`])(?:env|printenv|export\s+-p|set)(?:\s*[|)`]|\s+>|$)")
_LOOKUP = re.compile(r"\b(?:dig|nslookup|host|ping)\b[^|;\n]{0,200}(?:\$\(|`|\$\w+\.)")
_KEYCHAIN = re.compile(
    r"security\s+(?:dump-keychain|find-(?:generic|internet)-password\s[^|]{0,120}-g?w)|\bsecretsdump\b|"
    r"mimikatz"
)
_DIALOG = re.compile(r"osascript[^\n]{0,400}(?:hidden answer|password)", re.IGNORECASE)
_PHRASE = re.compile(
    r"\$\{?\w*(?:PHRASE|MNEMONIC|SEED|PRIVATE_KEY)\b|\b(?:mnemonic|seed_?phrase)=", re.IGNORECASE
)
_DROPS: set[HostKind] = {"catcher", "tunnel", "paste", "chat", "address", "onion"}
REMEDY = "Read and send only what the task needs, to the service that the skill names."


def theft(found: Sequence[Pipeline], place: Place) -> Iterator[Threat]:
    """What is read that should not be, and sent where it should not go."""
    read: dict[str, Pipeline] = {}
    for pipeline in found:
        labels = _labels(pipeline)
        read.update({label.detail: pipeline for label in labels if label.kind == "credential"})
        looks_up = any(command.program in _LOOKUPS for command in pipeline.commands)
        if looks_up and _LOOKUP.search(pipeline.raw) and not place.source.fenced:
            message = "It sends data out in names that it looks up."
            weight: Severity = "critical" if read else "high"
            yield place.sign(pipeline, "data-theft", weight, message, REMEDY)
        if _DIALOG.search(pipeline.raw):
            message = "It asks for a password in a window of its own."
            yield place.sign(pipeline, "credential-theft", "critical", message, REMEDY)
        if _sends(pipeline):
            yield from _sent(pipeline, labels, read, place)
        elif labels or _KEYCHAIN.search(pipeline.raw):
            yield from _only_read(pipeline, labels, place)


def _labels(pipeline: Pipeline) -> list[Label]:
    words = [
        part.strip("\"'@()`$,;")
        for command in pipeline.commands
        for word in (*command.words, *command.redirects)
        for part in re.split(r"[\s=@:]", word)
    ]
    found = [label_of_path(word) for word in words if "/" in word or word.startswith(("~", ".env", "id_"))]
    return [label for label in found if label]


def _sends(pipeline: Pipeline) -> bool:
    return any(command.program in _SENDERS for command in pipeline.commands) or "/dev/tcp/" in pipeline.raw


def _sent(
    pipeline: Pipeline, labels: list[Label], read: dict[str, Pipeline], place: Place
) -> Iterator[Threat]:
    host = host_of(pipeline.raw)
    kind = kind_of_host(host)
    # What stands behind the sender in a pipe reads its answer; what stands before it is what is sent.
    is_fed = len(pipeline.commands) > 1 and pipeline.commands[0].program not in _SENDERS
    carries = bool(_BODY.search(pipeline.text)) or is_fed or "-T" in pipeline.text
    if kind == "local":
        return
    where = host or "an address that is only known while it runs"
    if labels and carries:
        told = labels[0]
        code = "credential-theft" if told.kind == "credential" else "data-theft"
        weight: Severity = "critical" if told.kind != "secret" or kind in _DROPS else "high"
        yield place.sign(pipeline, code, weight, f"It sends {told.detail} to {where}.", REMEDY)
    elif carries and _EVERYTHING.search(pipeline.raw):
        message = f"It sends the whole environment, secrets included, to {where}."
        yield place.sign(pipeline, "credential-theft", "critical", message, REMEDY)
    elif _PHRASE.search(pipeline.raw):
        message = f"It sends what opens a wallet to {where}."
        yield place.sign(pipeline, "credential-theft", "high", message, REMEDY)
    elif carries and kind in _DROPS - {"chat"}:
        message = f"It sends data to {where}, where nobody can tell who reads it."
        yield place.sign(pipeline, "data-theft", "high", message, REMEDY)
    elif read and _BODY.search(pipeline.text) and not place.source.fenced:
        what = next(iter(read))
        yield place.sign(
            pipeline, "credential-theft", "critical", f"It reads {what} and sends data to {where}.", REMEDY
        )


def _only_read(pipeline: Pipeline, labels: list[Label], place: Place) -> Iterator[Threat]:
    """Reading alone is what a key's owner does too; in a script it is worth a look."""
    credential = next((label for label in labels if label.kind == "credential"), None)
    public = ".pub" in pipeline.raw or "known_hosts" in pipeline.raw
    reads = any(command.program in _READERS for command in pipeline.commands)
    if _KEYCHAIN.search(pipeline.raw):
        dumps = "dump-keychain" in pipeline.raw or "mimikatz" in pipeline.raw or "secretsdump" in pipeline.raw
        message = "It takes passwords out of the system's keychain."
        yield place.sign(pipeline, "credential-read", "high" if dumps else "low", message, REMEDY)
    elif credential and reads and not public:
        weight: Severity = "medium" if not place.source.fenced else "low"
        yield place.sign(pipeline, "credential-read", weight, f"It reads {credential.detail}.", REMEDY)
