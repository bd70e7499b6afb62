"""Texts inside of other files: in zips (office documents are some), and commands in settings and data."""

import re
from collections.abc import Iterator
from itertools import islice

from raptorflow.skills.archive import DAMAGE
from raptorflow.skills.containers.entry import ArchiveLimits
from raptorflow.skills.containers.zips import zip_entries
from raptorflow.skills.errors import ArchiveRefused
from raptorflow.skills.scanning.intake import decoded
from raptorflow.skills.scanning.languages import language_of, language_of_block
from raptorflow.skills.scanning.model import Threat
from raptorflow.skills.scanning.python.context import excerpt, threat_at
from raptorflow.skills.scanning.subject import Source
from raptorflow.skills.text import printable

LIMITS = ArchiveLimits(
    archive_bytes=8 * 1024 * 1024, file_bytes=1024 * 1024, total_bytes=8 * 1024 * 1024, files=300
)
MOST_COMMANDS = 100
# What office documents consist of.
_PARTS = re.compile(r"\.(?:xml|rels|vml|bin|jpe?g|png|gif|emf|wmf|svg|odttf|fntdata)$", re.IGNORECASE)
_QUOTED = re.compile(
    r"\"((?:[^\"\\\n]|\\.){12,2000})\"|'([^'\n]{12,2000})'|`([^`\n]{12,2000})`|q\{([^\n]{12,2000})\}"
)
_COMMANDS = re.compile(
    r"\b(?:curl|wget|nc|ncat|bash|base64|eval|crontab|shred|osascript|powershell)\s|/dev/tcp/|\brm\s+-"
)
_ESCAPED = re.compile(r"\\([\"\\$`/])")
_CALLS = re.compile(
    r"__import__\s*\(|\bos\.(?:popen|system)\s*\(\s*['\"]|require\(['\"]child_process|"
    r"\bexec\s*\(\s*(?:base64|bytes|compile)"
)
_DATA = re.compile(r"\.(?:json|jsonl|ya?ml|toml|csv|tsv|txt|ini|cfg|xml|svg|env|properties)$", re.IGNORECASE)


def unzipped(path: str, content: bytes) -> Iterator[Source | Threat]:
    """The texts of a zip that a reader of the skill would not come upon; a sign when not all can be read."""
    try:
        for entry in zip_entries(content, LIMITS):
            text = None if _PARTS.search(entry.path) else decoded(entry.content)
            if text is None:
                continue
            language = language_of(entry.path, text)
            if language == "text":
                language = language_of_block("", text)
            yield Source(f"{path}!{entry.path}", language, text)
    except (*DAMAGE, ArchiveRefused, RuntimeError) as error:
        message = f"The archive cannot be read to its end ({printable(str(error))[:100]})."
        whole = Source(path, "text", "")
        yield threat_at(whole, 1, "unread", "medium", message, "Ship the files themselves.")


def commands(source: Source) -> Iterator[Source]:
    """The commands that settings, data and code of any language hold as texts."""
    if not _COMMANDS.search(source.text):
        return
    for found in islice(_QUOTED.finditer(source.text), MOST_COMMANDS):
        text = next(part for part in found.groups() if part)
        # What begins with a pipe is a part of one: rules look for such texts.
        if _COMMANDS.search(text) and text[0] != "|":
            line = source.first_line + source.text.count("\n", 0, found.start())
            yield Source(source.path, "shell", _ESCAPED.sub(r"\1", text), line, source.fenced)


def code_in_data(source: Source) -> Iterator[Threat]:
    """Calls that start programs, where only data should be."""
    found = _CALLS.search(source.text) if _DATA.search(source.path) else None
    if found:
        line = source.first_line + source.text.count("\n", 0, found.start())
        message = f"Data holds code that starts programs: `{excerpt(source.text[found.start() :])}`."
        yield threat_at(source, line, "hidden-command", "high", message, "Keep code in files of code.")
