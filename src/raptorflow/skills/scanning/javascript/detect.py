"""JavaScript and TypeScript: what is run, what is read, and where it goes."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from raptorflow.skills.frontmatter import as_mapping
from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.hosts import destination_of, host_of, kind_of_host
from raptorflow.skills.scanning.javascript.tree import Call, Code, read
from raptorflow.skills.scanning.model import Severity, Threat, Use
from raptorflow.skills.scanning.python.context import excerpt, threat_at
from raptorflow.skills.scanning.python.sensitive import label_of_path, label_of_variable
from raptorflow.skills.scanning.subject import Source, Subject

_RUNS = re.compile(
    r"(?:^|\.)(?:exec|execSync|execFile|execFileSync|spawn|spawnSync|fork|execa|shell)$|"
    r"^\$$|Bun\.\$"
)
_EVALS = re.compile(
    r"^(?:eval|Function|setTimeout|setInterval|vm\.runIn\w+|(?:\w+\.)?runInThisContext|"
    r"new Function)$"
)
_SENDS = re.compile(
    r"(?:^|\.)(?:fetch|axios|post|put|request|sendBeacon|send|got|needle|superagent)$|^(?:https?\.(?:request|"
    r"get)|axios\.\w+|XMLHttpRequest|WebSocket|net\.connect|net\.createConnection|dns\.(?:lookup|"
    r"resolve\w*))$|^(?:req|request|r|post|call)\.(?:end|write)$"
)
_DECODES = re.compile(
    r"\batob\s*\(|['\"]base64['\"]\s*\)|String\.fromCharCode|"
    r"decodeURIComponent\s*\(\s*escape|['\"]hex['\"]\s*\)"
)
_WHOLE_ENVIRONMENT = re.compile(
    r"process(?:\.env|\[['\"]env['\"]\])(?![.\[\w])|Object\.(?:keys|entries|"
    r"assign)\([^)]{0,40}process\.env|\.\.\.process\.env"
)
_VARIABLE = re.compile(r"process\.env\.([A-Z][A-Z0-9_]{2,60})|process\.env\[['\"]([A-Z][A-Z0-9_]{2,60})")
_PATH = re.compile(r"['\"`/\s(]((?:~|\.{0,2}/|\.)?[\w./ ~-]{3,200})")
_OBFUSCATED = re.compile(r"\b_0x[0-9a-f]{3,6}\b")
_SOCKET_SHELL = re.compile(r"(?:net\.(?:connect|Socket|createConnection))", re.IGNORECASE)
_INSTALL_HOOKS = ("preinstall", "install", "postinstall", "prepare")
_SPELT = re.compile(r"(?:\\x[0-9a-f]{2}){4,}", re.IGNORECASE)
OBFUSCATED_NAMES = 8
FEW_SPELT = 3
"""Texts that are spelt in numbers, beside such names."""
REMEDY = "Send and run only what the task needs, written so that a reader sees it."


def detect(subject: Subject) -> Iterator[Seen]:
    """Signs of harm and uses of power in a skill's JavaScript, its packages and its pages."""
    for source in subject.written_in("javascript"):
        code = read(source)
        yield from _obfuscated(source)
        yield from _flows(source, code)
        if not source.fenced:
            yield from _uses(source, code)
    for source in subject.sources:
        if source.path.rpartition("/")[2] == "package.json":
            yield from _install_scripts(source)


# `pattern.exec(text)` looks for a pattern and runs nothing.
_MATCHES = re.compile(r"(?:re|regex|regexp|pattern|rx|/[gimsuy]*)\.exec$", re.IGNORECASE)
_CHAIN = re.compile(r"(?<![\w.$])[A-Za-z_$][\w$]*(?:\.[\w$]+){0,6}")


def _obfuscated(source: Source) -> Iterator[Threat]:
    names, spelt = set(_OBFUSCATED.findall(source.text)), len(_SPELT.findall(source.text))
    if len(names) >= OBFUSCATED_NAMES or (names and spelt >= FEW_SPELT):
        message = "The code was made unreadable on purpose (names such as `_0x3f2a`)."
        yield threat_at(
            source, source.first_line, "obfuscated", "high", message, "Ship the source as written."
        )


def _flows(source: Source, code: Code) -> Iterator[Seen]:
    """Names that hold secrets or decoded text, followed through assignments to what sends or runs them."""
    stolen, decoded, fetched = _holders(code)
    hosts = {
        name: host for one in code.assignments for name in one.names if (host := host_of(one.value[:300]))
    }
    for call in code.calls:
        text = f"{call.name}{call.arguments}"
        if (_EVALS.search(call.name) or _RUNS.search(call.name)) and not _MATCHES.search(call.name):
            yield from _run(source, call, decoded, fetched)
        if _SENDS.search(call.name):
            yield from _sent(source, call, stolen, hosts)
        if _SOCKET_SHELL.search(text) and re.search(r"spawn|exec|/bin/(?:ba)?sh|cmd\.exe", source.text):
            message = "It connects a shell to another machine."
            weight: Severity = (
                "critical" if re.search(r"\.pipe\(\s*\w+\.stdin|stdout\.pipe", source.text) else "medium"
            )
            yield threat_at(source, call.line, "reverse-shell", weight, message, "Take it out.")


