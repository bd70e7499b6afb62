"""False prerequisites: a download or a command that the reader is to run before the skill “works”."""

import re
from collections.abc import Iterator

from raptorflow.skills.scanning.hosts import host_of, kind_of_host
from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.text.pages import Line, Page

_URL = re.compile(r"https?://[^\s\"'<>)\]`]{4,400}")
_BINARY = re.compile(
    r"\.(?:exe|msi|dmg|pkg|scr|bat|cmd|ps1|vbs|jar|apk|appimage|deb|rpm|zip|rar|7z|iso|"
    r"hta|lnk)(?:$|[?#])",
    re.I,
)
_ARCHIVE = re.compile(r"\.(?:zip|rar|7z|iso)\b|\barchive\b", re.IGNORECASE)
_PASSWORD = re.compile(
    r"\bpass(?:word|phrase|code)\b[*_`\s]*(?:is|:|=|for (?:the )?(?:archive|zip)\s*(?:is|"
    r":))\s*[\"'`*(]{0,3}\S{3,}|(?:extract|unzip|open|unpack|decompress)\w*\b[^.\n]{0,80}\bpass(?:word|code|"
    r"phrase)\b",
    re.IGNORECASE,
)
_MUST = re.compile(
    r"\b(?:must|need(?:s|ed)? to|required?|requires?|prerequisite\w*|before (?:using|you (?:start|begin|use)|"
    r"first use)|won'?t work|will not work|does not work|cannot (?:work|function|run)|only works|important|"
    r"mandatory|in order to|first,? (?:download|install|run)|step 1|setup)\b",
    re.IGNORECASE,
)
_ACT = re.compile(
    r"\b(?:download|install|run|execute|copy|paste|open|launch|visit|go to|get|grab|"
    r"double-click)\b",
    re.IGNORECASE,
)
_TERMINAL = re.compile(
    r"\b(?:copy|paste|run|execute|enter|type)\b[^.\n]{0,80}\b(?:in(?:to|side)?|on|from|with|"
    r"using)\b[^.\n]{0,30}\b(?:terminal|powershell|command prompt|cmd|console|shell|run dialog)",
    re.IGNORECASE,
)
_SHORTENED = re.compile(
    r"^(?:bit\.ly|tinyurl\.com|t\.co|is\.gd|cutt\.ly|rebrand\.ly|shorturl\.at|goo\.gl|ow\.ly|rb\.gy|"
    r"t\.ly|s\.id|tiny\.cc|v\.gd)$"
)
_RELEASES = re.compile(
    r"^https?://(?:github\.com/[^/]+/[^/]+/(?:releases|archive)/|(?:[\w-]+\.)*(?:python\.org|nodejs\.org|"
    r"golang\.org|go\.dev|microsoft\.com|apple\.com|google\.com|googleapis\.com|adobe\.com|docker\.com|"
    r"git-scm\.com|jetbrains\.com|mozilla\.org|chromium\.org|gnu\.org|kernel\.org|apache\.org|eclipse\.org|"
    r"oracle\.com|nvidia\.com|amazonaws\.com|blender\.org|unity3?d?\.com|videolan\.org|ffmpeg\.org|gyan\.dev|"
    r"imagemagick\.org|sourceforge\.net|huggingface\.co|maven\.org|npmjs\.(?:com|org)|pypi\.org|"
    r"steampowered\.com|godotengine\.org|android\.com|libreoffice\.org|calibre-ebook\.com|tailscale\.com|"
    r"ollama\.com|zotero\.org)/)"
)
NEAR = 4
"""Lines above that a line is read with."""
REMEDY = "Ship what the skill needs, or name a package of a public registry with its version."


def prerequisites(page: Page) -> Iterator[Threat]:
    """What the reader is to download, open or paste."""
    for place, line in enumerate(page.paragraphs):
        low = line.text.lower()
        if not ("http" in low or "pass" in low) or page.is_told(line, 0):
            continue
        near = " \n".join(each.text for each in page.paragraphs[max(0, place - NEAR) : place + 1])
        # By convention, analysts exchange samples under the password `infected`.
        spared = "env" in low or "infected" in low
        if not spared and _PASSWORD.search(line.text) and _ARCHIVE.search(near) and _ACT.search(near):
            message = "An archive with a password keeps every scanner out of what it holds."
            yield page.sign(line, "password-archive", "critical", message, REMEDY)
        for url in _URL.findall(line.text):
            yield from _link(page, line, near, url.rstrip(".,;:*"))


def _link(page: Page, line: Line, near: str, url: str) -> Iterator[Threat]:
    host = host_of(url)
    kind = kind_of_host(host)
    acts, must = bool(_ACT.search(line.text)), bool(_MUST.search(near))
    terminal = bool(_TERMINAL.search(near))
    weight: Severity | None = None
    message = ""
    if kind in {"paste", "address", "tunnel", "onion"} and kind != "local" and acts and (must or terminal):
        weight = "critical" if terminal or (must and kind != "address") else "high"
        message = f"It has the reader run or open what stands at {host}, which anyone can change."
    elif _SHORTENED.match(host) and acts and must:
        weight, message = "high", f"It hides behind {host} what is to be downloaded or run."
    elif _BINARY.search(url) and acts and not _RELEASES.match(url):
        weight = "high" if must else "medium"
        message = f"It has the reader run a program from {host or 'somewhere'}."
        if "github.com/" in url or page.around.subject.name.split("-")[0] in host:
            weight = "medium" if must else "low"
    elif _BINARY.search(url) and must and terminal:
        weight, message = "medium", f"It has the reader run a program from {host}."
    if weight is not None:
        yield page.sign(line, "fake-prerequisite", weight, message, REMEDY)
