"""Commands that hide what they do: encoded, put together from pieces, or decoded into a shell."""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.model import Severity
from raptorflow.skills.scanning.shell.fetching import RUNNERS
from raptorflow.skills.scanning.shell.signs import Place
from raptorflow.skills.scanning.shell.words import MAX_SOURCE, Pipeline
from raptorflow.skills.scanning.subject import Source

_DECODERS = re.compile(
    r"\bbase64\s+(?:-\w*[dD]|--decode)|\bopenssl\s+(?:enc\s[^|]{0,80}-d|base64\s+-d)|\bxxd\s+-\w*r|"
    r"\bbase32\s+-d|\bgunzip\b|\bgzip\s+-\w*d|\bzcat\b|\brev\b|\btr\s+['\"]?A-Za-z|\btr\s+['\"]?\[?A-Z",
)
_EVALUATED = re.compile(
    r"\b(?:eval|exec|(?:ba|z|da)?sh\s+-c|source|\.)\s+[\"']?(?:\$\(|<\(|`)[^)`]{0,4000}"
    r"(?:base64\s+(?:-\w*[dD]|--decode)|xxd\s+-\w*r|openssl\s+enc)"
)
# Characters spelt as numbers, and a command that is nothing but a variable.
_SPELT = re.compile(r"\b(?:printf|echo\s+-e)\s+[\"']?(?:\\\\?(?:x[0-9a-f]{2}|0?[0-7]{3})){8,}", re.IGNORECASE)
_VARIABLE_RUN = re.compile(r"^\s*\$\{?\w+\}?\s*\|\s*(?:/\S{0,20}/)?(?:ba|z|da)?sh\b", re.MULTILINE)
_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?[^\n]*\n(.{20,20000}?)\n\s*\1\s*$", re.DOTALL | re.MULTILINE)
_TO_SHELL = re.compile(r"\b(?:ba|z|k|da)?sh\b[^\n]*$")
_ENCODED = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_PIECES = re.compile(
    r"\beval\s+[\"']?(?:\$\w+){2,}|\$\{IFS\}|(?:\$\{\w+:\d+:\d+\}){3,}|\$'(?:\\x[0-9a-f]{2}){4,}", re.I
)
_IN_PYTHON = re.compile(r"python[\d.]*\s+-c\s")
REMEDY = "Write the command itself, so that a reader sees what runs."


def decode_and_run(found: Sequence[Pipeline], place: Place) -> Iterator[Seen]:
    """Encoded payloads, and what is in them."""
    yield from _written(place)
    if _SPELT.search(place.source.text) and found:
        message = "It spells a command in numbers, so that nobody reads it."
        weight: Severity = "critical" if _VARIABLE_RUN.search(place.source.text) else "high"
        yield place.sign(found[0], "hidden-command", weight, message, REMEDY)
    for pipeline in found:
        if _into_runner(pipeline) or _EVALUATED.search(pipeline.raw):
            message = "It decodes a command and runs it."
            yield place.sign(pipeline, "encoded-payload", "critical", message, REMEDY)
            yield from _payloads(pipeline, place)
        elif _PIECES.search(pipeline.raw):
            message = "It puts a command together from pieces, which hides it from a reader."
            yield place.sign(pipeline, "hidden-command", "high", message, REMEDY)
        yield from _python(pipeline, place)


def _written(place: Place) -> Iterator[Source]:
    """Scripts that a script writes: what stands in a here-document is read as well."""
    if place.source.fenced or "<<" not in place.source.text:
        return
    for found in _HEREDOC.finditer(place.source.text[:MAX_SOURCE]):
        begins = place.source.text[: found.start()].rpartition("\n")[2]
        has_shebang = found[2].lstrip().startswith("#!") and "sh" in found[2].lstrip().split("\n", 1)[0]
        if has_shebang or _TO_SHELL.search(begins):
            line = place.source.first_line + place.source.text.count("\n", 0, found.start(2))
            yield Source(place.source.path, "shell", found[2], line)


def _into_runner(pipeline: Pipeline) -> bool:
    decoded = False
    for command in pipeline.commands:
        if decoded and RUNNERS.fullmatch(command.program) and "-c" not in command.words:
            return True
        decoded = decoded or bool(_DECODERS.search(command.line))
    return False


def _payloads(pipeline: Pipeline, place: Place) -> Iterator[Source]:
    for found in _ENCODED.findall(pipeline.raw)[:5]:
        try:
            text = base64.b64decode(found + "=" * (-len(found) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            continue
        if text.isprintable() or "\n" in text:
            yield Source(place.source.path, "shell", text, pipeline.line)


def _python(pipeline: Pipeline, place: Place) -> Iterator[Source]:
    """`python -c "…"`: the rules of Python read it."""
    for command in pipeline.commands:
        words = command.words
        if "-c" in words[1:3] and _IN_PYTHON.search(command.line):
            code = words[words.index("-c") + 1 : words.index("-c") + 2]
            if code and len(code[0]) > 20:
                yield Source(place.source.path, "python", code[0], pipeline.line, place.source.fenced)
