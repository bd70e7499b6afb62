"""Commands that hide what they do: encoded, put together from pieces, or decoded into a shell."""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.shell.fetching import RUNNERS
from raptorflow.skills.scanning.shell.signs import Place
from raptorflow.skills.scanning.shell.words import Pipeline
from raptorflow.skills.scanning.subject import Source

_DECODERS = re.compile(
    r"\bbase64\s+(?:-\w*[dD]|--decode)|\bopenssl\s+(?:enc\s[^|]{0,80}-d|base64\s+-d)|\bxxd\s+-\w*r|"
    r"\bbase32\s+-d|"
    r"\bgunzip\b|\bgzip\s+-\w*d|\bzcat\b|\brev\b|\btr\s+['\"]?A-Za-z|\btr\s+['\"]?\[?A-Z",
)
_EVALUATED = re.compile(
    r"\b(?:eval|exec|(?:ba|z|da)?sh\s+-c|source|\.)\s+[\"']?(?:\$\(|<\(|`)[^)`]{0,4000}"
    r"(?:base64\s+(?:-\w*[dD]|--decode)|xxd\s+-\w*r|openssl\s+enc)"
)
_ENCODED = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_PIECES = re.compile(
    r"\beval\s+[\"']?(?:\$\w+){2,}|\$\{IFS\}|(?:\$\{\w+:\d+:\d+\}){3,}|\$'(?:\\x[0-9a-f]{2}){4,}", re.I
)
_IN_PYTHON = re.compile(r"python[\d.]*\s+-c\s")
REMEDY = "Write the command itself, so that a reader sees what runs."


def decode_and_run(found: Sequence[Pipeline], place: Place) -> Iterator[Seen]:
    """Encoded payloads, and what is in them."""
    for pipeline in found:
        if _into_runner(pipeline) or _EVALUATED.search(pipeline.raw):
            message = "It decodes a command and runs it."
            yield place.sign(pipeline, "encoded-payload", "critical", message, REMEDY)
            yield from _payloads(pipeline, place)
        elif _PIECES.search(pipeline.raw):
            message = "It puts a command together from pieces, which hides it from a reader."
            yield place.sign(pipeline, "hidden-command", "high", message, REMEDY)
        yield from _python(pipeline, place)


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