def _holders(code: Code) -> tuple[dict[str, str], set[str], set[str]]:
    """Names by what they hold: something stolen (and what), decoded text, and what the network answered."""
    stolen: dict[str, str] = {}
    decoded: set[str] = set()
    fetched: set[str] = set()
    for _ in range(3):
        for assignment in code.assignments:
            value = assignment.value
            what = _secret_in(value) or _held(value, stolen)
            for name in assignment.names:
                if what:
                    stolen.setdefault(name, what)
                if _DECODES.search(value) or _has_one(value, decoded):
                    decoded.add(name)
                if re.search(r"\bfetch\s*\(|axios|https?\.get\(", value) or _has_one(value, fetched):
                    fetched.add(name)
    return stolen, decoded, fetched


def _secret_in(text: str) -> str | None:
    """What is read in an expression that should not leave."""
    if _WHOLE_ENVIRONMENT.search(text):
        return "the whole environment"
    joined = re.sub(r"['\"`]\s*,\s*['\"`]", "/", text)
    labels = [label_of_path(path.strip()) for path in _PATH.findall(joined)]
    return next(
        (label.detail for label in labels if label and label.kind in {"credential", "conversation"}), None
    )


@lru_cache(maxsize=8192)
def _names_in(text: str) -> frozenset[str]:
    """The names that an expression uses: of `a.b.c`, `a`, `a.b` and `a.b.c`."""
    found: set[str] = set()
    for chain in _CHAIN.findall(text):
        parts = chain.split(".")
        found.update(".".join(parts[: length + 1]) for length in range(len(parts)))
    return frozenset(name for name in found if len(name) > 1)


def _has_one(text: str, names: set[str]) -> bool:
    return not _names_in(text).isdisjoint(names)


def _held(text: str, told: Mapping[str, str]) -> str | None:
    """What one of the names that an expression uses holds."""
    return next((told[name] for name in sorted(_names_in(text)) if name in told), None)


def _run(source: Source, call: Call, decoded: set[str], fetched: set[str]) -> Iterator[Seen]:
    timer = call.name in {"setTimeout", "setInterval"}
    if _DECODES.search(call.arguments) or _has_one(call.arguments, decoded):
        if not timer:
            message = f"`{call.name}` runs what was encoded before (`{excerpt(call.arguments)}`)."
            yield threat_at(source, call.line, "encoded-payload", "critical", message, REMEDY)
            yield from _payloads(source, call)
    elif not timer and (_has_one(call.arguments, fetched) or "fetch(" in call.arguments):
        message = f"`{call.name}` runs what the network answered."
        weight: Severity = "critical" if _EVALS.search(call.name) else "medium"
        yield threat_at(source, call.line, "fetch-and-run", weight, message, REMEDY)
    if _RUNS.search(call.name) and (command := re.match(r"\(\s*[\"'`]([^\"'`]{6,1500})", call.arguments)):
        yield Source(source.path, "shell", command[1], call.line, source.fenced)


def _payloads(source: Source, call: Call) -> Iterator[Source]:
    for found in re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", call.arguments)[:3]:
        try:
            text = base64.b64decode(found + "=" * (-len(found) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            continue
        yield Source(source.path, "javascript", text, call.line)
        yield Source(source.path, "shell", text, call.line)


def _sent(source: Source, call: Call, stolen: dict[str, str], hosts: dict[str, str]) -> Iterator[Threat]:
    host = host_of(call.arguments) or (_held(call.arguments, hosts) or "")
    kind = kind_of_host(host)
    if kind == "local":
        return
    what = _secret_in(call.arguments) or _held(call.arguments, stolen)
    where = host or "an address that is only known while it runs"
    if what:
        message = f"`{call.name}` sends {what} to {where}."
        yield threat_at(source, call.line, "credential-theft", "critical", message, REMEDY)
    elif kind in {"catcher", "paste", "onion", "address", "tunnel"} and not source.fenced:
        message = f"`{call.name}` talks to {where}, where nobody can tell who listens."
        weight: Severity = "critical" if kind in {"catcher", "onion"} else "high"
        yield threat_at(source, call.line, "data-theft", weight, message, REMEDY)


def _uses(source: Source, code: Code) -> Iterator[Use]:
    for call in code.calls:
        if _RUNS.search(call.name):
            yield Use("process", call.name, source.path, call.line)
        if _SENDS.search(call.name):
            yield Use("network", destination_of(call.arguments), source.path, call.line)
    for one, other in set(_VARIABLE.findall(source.text)):
        name = one or other
        kind = "secret" if label_of_variable(name) else "environment"
        yield Use(kind, name, source.path, source.first_line)


def _install_scripts(source: Source) -> Iterator[Seen]:
    try:
        document = as_mapping(json.loads(source.text)) or {}
    except (ValueError, RecursionError):
        return
    scripts = as_mapping(document.get("scripts")) or {}
    for hook in _INSTALL_HOOKS:
        command = str(scripts.get(hook) or "")
        if not command:
            continue
        line = next((n for n, text in enumerate(source.text.split("\n"), 1) if f'"{hook}"' in text), 1)
        grave = re.search(r"curl|wget|http|base64|eval|node\s+-e|\bsh\b|powershell", command)
        message = f"`{hook}` runs `{excerpt(command)}` when the package is only installed."
        reaches = re.search(r"https?[:'\"]|curl|wget", command)
        runs = re.search(r"eval|\bsh\b|exec|\|", command)
        weight: Severity = "critical" if reaches and runs else "high" if grave else "low"
        yield threat_at(source, line, "install-script", weight, message, "Run nothing at installation.")
        yield Source(source.path, "shell", command, line)
