"""Hosts: which one an address names, and what an attacker would use it for."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Literal

HostKind = Literal[
    "catcher", "tunnel", "paste", "chat", "address", "onion", "local", "metadata", "unknown", "plain"
]

_URL = re.compile(
    r"(?:https?|wss?|ftp|tcp|mongodb|socks5h?)://(?:[^/@\s\"']{0,200}@)?([^/:?#\s\"'<>\\`)]{1,253})(?::(\d{1,5}))?",
    re.IGNORECASE,
)
_NAMES: tuple[tuple[HostKind, re.Pattern[str]], ...] = (
    ("catcher", re.compile(
        r"(?:^|\.)(?:webhook\.site|requestbin\.\w+|requestcatcher\.com|pipedream\.net|beeceptor\.com|hookbin\.com|"
        r"interact\.sh|oast(?:ify)?\.\w+|oast\.\w+|burpcollaborator\.net|canarytokens\.(?:com|org)|dnslog\.cn|postb\.in|"
        r"typedwebhook\.tools|webhookrelay\.com|mockbin\.(?:org|io)|ptsv\d?\.com|ceye\.io|eyes\.sh|smee\.io|"
        r"webhook\.cool|hookdeck\.com|catch-all\.invalid)$")),
    ("tunnel", re.compile(
        r"(?:^|\.)(?:ngrok(?:-free)?\.(?:io|app|dev)|trycloudflare\.com|loca\.lt|localtunnel\.me|serveo\.net|"
        r"localhost\.run|bore\.pub|pagekite\.me|playit\.gg|duckdns\.org|no-ip\.\w+|ddns\.net|hopto\.org|zapto\.org)$")),
    ("paste", re.compile(
        r"(?:^|\.)(?:pastebin\.com|paste\.ee|pastes?\.(?:io|rs|sh|dev)|hastebin\.com|rentry\.(?:co|org)|glot\.io|ix\.io|"
        r"0x0\.st|transfer\.sh|file\.io|termbin\.com|dpaste\.(?:com|org)|ghostbin\.\w+|controlc\.com|justpaste\.it|"
        r"anonfiles\.com|gofile\.io|catbox\.moe|bashupload\.com|temp\.sh|oshi\.at|tmpfiles\.org|privatebin\.\w+|"
        r"paste\.\w[\w.-]{0,40}|pastebin\.\w[\w.-]{0,40})$")),
    ("chat", re.compile(r"(?:^|\.)(?:api\.telegram\.org|discord(?:app)?\.com|hooks\.slack\.com)$")),
    ("onion", re.compile(r"\.(?:onion|i2p)$")),
    ("metadata", re.compile(r"^(?:169\.254\.169\.254|metadata\.google\.internal|100\.100\.100\.200)$")),
    ("local", re.compile(r"^(?:localhost|host\.docker\.internal|[\w-]+\.local|[a-z][\w-]*)$")),
)  # fmt: skip
_OWN_NETWORKS = [
    IPv4Network("0.0.0.0/8"),
    IPv4Network("10.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("127.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
]
_LONE_HOST = re.compile(r"^[\w.-]{1,253}$")
_HIDDEN_ADDRESS = re.compile(r"^(?:0x[0-9a-f]{1,8}|\d{8,10}|0\d{1,3}(?:\.0?\d{1,4}){3})$", re.IGNORECASE)
DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}


def destination_of(text: str) -> str:
    """`host:port` of an address; `*` when it does not say, or only while it runs."""
    found = _URL.search(text[:4000])
    if not found or "\ufffc" in found[1] or any(sign in found[1] for sign in "{}$%"):
        return "*"
    scheme = text[found.start() :].partition(":")[0].lower()
    return f"{found[1].lower().rstrip('.')}:{found[2] or DEFAULT_PORTS.get(scheme, '443')}"


def host_of(text: str) -> str:
    """The host of an address, or of a bare name; empty when there is none."""
    destination = destination_of(text)
    if destination != "*":
        return destination.rpartition(":")[0]
    return text.lower() if "." in text and _LONE_HOST.match(text) else ""


def kind_of_host(host: str) -> HostKind:
    """What a host is; `plain` for one of the many that only its owner can tell about."""
    if not host:
        return "unknown"
    if _HIDDEN_ADDRESS.match(host):
        return "address"
    for kind, pattern in _NAMES:
        if pattern.search(host):
            return kind
    try:
        address = IPv4Address(host)
    except AddressValueError:
        return "plain"
    return "local" if any(address in network for network in _OWN_NETWORKS) else "address"
