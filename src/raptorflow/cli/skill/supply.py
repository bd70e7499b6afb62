"""Where skills come from: a server, and folders at hand; what both have is one universe to resolve in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import quote

from raptorflow.base.errors import Conflict, TooLarge
from raptorflow.base.json import JsonObject
from raptorflow.cli.client import ApiClient, ServerRefused
from raptorflow.cli.connection import Connection
from raptorflow.skills.archive import Unpacked, unpack
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.containers.entry import ArchiveLimits
from raptorflow.skills.digest import tree_digest
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.folders import skill_folders
from raptorflow.skills.listing import Listing
from raptorflow.skills.locking.project import check_wish
from raptorflow.skills.ranges import VersionRange
from raptorflow.skills.reader import inspect_files, read_skill
from raptorflow.skills.resolving.model import Candidate, Wishes
from raptorflow.skills.text import printable

NOT_FOUND = 404
# What reading an answer of another shape than ours raises.
OTHER_SHAPES = (LookupError, TypeError, ValueError, AttributeError)
MOST_VERSIONS = 50
MOST_SKILLS = 2000


class DigestWrong(Conflict):
    """What came is not what was promised."""

    code = "digest-wrong"
    default_hint = "Do not use it; tell whoever runs the server."


class TooManySkills(TooLarge):
    """What was asked for leads to more skills than are looked at."""

    code = "too-many-skills"
    default_hint = "Ask for fewer at once."


@dataclass
class Supply:
    """Every version that wishes lead to, found by asking for each skill once.

    Attributes:
        folders: skills at hand by name; they stand in for the ones of any namespace.
    """

    client: ApiClient | None
    url: str = ""
    folders: Mapping[str, Path] = field(default_factory=dict[str, Path])
    universe: dict[str, list[Candidate]] = field(default_factory=dict[str, list[Candidate]])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        if self.client is not None:
            await self.client.__aexit__()

    async def reach(self, wishes: Wishes, locked: Mapping[str, str]) -> dict[str, list[Candidate]]:
        """The universe that the wishes lead to; the locked versions are in it, however old they are.

        Raises:
            ServerUnreachable: the server does not answer.
            TooManySkills: they lead on and on.
        """
        waiting = list(wishes.items())
        seen: set[tuple[str, str]] = set()
        while waiting:
            name, wanted = waiting.pop()
            if (name, wanted) in seen:
                continue
            if len(self.universe) >= MOST_SKILLS:
                raise TooManySkills(f"{name} is one of over {MOST_SKILLS} skills that this leads to.")
            seen.add((name, wanted))
            for candidate in await self._versions(name, wanted, locked.get(name)):
                waiting += candidate.requires.items()
        return self.universe

    async def fetch(self, name: str, candidate: Candidate) -> Unpacked:
        """The files of a version.

        Raises:
            DigestWrong: they are not those that were promised.
        """
        folder = self.folders.get(name.partition("/")[2])
        unpacked = await self._download(name, candidate.version) if folder is None else _collected(folder)
        if tree_digest(unpacked.files, unpacked.executables) != candidate.digest:
            raise DigestWrong(
                f"{name} {candidate.version} came with another content than {candidate.digest}."
            )
        _check_told(name, candidate, unpacked)
        return unpacked

    async def _download(self, name: str, version: str) -> Unpacked:
        path = f"/api/v1/registry/skills/{name}/versions/{quote(version, safe='')}/archive"
        return unpack(await self.server().download(path, ArchiveLimits().archive_bytes))

    async def _versions(self, name: str, wanted: str, locked: str | None) -> list[Candidate]:
        """The versions in a range; those that nobody asks for are only named."""
        known = self.universe.setdefault(name, [])
        folder = self.folders.get(name.partition("/")[2])
        if folder is not None and not known:
            known.append(_candidate_of(folder))
        if folder is not None or self.client is None:
            return known
        fitting = VersionRange.parse(wanted)
        have = {one.version for one in known}
        listed = [
            one
            for one in await self._listed(name)
            if one not in have and (not fitting.clauses or fitting.matches(one))
        ]
        asked = listed[:MOST_VERSIONS] + [one for one in listed[MOST_VERSIONS:] if one == locked]
        fresh = [await self._candidate(name, version) for version in asked]
        known += fresh
        return fresh

    async def _listed(self, name: str) -> list[str]:
        namespace, _, plain = name.partition("/")
        try:
            answer = await self.server().request(
                "GET", f"/api/v1/registry/skills/{namespace}/{plain}/versions"
            )
        except ServerRefused as error:
            if error.problem().get("status") == NOT_FOUND:
                return []
            raise
        try:
            return [str(item["version"]) for item in answer["items"]]
        except OTHER_SHAPES as error:
            raise self.server().unreadable("the versions of a skill") from error

    async def _candidate(self, name: str, version: str) -> Candidate:
        namespace, _, plain = name.partition("/")
        path = f"/api/v1/registry/skills/{namespace}/{plain}/versions/{quote(version, safe='')}/page"
        page: JsonObject = await self.server().request("GET", path)
        try:
            return self._told(version, page)
        except OTHER_SHAPES as error:
            raise self.server().unreadable(path) from error

    def _told(self, version: str, page: JsonObject) -> Candidate:
        requires = dict(page["requires"])
        for other, wanted in requires.items():
            # A name becomes a folder's, and not every server is ours.
            check_wish(other, wanted)
        granted = Capabilities.model_validate(page["capabilities"])
        listing = Listing.from_rows(
            (each["path"], each["sha256"], each["executable"]) for each in page["files"]
        )
        return Candidate(version, requires, granted, str(page["digest"]), self.url, listing)

    def server(self) -> ApiClient:
        """The server; raises when none is known."""
        if self.client is None:
            raise Conflict("No server was named.", hint="Give `--url`, or `--among` a folder of skills.")
        return self.client


def _check_told(name: str, candidate: Candidate, unpacked: Unpacked) -> None:
    """Refuse files that want more than was told of them: nobody has agreed to that."""
    skill = inspect_files(unpacked.files, unpacked.executables, None, Findings())
    if skill is None:
        raise DigestWrong(f"{name} {candidate.version} is no valid skill.")
    wanted = (skill.version, skill.capabilities, dict(skill.requires))
    if wanted != (candidate.version, candidate.capabilities, dict(candidate.requires)):
        raise DigestWrong(f"{name} {candidate.version} declares something else than was told of it.")


def _candidate_of(folder: Path) -> Candidate:
    skill = read_skill(folder)
    listing = Listing.from_rows((each.path, each.sha256, each.executable) for each in skill.files)
    source = printable(str(folder.resolve()))
    return Candidate(skill.version, skill.requires, skill.capabilities, skill.digest, source, listing)


def _collected(folder: Path) -> Unpacked:
    files, executables = collect_files(folder, Findings())
    return Unpacked(files, frozenset(executables), None)


def check_listing(name: str, candidate: Candidate) -> None:
    """Whether the files that a version is said to have are those of its digest.

    Raises:
        DigestWrong: they are not.
    """
    if candidate.listing and candidate.listing.digest() != candidate.digest:
        raise DigestWrong(f"{name} {candidate.version} lists other files than {candidate.digest}.")


def supply(connection: Connection | None, among: Iterable[Path]) -> Supply:
    """The supply of a server (when one is known) and of folders of skills."""
    folders = {folder.resolve().name: folder for folder in skill_folders(among)} if among else {}
    client = ApiClient(connection) if connection else None
    return Supply(client, connection.url if connection else "", folders)
