"""A project's skills: what is wished for, resolved, locked and placed into the folders of its clients."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raptorflow.base.errors import InvalidInput
from raptorflow.cli.connection import PRIVATE_FOLDER, user_folder
from raptorflow.cli.skill.supply import Supply, check_listing
from raptorflow.skills.errors import FolderUnwritable
from raptorflow.skills.locking.file import read_lock, write_lock
from raptorflow.skills.locking.lock import Locked
from raptorflow.skills.locking.project import check_wish, read_wishes, write_wishes
from raptorflow.skills.placing.clients import Client, folder_of
from raptorflow.skills.placing.place import check_free, place
from raptorflow.skills.resolving.graph import in_order
from raptorflow.skills.resolving.model import Candidate
from raptorflow.skills.resolving.solver import resolve
from raptorflow.skills.text import printable


class NotWished(InvalidInput):
    """What is named was never asked for."""

    code = "not-wished"
    default_hint = "Name one of `skills.toml`, as `namespace/name`; what only others build on goes with them."


@dataclass(frozen=True)
class Places:
    """Which clients' folders, of the project or everywhere for its user."""

    clients: Sequence[Client]
    everywhere: bool = False

    def folders(self, project: Path, name: str) -> list[Path]:
        """A skill's folder at each client."""
        return [
            folder_of(each, project, everywhere=self.everywhere) / plain_name(name) for each in self.clients
        ]


@dataclass(frozen=True)
class Project:
    """A folder with `skills.toml` and `skills.lock`."""

    folder: Path
    wishes: Mapping[str, str]
    lock: Mapping[str, Locked]

    @classmethod
    def read(cls, folder: Path) -> "Project":
        """What stands in the folder.

        Raises:
            ProjectInvalid: the wishes cannot be read.
            LockInvalid: the lock cannot be read.
        """
        return cls(folder, read_wishes(folder), read_lock(folder))

    @classmethod
    def here(cls, *, everywhere: bool) -> "Project":
        """That of the current folder; or what its user has in every project, kept in a folder of theirs.

        Raises:
            ProjectInvalid: the wishes cannot be read.
            LockInvalid: the lock cannot be read.
        """
        return cls.read(user_folder() if everywhere else Path.cwd())

    def wishing(self, texts: Collection[str]) -> "Project":
        """With more wishes, `acme/ads` or `acme/ads@^1.2`."""
        wishes = dict(self.wishes)
        for text in texts:
            name, _, wanted = text.partition("@")
            check_wish(name, wanted or "*")
            if wanted or name not in wishes:
                wishes[name] = wanted or "*"
        return Project(self.folder, wishes, self.lock)

    async def chosen(self, supply: Supply, *, fresh: Collection[str] = ()) -> dict[str, Candidate]:
        """The versions that fit, the locked ones first; not for those that are to be `fresh`.

        Raises:
            DependenciesUnsolvable: nothing fits.
            DependencyCycle: skills require each other.
            DigestWrong: the files that a version is said to have are not those of its digest.
        """
        locked = {name: one.version for name, one in self.lock.items()}
        universe = await supply.reach(self.wishes, locked)
        kept = {name: version for name, version in locked.items() if name not in fresh}
        chosen = resolve(self.wishes, universe, kept)
        for name, candidate in chosen.items():
            check_listing(name, candidate)
        return chosen

    def save(self, chosen: Mapping[str, Candidate]) -> None:
        """Write the wishes and the lock.

        Raises:
            FolderUnwritable: that cannot be done.
        """
        self.keep(
            {
                name: Locked(
                    one.version, one.digest, self._kept_source(one.source), one.requires, one.listing
                )
                for name, one in chosen.items()
            }
        )

    def _kept_source(self, source: str) -> str:
        """As it is locked: a folder inside the project by its path there, so that it holds for others too."""
        path, root = Path(source), self.folder.resolve()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else source

    def is_source(self, folder: Path, locked: Locked) -> bool:
        """Whether a skill was locked from that folder; it is its author's then."""
        # Unlike `Path.resolve`, this takes links that lead round in a circle.
        meant, there = (os.path.realpath(path) for path in (self.folder / locked.source, folder))
        return printable(meant) == printable(there)

    def keep(self, lock: Mapping[str, Locked]) -> None:
        """Write the wishes and a lock.

        Raises:
            FolderUnwritable: that cannot be done.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        except OSError as error:
            raise FolderUnwritable(f"{self.folder} cannot be made: {error.strerror}.") from error
        write_wishes(self.folder, self.wishes)
        write_lock(self.folder, lock)


async def put(
    project: Project, chosen: Mapping[str, Candidate], supply: Supply, places: Places, *, force: bool
) -> list[Path]:
    """Place every skill after those that it builds on; the folders that were written.

    Raises:
        DigestWrong: a version came with another content.
        FolderNotOurs: something else is in the way; nothing was written then.
    """
    fetched = {name: await supply.fetch(name, chosen[name]) for name in in_order(chosen)}
    steps = [(target, name) for name in fetched for target in places.folders(project.folder, name)]
    before = {name: _digests(project.lock, name) for name in fetched}
    if not force:
        for target, name in steps:
            check_free(target, chosen[name].digest, before[name])
    return [
        target
        for target, name in steps
        if place(
            target,
            fetched[name].files,
            fetched[name].executables,
            replaceable=before[name],
            force=force,
        )
    ]


def _digests(lock: Mapping[str, Locked], name: str) -> set[str]:
    """What may lie in a skill's folder by the lock: of whatever namespace."""
    return {locked.digest for other, locked in lock.items() if plain_name(other) == plain_name(name)}


def plain_name(name: str) -> str:
    """A skill's name without its namespace: that of its folder."""
    return name.partition("/")[2]
