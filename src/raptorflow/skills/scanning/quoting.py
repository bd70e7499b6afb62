"""Whether a text tells of an attack, or is one: rules and lessons quote what they warn of.

A line counts as told when its own words, those above it or its heading say that it is an example of something
bad. A skill whose subject is security earns that more easily.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from raptorflow.skills.scanning.languages import language_of
from raptorflow.skills.scanning.subject import Source, Subject

ABOVE = 12
"""Lines above that a block or a line is read with, up to its heading."""
_TELLING = re.compile(
    r"\b(?:examples? of|attack(?:s|er|ers|ing)?|malicious|suspicious|payloads?|exploit\w*|vulnerab\w*|"
    r"injection|dangerous|unsafe|insecure|detect\w*|red flags?|warning signs?|anti-?patterns?|iocs?|"
    r"indicators?|threats?|hostile|untrusted|phishing|malware|backdoors?|compromis\w*|reject\w*|refus\w*|"
    r"block(?:ed|s|ing)?|forbid\w*|flag(?:ged|s)? (?:if|any|when|as)|scan(?:s|ner|ning)? for|"
    r"look(?:ing)? for|check(?:s|ing)? for|search(?:es|ing)? for|grep|must not|bad:|wrong:|incorrect|"
    r"prohibited|disallow\w*|watch out|beware|avoid|test(?:ing)? (?:for|whether|cases?)|red.?team\w*|"
    r"pentest\w*|proof of concept|poc|ctf|forensics?|persistence mechanisms?|reverse shells?|"
    r"privilege escalation|post-exploitation|attempts?|never run (?:them|these|any)|victims?|declin\w*|"
    r"(?:info)?stealers?)\b|❌|🚫|⛔",
    re.IGNORECASE,
)
# What says it so plainly that it counts twice.
_PLAINLY = re.compile(
    r"\bred flags?\b|\bexamples? of (?:attacks?|malicious|injections?)|\battacks? to (?:refuse|detect|watch)|"
    r"\bnever run (?:them|these|any)\b|\bwarning signs?\b|\bindicators? of compromise\b|"
    r"\bsigns of (?:harm|attacks?|compromise)",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:never|do not|don[\u2019']?t|must not|should not|shouldn[\u2019']?t|cannot|can[\u2019']?t|avoid|"
    r"without|refuse|no one|nobody|not)\b[^.!?:;]{0,60}$|\bonly\s+(?:ever\s+)?$|"
    r"\b(?:if|when|whenever|should)\b[^.!?]{0,40}\b(?:ask|asks|asked|tell|tells|told|tries|try|attempts?|"
    r"wants?|"
    r"begs?|instructs?|says?|writes?|types?)\b[^.!?]{0,20}(?:\bto\s+|[\"\u201c\u2018'])$",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\b(?:security|secure|pen(?:etration)?[- ]?test\w*|vulnerab\w*|malware|threat\w*|forensic\w*|incident|"
    r"audit\w*|red[- ]?team\w*|exploit\w*|ctf|injection|yara|semgrep|sigma rules?|hardening|intrusion|soc|"
    r"siem|attack\w*|(?:info)?stealers?|ransomware|adversar\w*|guardrails?|jailbreak\w*|phishing|"
    r"reverse[- ]engineer\w*|fuzz\w*|cve)\b",
    re.IGNORECASE,
)
_SETTING_UP = re.compile(
    r"\b(?:install\w*|set[- ]?up|prerequisites?|requirements?|getting started|quick ?start|usage|"
    r"first (?:run|use)|how to use|before you|activat\w+|configur\w+|updates?)\b",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\s*(?:[-*+]\s+|\d+[.)]\s+|\*\*)?(?:first\b|then\b|now\b|please\b|run\b|execute\b|paste\b|install\b|"
    r"download\b|copy\b|start\b|open\b|call\b|before\b|use\b|always\b|you must\b|"
    r"on (?:macos|linux|windows)\b)",
    re.IGNORECASE,
)
_HOSTS = re.compile(r"(?:https?://|/dev/(?:tcp|udp)/)([\w.-]{3,253})|\b(\d{1,3}(?:\.\d{1,3}){3})\b")
_RESERVED = re.compile(
    r"(?:^|\.)(?:example|invalid|test|localhost|local)$|(?:^|\.)example\.(?:com|org|net)$|^(?:10|127|0)\.|^192\.168\.|"
    r"^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\.|^192\.0\.2\.|^198\.51\.100\.|^203\.0\.113\."
)
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
_FILES_OF_TESTS = re.compile(
    r"(?:^|/)(?:tests?|specs?|fixtures?|rules?|signatures?|patterns?|examples?|evals?|corpus|references?|"
    r"resources?|docs?)/|\.(?:yar|yara|sigma|rules?)$|"
    r"(?:^|/)(?:payloads?|attacks?|samples?|cases|corpus|injections?)\.\w+$|_test\.|test_|\.test\.",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Surroundings:
    """What is around the texts of a skill.

    Attributes:
        subject: the skill.
        about_security: whether its own words say that security is what it is about.
    """

    subject: Subject
    pages: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def about_security(self) -> bool:
        """Whether the skill's name or description says that security is its subject."""
        return _is_about_security(f"{self.subject.name.replace('-', ' ')} {self.subject.description}")

    def _asks(self, lines: tuple[str, ...], line: int) -> bool:
        """Whether a skill about security asks for what stands at a line, outright or by its heading."""
        heading = next((text for text in reversed(lines[:line]) if _HEADING.match(text)), "")
        before = next((text for text in reversed(lines[max(0, line - 4) : line - 1]) if text.strip(" `")), "")
        asked = _SETTING_UP.search(heading) or _ORDERS.match(before) or _ORDERS.match(lines[line - 1])
        return bool(asked) or _names_a_place(lines[line - 1])

    def tells(self, source: Source, line: int, least: int = 2) -> bool:
        """Whether what stands at a line of the file (counted from 1) is told of, not asked for.

        Args:
            source: the text.
            line: counted from 1.
            least: the words of warning that it takes, where neither the skill nor the file is about security.
        """
        in_reference = bool(_FILES_OF_TESTS.search(source.path))
        if self.about_security and in_reference:
            return True
        lines = self._lines(source)
        is_page = language_of(source.path, "") == "markdown" and 0 < line <= len(lines)
        if self.about_security and is_page and not self._asks(lines, line):
            return True
        above = _above(lines, line)
        hits = len(_TELLING.findall(above)) + len(_PLAINLY.findall(above))
        return hits >= (1 if self.about_security or in_reference else least)

    def _lines(self, source: Source) -> tuple[str, ...]:
        if source.path not in self.pages:
            texts = self.subject.whole or self.subject.sources
            whole = next((each for each in texts if each.path == source.path), source)
            self.pages[source.path] = tuple(whole.text.split("\n"))
        return self.pages[source.path]


def negated(text: str, at: int) -> bool:
    """Whether what begins at a place of a line is said not to be done."""
    return bool(_NEGATION.search(text[max(0, at - 80) : at]))


def _names_a_place(text: str) -> bool:
    """Whether a line names a host that somebody may own: lessons name reserved ones, or none."""
    hosts = (one or other for one, other in _HOSTS.findall(text))
    return any(not _RESERVED.search(host.lower()) for host in hosts if "." in host)


@lru_cache(maxsize=64)
def _is_about_security(text: str) -> bool:
    return bool(_SUBJECT.search(text))


def _above(lines: tuple[str, ...], line: int) -> str:
    """The line itself and those above, up to and with its heading, without the code of other blocks."""
    taken: list[str] = []
    for number in range(min(line, len(lines)) - 1, max(-1, line - 2 - ABOVE), -1):
        taken.append(lines[number][:400])
        if _HEADING.match(lines[number]):
            break
    return "\n".join(taken)
