"""What a script says whatever its values are: whole homes swept, bundled code unmarshalled, other indexes."""

import re
from collections.abc import Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.python.context import Context, threat_at

_UNMARSHALLED = re.compile(r"\bexec\s*\(\s*(?:marshal|pickle|dill|cloudpickle)\.loads?\s*\(")
_SWEEP = re.compile(
    r"(?:Path\.home\(\)|expanduser\(\s*[\"']~/?[\"']\s*\))[^\n]{0,80}\.r?glob\(\s*[\"'][^\"'\n]{0,60}"
    r"(?:credential|\.env|id_rsa|id_ed25519|\.ssh|wallet|\.aws|\.pem|\.key|token|secret|cookies|login)",
    re.IGNORECASE,
)
_SENDS = re.compile(
    r"\b(?:requests|httpx|session|client|aiohttp)\.(?:post|put|patch)\s*\(|\burlopen\s*\([^\n]{0,200}\bdata\s*=|"
    r"\bRequest\s*\([^\n]{0,300}\bdata\s*=|\.sendall\s*\(|\.storbinary\s*\("
)
_LOCAL = re.compile(r"https?://(?:localhost|127\.|\[::1\])")
_INDEX = re.compile(
    r"^#\s*(?:extra-)?index-url\s*=\s*\[?\s*[\"'](https?://(?!pypi\.org|download\.pytorch\.org)[^\"']{4,200})",
    re.MULTILINE,
)
REMEDY = "Read and send only what the task needs, in plain steps."


def phrases(context: Context) -> Iterator[Seen]:
    """Each phrase in each script; not in what documents quote."""
    for source in context.subject.written_in("python"):
        if source.fenced:
            continue
        text = source.text
        if found := _UNMARSHALLED.search(text):
            message = "It runs code that is bundled as bytes, which nobody can read."
            yield threat_at(source, _line(text, found), "encoded-payload", "critical", message, REMEDY)
        sweep = _SWEEP.search(text)
        if sweep and _SENDS.search(text) and not _LOCAL.search(text):
            message = "It looks through the whole home folder for keys and logins, and sends data away."
            yield threat_at(source, _line(text, sweep), "credential-theft", "critical", message, REMEDY)
        if index := _INDEX.search(text):
            message = f"It takes packages from {index[1]}, which nobody vouches for."
            remedy = "Name packages of the public index."
            yield threat_at(source, _line(text, index), "package-index", "high", message, remedy)


def _line(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1
