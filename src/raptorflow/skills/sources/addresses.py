"""Addresses of repositories and sites: what they name, and which of them may be asked.

A repository is `github:owner/name`, `git+https://...`, `https://....git`, `ssh://...`, `git@host:path` or
`file://...`, each with `@ref` (a branch, a tag or a whole commit) and `#folder` behind it.
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from raptorflow.skills.sources.errors import SourceInvalid
from raptorflow.skills.sources.fields import inner_path
from raptorflow.skills.text import shown

REF = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._+-]|/(?=[A-Za-z0-9_])){0,199}")
GITHUB = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}")
# `git@host:path`, as ssh and scp write it.
SHORT_SSH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*@([A-Za-z0-9][A-Za-z0-9.-]*):[^\s:]+")
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")
SECURE = {"https", "ssh"}
# As systems write it into their list of hosts.
OWN_NAMES = {"localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback"}
MAX_ADDRESS = 2000


@dataclass(frozen=True)
class Repository:
    """A git repository.

    Attributes:
        url: as `git` takes it; `https`, `ssh` or `file`, and `http` on this machine.
        ref: a branch, tag or commit; empty for what the repository calls its own.
        folder: a folder inside of it; empty for all of it.
    """

    url: str
    ref: str = ""
    folder: str = ""


def read_repository(text: str) -> Repository | None:
    """The repository that an address names; None when it is no repository's.

    Raises:
        SourceInvalid: it is one, and cannot be used.
    """
    address, hash_sign, folder = text.partition("#")
    if not _names_repository(address):
        return None
    url, ref = _split_ref(address.removeprefix("git+"))
    if hash_sign and not folder:
        raise SourceInvalid(f"{shown(text)} names no folder behind its `#`.")
    if url.startswith("github:"):
        url = github(url.removeprefix("github:"))
    return repository(url, ref, folder)


def repository(url: str, ref: str = "", folder: str = "") -> Repository:
    """A repository, checked.

    Raises:
        SourceInvalid: the address, the ref or the folder is none.
    """
    if not SHORT_SSH.fullmatch(url):
        parts = split_url(url)
        if parts.scheme == "http":
            check_secure(parts)
        elif parts.scheme not in {*SECURE, "file"}:
            raise SourceInvalid(f"Repositories are not taken over {parts.scheme or 'nothing'}: {shown(url)}.")
    # What starts with a dash would be an option, what holds a colon two refs.
    if ref and (not REF.fullmatch(ref) or ".." in ref):
        raise SourceInvalid(f"{shown(ref)} names no branch, tag or commit.")
    return Repository(url, ref, inner_path(folder))


def github(name: str) -> str:
    """The address of `owner/name` on GitHub.

    Raises:
        SourceInvalid: it is no such name.
    """
    if not GITHUB.fullmatch(name) or name.endswith(("/.", "/..")):
        raise SourceInvalid(f"{shown(name)} is no `owner/name` of GitHub.")
    return f"https://github.com/{name.removesuffix('.git')}.git"


def split_url(url: str) -> SplitResult:
    """The parts of an address with a scheme.

    Raises:
        SourceInvalid: it is none, or carries a secret that would be shown and kept.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise SourceInvalid(f"{shown(url)} is no address: {error}.") from error
    if len(url) > MAX_ADDRESS or not url.isascii() or not url.isprintable() or " " in url:
        raise SourceInvalid(f"{shown(url)} is no address.")
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        hint = "Leave it out; `git credential` keeps it."
        raise SourceInvalid(f"The address of {shown(parts.hostname)} carries a name or a secret.", hint=hint)
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise SourceInvalid(f"{shown(url)} is no address of a file.", hint="Write `file:///folder`.")
    elif not HOST.fullmatch(parts.hostname or ""):
        raise SourceInvalid(f"{shown(url)} names no host.")
    return parts


def check_secure(parts: SplitResult) -> None:
    """Refuse an address of the web that anybody on the way could answer.

    Raises:
        SourceInvalid: it is neither `https` nor on this machine.
    """
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts)):
        hint = "Use https; http is for this machine alone."
        raise SourceInvalid(f"{shown(parts.geturl())} is not secured.", hint=hint)


def check_reached_from(parts: SplitResult, origin: SplitResult) -> None:
    """Refuse an address that a document may not send us to: of another scheme, or of this machine.

    Raises:
        SourceInvalid: it may not.
    """
    if parts.scheme != origin.scheme or (is_loopback(parts) and not is_loopback(origin)):
        raise SourceInvalid(f"{origin.hostname} leads to {shown(parts.geturl())}, which is not followed.")


def is_local(where: Repository) -> bool:
    """Whether a repository lies on this machine."""
    if short := SHORT_SSH.fullmatch(where.url):
        return _is_this_machine(short[1])
    parts = urlsplit(where.url)
    return parts.scheme == "file" or is_loopback(parts)


def is_loopback(parts: SplitResult) -> bool:
    """Whether a host is this machine."""
    return _is_this_machine(parts.hostname or "")


def _is_this_machine(host: str) -> bool:
    name = host.lower().rstrip(".")
    if name in OWN_NAMES or name.endswith(".localhost"):
        return True
    address = _address(name)
    # Whoever connects to the address that is none comes to this machine as well.
    return address is not None and (address.is_loopback or address.is_unspecified)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, however it is written: `127.1`, `2130706433` and `0x7f.1` are one."""
    try:
        address = ip_address(host)
    except ValueError:
        try:
            return IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _names_repository(address: str) -> bool:
    if address.startswith(("github:", "git+", "ssh://", "file://")) or SHORT_SSH.fullmatch(address):
        return True
    is_web = address.startswith(("https://", "http://"))
    return is_web and (address.rstrip("/").endswith(".git") or ".git@" in address)


def _split_ref(address: str) -> tuple[str, str]:
    """The address and what stands behind the `@` of its path; the one before a host is not meant."""
    start = address.find("/", address.find("://") + 3) if "://" in address else address.find(":")
    host, path = address[: start + 1], address[start + 1 :]
    before, at, ref = path.rpartition("@")
    if start < 0 or not at:
        return address, ""
    if not ref:
        raise SourceInvalid(f"{shown(address)} names no branch, tag or commit behind its `@`.")
    return host + before, ref
