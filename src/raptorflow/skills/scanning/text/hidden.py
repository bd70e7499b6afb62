"""Text that a reader does not see and a model does."""

import re
from collections.abc import Iterator

from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.python.context import excerpt, threat_at
from raptorflow.skills.scanning.subject import Source, Subject

_TAGS = re.compile("[\U000e0020-\U000e007f]{3,}")
# A flag of England, Scotland or Wales is a black flag with tags behind it.
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]{1,7}")
_NOTHING = re.compile(
    "[\u200b\u200c\u2060\u2062\u2063\u2064\ufeff\u180e]{6,}|(?:[\u200b\u2060\u2063].?){12,}"
)
_TURNED = re.compile("[\u202d\u202e]")
_SELECTORS = re.compile("[\U000e0100-\U000e01ef\ufe00-\ufe0e]{4,}")
FAR = 150
MAX_SAID = 2000
_CALL = re.compile(r"[\w\])]\(|;\s*\w|\|\s*\w")
_FAR = re.compile(r"[ \t\u00a0\u3000]{150,}")
_LEAST_SAID = 9
_INVISIBLE_STYLE = re.compile(
    r"<(\w+)[^>]{0,300}(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|"
    r"opacity\s*:\s*0(?:[;\"' ]|\.0)|(?:^|[\s;\"'])color\s*:\s*(?:white|#fff(?:fff)?|transparent|"
    r"rgba?\(\s*255\s*,\s*255\s*,\s*255)|color\s*=\s*[\"']?(?:white|#fff(?:fff)?)|left\s*:\s*-\d{3,}|"
    r"text-indent\s*:\s*-\d{3,})[^>]{0,300}>([^<]{12,2000})",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--(.{12,4000}?)-->|^\[//\]: # \(([^\n]{12,2000})\)", re.DOTALL | re.MULTILINE)
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|override|do not (?:tell|mention|reveal|show)|don't (?:tell|mention|reveal)|"
    r"secretly|silently|without (?:telling|asking|informing)|(?:you|the (?:agent|assistant|model|"
    r"ai)) (?:must|should|will|are to|has to)|(?:ai|llm|agent|assistant|claude|model|"
    r"system)(?: instructions?| note| directive)?\s*:|send (?:it|the|all|any)|exfiltrat\w*|upload (?:it|the|"
    r"all)|(?:run|execute|fetch|curl|post) (?:the following|this|it|http|to|`|curl)|system prompt|"
    r"previous instructions|api[_ ]keys?|credentials|\.env\b|~/\.)",
    re.IGNORECASE,
)
_GRAVE = re.compile(
    r"\b(?:ignore|disregard|override)\b[^.\n]{0,40}(?:instruction|rule|prompt)|\b(?:secretly|silently)\b|"
    r"exfiltrat|\b(?:send|upload|post|forward)\b[^.\n]{0,80}(?:https?://|webhook|\bto\b \S+@)|system prompt|"
    r"api[_ ]keys?|credentials|\.env\b|~/\.|do not (?:tell|mention|reveal)|without (?:telling|asking|"
    r"informing)|curl\s|wget\s",
    re.IGNORECASE,
)
REMEDY = "Write what you mean where a reader sees it, and take the rest out."


def hidden(subject: Subject) -> Iterator[Threat]:
    """Characters and styles that hide what is said."""
    for source in subject.sources:
        if source.fenced:
            continue
        text = source.text
        if not text.isascii():
            yield from _characters(source)
        if "  " in text or "\t" in text or "\u00a0" in text:
            yield from _padding(source)
        if "<" in text or "[//]" in text:
            yield from _markup(source)


def _characters(source: Source) -> Iterator[Threat]:
    text = _FLAG.sub("", source.text)
    if found := _TAGS.search(text):
        said = "".join(chr(ord(character) - 0xE0000) for character in found[0])
        message = f"Invisible tag characters spell “{excerpt(said)}”."
        yield _at(source, text, found.start(), "hidden-text", "critical", message)
    if found := _NOTHING.search(text):
        message = f"{len(found[0])} characters without width carry something that no reader sees."
        yield _at(source, text, found.start(), "hidden-text", "critical", message)
    if found := _SELECTORS.search(text):
        message = "A run of variation selectors carries something that no reader sees."
        yield _at(source, text, found.start(), "hidden-text", "critical", message)
    if found := _TURNED.search(text):
        message = "It turns the direction of reading, so that a reader sees other text than what runs."
        yield _at(source, text, found.start(), "hidden-text", "high", message)


def _padding(source: Source) -> Iterator[Threat]:
    for number, line in enumerate(source.text.split("\n"), source.first_line):
        found = _FAR.search(line.rstrip()) if len(line) > FAR else None
        said = line[found.end() :].strip()[:MAX_SAID] if found else ""
        orders = len(said) >= _LEAST_SAID and bool(_ORDERS.search(said))
        if orders or (len(said) >= _LEAST_SAID and source.language != "markdown"):
            is_code = source.language != "text" and _CALL.search(said)
            weight: Severity = "high" if orders or is_code else "medium"
            message = f"Text stands far to the right, where nobody scrolls: “{excerpt(said)}”."
            yield threat_at(source, number, "hidden-text", weight, message, REMEDY)
            return


def _markup(source: Source) -> Iterator[Threat]:
    if source.language not in {"markdown", "text"}:
        return
    for found in _INVISIBLE_STYLE.finditer(source.text):
        line = source.text[source.text.rfind("\n", 0, found.start()) + 1 : found.start()]
        # In a code span it is shown as it is written.
        if found[2].strip() and line.count("`") % 2 == 0:
            weight: Severity = "critical" if _ORDERS.search(found[2]) else "medium"
            message = f"A style hides “{excerpt(found[2].strip())}”."
            yield _at(source, source.text, found.start(), "hidden-text", weight, message)
    if source.language != "markdown":
        return
    for found in _COMMENT.finditer(source.text):
        said = (found[1] or found[2]).strip()
        if _GRAVE.search(said):
            weight: Severity = "high" if len(_ORDERS.findall(said)) > 1 else "medium"
            message = f"A comment that readers do not see gives orders: “{excerpt(said)}”."
            yield _at(source, source.text, found.start(), "hidden-instructions", weight, message)


def _at(source: Source, text: str, place: int, code: str, severity: Severity, message: str) -> Threat:
    line = source.first_line + text.count("\n", 0, place)
    return threat_at(source, line, code, severity, message, REMEDY)
