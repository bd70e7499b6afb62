"""Files that code writes and deletes: places that start programs, and places that are not the skill's."""

import re
from collections.abc import Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.model import Severity, Use
from raptorflow.skills.scanning.python.context import Context, excerpt, threat
from raptorflow.skills.scanning.python.models import PATH
from raptorflow.skills.scanning.python.program import Call
from raptorflow.skills.scanning.python.sensitive import label_of_path
from raptorflow.skills.scanning.python.value import HOLE, Value

_PLACES: tuple[tuple[str, Severity, str, re.Pattern[str]], ...] = (
    ("persistence", "critical", "lets a stranger's key log in", re.compile(
        r"\.ssh[/\\](?:authorized_keys|rc$)")),
    ("persistence", "high", "is loaded into every program", re.compile(
        r"/etc/ld\.so\.preload|sitecustomize\.py$|usercustomize\.py$|site-packages[/\\][^/\\]*\.pth$")),
    ("persistence", "high", "runs by itself at every start", re.compile(
        r"LaunchAgents|LaunchDaemons|systemd[/\\](?:user|system)[/\\][^/\\]*(?:\.(?:service|timer|path|"
        r"socket)|\ufffc)$|Start Menu[/\\]Programs[/\\]Startup|"
        r"\.config[/\\]autostart|/etc/(?:cron|init\.d|rc\.local|profile)|/var/spool/cron|CurrentVersion\\\\?Run")),
    ("persistence", "high", "runs in every new shell", re.compile(
        r"(?:^|[/\\])\.(?:bashrc|zshrc|profile|bash_profile|zprofile|zshenv|bash_login)$|config\.fish$")),
    ("persistence", "medium", "runs at every step of git", re.compile(r"\.git[/\\]hooks[/\\]")),
    ("agent-settings", "high", "changes what the agent is allowed to do and does", re.compile(
        r"\.claude[/\\](?:settings(?:\.local)?\.json|CLAUDE\.md|hooks)|~[/\\]\.claude\.json|claude_desktop_config\.json|"
        r"\.cursor[/\\](?:mcp\.json|rules)|\.codex[/\\](?:config|AGENTS)|\.gemini[/\\]settings|"
        r"\.(?:openclaw|clawdbot|moltbot)[/\\](?:openclaw|clawdbot|moltbot)\.json|\.(?:vscode|config[/\\]Code)[/\\].{0,40}mcp\.json")),
    ("agent-settings", "medium", "is read by the agent as its own memory", re.compile(
        r"(?:^|[/\\])(?:SOUL|IDENTITY|HEARTBEAT)\.md$")),
)  # fmt: skip
_UNLEASHED = re.compile(
    r"bypassPermissions|dangerously[-_]?skip[-_]?permissions|\"command\": *\"(?:curl|wget|bash|sh) "
)
_WRITES = re.compile(
    r"^(?:open|codecs\.open|pathlib\.Path\(\)\.(?:write_text|write_bytes|open|symlink_to|touch)|shutil\.(?:copy|copy2|copyfile|move)|"
    r"os\.(?:symlink|rename|replace|link))$"
)
_TO_SECOND = re.compile(r"^(?:shutil\.(?:copy|move)|os\.(?:symlink|rename|replace|link)$)")
_DELETES = re.compile(
    r"^(?:shutil\.rmtree|os\.(?:remove|unlink|rmdir|removedirs|truncate)|pathlib\.Path\(\)\.(?:unlink|rmdir))$"
)
_EVERYTHING = re.compile(
    r"^(?:~|/|/(?:home|Users|root|etc|usr|var|bin|System)|[A-Za-z]:[/\\]?|\$HOME)[/\\]?\*{0,2}$"
)
_OUTSIDE = re.compile(r"^(?:~|/(?!tmp(?:/|$)|dev/(?:null|std)|proc/self)|[A-Za-z]:[/\\])")
_READS = re.compile(r"^(?:open|pathlib\.Path\(\)\.(?:read_text|read_bytes|open))$")
_REGISTRY = frozenset(("winreg.SetValueEx", "_winreg.SetValueEx"))
_ENCRYPTS = re.compile(
    r"(?:Fernet\(\)\.encrypt|AES\.new\(\)\.encrypt|\.encryptor\(\)\.update|ChaCha20\w*\.new\(\)\.encrypt)$"
)
PERSISTENCE_REMEDY = "Leave it to the user to install what should stay, and say in SKILL.md how."


