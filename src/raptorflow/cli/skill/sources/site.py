"""Skills that a site offers in its `.well-known` index, each compared with the digest that stands there."""

import hashlib

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import loads
from raptorflow.cli.skill.sources.errors import NothingOffered
from raptorflow.cli.skill.sources.web import Answer, Web
from raptorflow.cli.skill.supply import DigestWrong
from raptorflow.skills.archive import unpack
from raptorflow.skills.containers.entry import ArchiveLimits
from raptorflow.skills.files import MAX_FILE_BYTES, MAX_TREE_BYTES
from raptorflow.skills.frontmatter import as_mapping
from raptorflow.skills.sources.addresses import check_secure, split_url
from raptorflow.skills.sources.basket import Basket, Found
from raptorflow.skills.sources.errors import SourceInvalid, SourceUnknown
from raptorflow.skills.sources.well_known import MAX_BYTES, PLACES, Offer, Part, read_index

REGISTRY = "/api/v1/registry/skills"
NOT_AUTHENTICATED = 401
MAX_PROBLEM = 64 * 1024


def gather_site(url: str, basket: Basket) -> None:
    """The skills of a site.

    Raises:
        NothingOffered: it has no index.
        SourceUnreachable: it does not answer.
        SourceInvalid: its index cannot be read.
    """
    with Web() as web:
        index_at = _index(web, site_of(url))
        index = read_index(index_at.content, index_at.url)
        for label, reason in index.refused.items():
            if basket.wants(label.partition(" ")[0]):
                basket.skip(label, SourceInvalid(reason))
        for offer in index.offers:
            if basket.wants(offer.name):
                _gather(web, offer, basket)


def site_of(url: str) -> str:
    """The origin (`https://host:port`) that an address names, alone or with the place of its index.

    Raises:
        SourceUnknown: it names something on a site.
        SourceInvalid: it is no address, or not secured.
    """
    parts = split_url(url)
    check_secure(parts)
    if parts.path not in {"", "/", *PLACES} or parts.query or parts.fragment:
        hint = f"For a repository write `git+{url}`; for an archive or a marketplace.json, fetch it first."
        raise SourceUnknown(f"{url} is neither a site nor a repository.", hint=hint)
    return f"{parts.scheme}://{parts.netloc}"


def _index(web: Web, site: str) -> Answer:
    """The index at its place, or at the one that it had before."""
    for place in PLACES:
        answer = web.find(site + place, MAX_BYTES)
        # A site with one page for everything has that here too.
        if answer and answer.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
            return answer
    if _is_raptorflow(web, site):
        hint = "Name what you want: `--skill namespace/name`, or `--skill namespace/name@^1.2`."
        raise NothingOffered(f"{site} is a RaptorFlow, which shows its skills to those it knows.", hint=hint)
    hint = "Is it a repository? Write `git+https://...`."
    raise NothingOffered(f"{site} has no {PLACES[0]}.", hint=hint)


def _is_raptorflow(web: Web, site: str) -> bool:
    answer = web.ask(site + REGISTRY, MAX_PROBLEM)
    try:
        problem = as_mapping(loads(answer.content)) or {}
    except ValueError:
        return False
    return answer.status == NOT_AUTHENTICATED and str(problem.get("type")).startswith("urn:raptorflow:")


def _gather(web: Web, offer: Offer, basket: Basket) -> None:
    source = offer.parts[0].url
    try:
        if offer.is_archive:
            unpacked = unpack(_fetched(web, offer.parts[0], ArchiveLimits().archive_bytes))
            files, executables = unpacked.files, unpacked.executables
        else:
            files, executables = _files(web, offer), frozenset[str]()
    except RaptorFlowError as error:
        basket.skip(offer.name, error)
        return
    digest = offer.parts[0].digest
    told = f"{source}@sha256:{digest}" if digest else source
    basket.take(Found(offer.name, told, files, executables, promised=offer.name))


def _files(web: Web, offer: Offer) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = MAX_TREE_BYTES
    for part in offer.parts:
        files[part.path] = _fetched(web, part, min(MAX_FILE_BYTES, left))
        left -= len(files[part.path])
    return files


def _fetched(web: Web, part: Part, most: int) -> bytes:
    """A file, exactly as the index has it.

    Raises:
        DigestWrong: it is another.
        NothingOffered: it is not there.
    """
    answer = web.find(part.url, most)
    if answer is None:
        raise NothingOffered(f"There is nothing at {part.url}.")
    if part.digest and hashlib.sha256(answer.content).hexdigest() != part.digest:
        message = f"{part.url} has another content than sha256:{part.digest}."
        raise DigestWrong(message, hint="Do not use it; tell whoever runs the site.")
    return answer.content
