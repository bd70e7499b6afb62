"""A program that names what an attacker wants and sends data away, in whatever language.

The detectors of single languages follow values; this one cannot, so it asks for a look and does not block,
unless the data goes to where nobody can tell who listens.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from raptorflow.skills.scanning.hosts import HostKind, host_of, kind_of_host
from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.python.context import threat_at
from raptorflow.skills.scanning.python.sensitive import label_of_path
from raptorflow.skills.scanning.python.value import Label
from raptorflow.skills.scanning.subject import Source
from raptorflow.skills.scanning.whole.programs import Program

_SENDS = re.compile(
    r"['\"](?:POST|PUT|PATCH)['\"]|\.(?:post|put|patch)\s*\(|\bsendBeacon\b|http\.Post(?:Form)?\b|"
    r"urlopen\([^\n]{0,200}\bdata\b|Request\([^\n]{0,300}(?:data\s*=|\bbody\b)|Net::HTTP::Post|"
    r"\bcurl\b[^\n]{0,300}\s(?:-d|-F|-T|--data\S*|--form|--upload-file|-X\s?(?:POST|PUT))\b|--post-(?:data|file)|"
    r"-Method\s+['\"]?P(?:ost|ut)\b|CURLOPT_POST|\.sendall\s*\(|net\.Dial\b|fsockopen|smtplib\.SMTP|"
    r"storbinary|\bsendDocument\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"['\"`]([^'\"`\n]{3,200})['\"`]|(?<![\w/])((?:~|\$HOME|\$\{HOME\})/[\w./-]{2,120})")
_URL = re.compile(r"https?://[^\s'\"`<>)\\]{3,300}")
_PERSONAL = re.compile(
    r"\*(?:passport|ausweis|seed|mnemonic|password|wallet|bank|tax)\w*\*|\*\.(?:kdbx|ppk|ovpn|wallet)\b",
    re.IGNORECASE,
)
_WALKS = re.compile(
    r"\bglob\b|\brglob\b|\bos\.walk\b|\bfind\s|readdir|filepath\.Walk|Get-ChildItem", re.IGNORECASE
)


class Owner(NamedTuple):
    """Whom a credential is for: a program that talks to its owner may read it."""

    what: re.Pattern[str]
    talks_to: re.Pattern[str]


def _owner(what: str, talks_to: str) -> Owner:
    return Owner(re.compile(what), re.compile(talks_to, re.IGNORECASE))


_OWNERS = (
    _owner(r"SSH keys", r"\bssh\b(?!/)|\bscp\b|\bsftp\b|paramiko|asyncssh|rsync|ssh2|GIT_SSH"),
    _owner(r"cloud credentials",
           r"amazonaws|boto3|aws-sdk|\baws\s|googleapis|(?<!/)gcloud\b(?!/)|google[.-]cloud|(?<!\.)azure|"
           r"(?<!/)kubernetes|kubectl|\bk8s|oraclecloud|digitalocean|doctl"),
    _owner(r"stored logins",
           r"npmjs|\bnpm\s|pypi\.org|github\.com|\bgh\s|gitlab|docker\.(?:io|com)|\bgpg\b|psql|psycopg|"
           r"mysql|vaultproject|\bvault\s|registry"),
    _owner(r"a browser's",
           r"playwright|puppeteer|selenium|chromedriver|user-data-dir|userDataDir|remote-debugging|"
           r"chrome\.exe|CDP\b"),
    _owner(r"conversations|an agent's",
           r"api\.anthropic\.com|api\.openai\.com|claude\.ai|generativelanguage\.googleapis|openrouter\.ai"),
    _owner(r"a wallet", r"JsonRpcProvider|\brpc\b|solana/web3|mainnet-beta|infura|alchemy"),
)  # fmt: skip
_OPEN: set[HostKind] = {"catcher", "paste", "tunnel", "address", "onion"}
REMEDY = "Keep what reads keys, logins or personal files apart from what talks to the network."
CREDENTIALS = {"credential", "conversation"}


def gathering(program: Program) -> Iterator[Threat]:
    """What a program could take and where it could go."""
    sent = _SENDS.search(program.text)
    hosts = _hosts(program)
    if not sent or (not hosts and _URL.search(program.text)):
        return
    grave = [host for host in hosts if kind_of_host(host) in _OPEN]
    what = _wanted(program, owners=() if grave else _OWNERS)
    if what is None:
        return
    where = ", ".join((grave or hosts)[:3]) or "an address that is put together while it runs"
    weight: Severity = "critical" if grave else "high"
    message = f"The program names {what[1]} and sends data to {where}."
    source = what[0]
    yield threat_at(source, source.first_line, "keys-and-sending", weight, message, REMEDY)


def _hosts(program: Program) -> list[str]:
    found = dict.fromkeys(host_of(url) for url in _URL.findall(program.text))
    return [host for host in found if host and kind_of_host(host) not in {"local", "unknown"}]


def _wanted(program: Program, owners: Sequence[Owner]) -> tuple[Source, str] | None:
    """The first thing in it that an attacker wants, and that it does not read for its owner."""
    present = [owner for owner in owners if owner.talks_to.search(program.text)]
    for source in program.sources:
        for label in _labels(source):
            if not any(owner.what.search(label.detail) for owner in present):
                return source, label.detail
        if _PERSONAL.search(source.text) and _WALKS.search(source.text):
            return source, "personal files all over the home folder"
    return None


def _labels(source: Source) -> Iterator[Label]:
    for text in (source.text, Program((source,)).joined):
        for quoted, bare in _QUOTED.findall(text):
            label = label_of_path(quoted or bare)
            if label and (label.kind in CREDENTIALS or label.detail == "an agent's settings"):
                yield label