def files(context: Context) -> Iterator[Seen]:
    """What is written and deleted."""
    for call in context.program.calls:
        if _WRITES.match(call.name) and _is_write(call):
            yield from _written(call, context)
        if _DELETES.match(call.name):
            yield from _deleted(call)
        if _READS.match(call.name):
            yield from _outside(call)
        if call.name in _REGISTRY:
            yield threat(
                call, "persistence", "high",
                "The Windows registry is written, where programs start by themselves.",
                PERSISTENCE_REMEDY,
            )  # fmt: skip
    yield from _ransom(context)


def _target(call: Call) -> Value:
    if call.name.startswith(PATH):
        return call.receiver
    if _TO_SECOND.match(call.name):
        return call.argument(1, "dst")
    return call.argument(0, "file", "path")


def _is_write(call: Call) -> bool:
    if call.name in {"open", "codecs.open"}:
        return bool(set(call.argument(1, "mode").text) & set("wax+"))
    if call.name == f"{PATH}.open":
        return bool(set(call.argument(0, "mode").text) & set("wax+"))
    return True


def _written(call: Call, context: Context) -> Iterator[Seen]:
    for text in _target(call).texts:
        if _OUTSIDE.match(text):
            yield Use("file-outside", excerpt(text), call.source.path, call.line)
        for code, severity, words, pattern in _PLACES:
            if pattern.search(text):
                told = severity == "high" and context.tells_of(text)
                if code == "agent-settings" and _UNLEASHED.search(call.source.text):
                    message = f"`{call.name}` writes {excerpt(text)}, and lets the agent act without asking."
                    yield threat(call, code, "critical", message, PERSISTENCE_REMEDY)
                message = f"`{call.name}` writes {excerpt(text)}, which {words}."
                yield threat(call, code, "medium" if told else severity, message, PERSISTENCE_REMEDY)


def _deleted(call: Call) -> Iterator[Seen]:
    target = _target(call)
    for text in target.texts:
        if _EVERYTHING.match(text):
            yield threat(
                call, "destructive", "critical", f"`{call.name}` deletes {excerpt(text)} and what is in it.",
                "Delete only what the skill has made, in a folder of its own.",
            )  # fmt: skip
        elif _OUTSIDE.match(text):
            yield Use("file-outside", excerpt(text), call.source.path, call.line)
    if target.has("home"):
        yield threat(
            call, "destructive", "critical",
                f"`{call.name}` deletes what it finds in the user's home "
                f"folder.",
            "Delete only what the skill has made, in a folder of its own.",
        )  # fmt: skip


def _outside(call: Call) -> Iterator[Seen]:
    for text in _target(call).texts:
        if _OUTSIDE.match(text) or (label_of_path(text) and text != HOLE):
            yield Use("file-outside", excerpt(text), call.source.path, call.line)


def _ransom(context: Context) -> Iterator[Seen]:
    """Everything in the home folder is encrypted, and the originals are overwritten or deleted."""
    for calls in context.calls_by_source.values():
        encrypts = next((call for call in calls if _ENCRYPTS.search(call.name)), None)
        sweeps = any(call.result.has("home") for call in calls)
        ends = any(
            _DELETES.match(call.name) or (_WRITES.match(call.name) and _is_write(call)) for call in calls
        )
        if encrypts and sweeps and ends:
            yield threat(
                encrypts, "destructive", "critical",
                "It encrypts what it finds in the user's home folder and replaces the originals.",
                "Leave it out.",
            )  # fmt: skip
