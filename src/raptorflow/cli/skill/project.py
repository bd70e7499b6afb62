"""A project's skills: what is wished for, resolved, locked and placed into the folders of its clients."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raptorflow.cli.skill.supply import Supply
from raptorflow.skills.archive import Unpacked
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.locking.lock import Locked, read_lock, write_lock
from raptorflow.skills.locking.project import check_wish, read_wishes, write_wishes
from raptorflow.skills.placing.clients import Client, folder_of
from raptorflow.skills.placing.place import digest_of_folder, place
from raptorflow.skills.resolving.graph import in_order
from raptorflow.skills.resolving.model import Candidate
from raptorflow.skills.resolving.solver import resolve


@dataclass(frozen=True)
class Places:
    """Which clients' folders, of the project or everywhere for its user."""

    clients: Sequence[Client]
    everywhere: bool = False

    def folders(self, project: Path, name: str) -> list[Path]:
        """A skill's folder at each client."""
        plain = name.partition("/")[2]
        return [folder_of(each, project, everywhere=self.everywhere) / plain for each in self.clients]


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
        """
        universe = await supply.reach(self.wishes)
        kept = {name: one.version for name, one in self.lock.items() if name not in fresh}
        return resolve(self.wishes, universe, kept)

    def save(self, chosen: Mapping[str, Candidate]) -> None:
        """Write the wishes and the lock."""
        write_wishes(self.folder, self.wishes)
        lock = {
            name: Locked(one.version, one.digest, one.source, one.requires) for name, one in chosen.items()
        }
        write_lock(self.folder, lock)


async def put(
    project: Project, chosen: Mapping[str, Candidate], supply: Supply, places: Places, *, force: bool
) -> list[Path]:
    """Place every skill after those that it builds on; the folders that were written.

    Raises:
        DigestWrong: a version came with another content.
        FolderNotOurs: something else is in the way.
    """
    fetched = {name: await _files(name, chosen[name], supply) for name in in_order(chosen)}
    written: list[Path] = []
    for name, unpacked in fetched.items():
        before = project.lock.get(name)
        known = [chosen[name].digest, *([before.digest] if before else [])]
        for target in places.folders(project.folder, name):
            if place(target, unpacked.files, unpacked.executables, replaceable=known, force=force):
                written.append(target)
    return written


def drifted(project: Project, places: Places) -> list[str]:
    """What is installed and not as the lock says, each a sentence."""
    told: list[str] = []
    for name, locked in sorted(project.lock.items()):
        for target in places.folders(project.folder, name):
            there = digest_of_folder(target)
            if there is None:
                told.append(f"{name} {locked.version} is not installed in {target}")
            elif there != locked.digest:
                told.append(f"{target} is {there}, and not {name} {locked.version}")
    return told


async def _files(name: str, candidate: Candidate, supply: Supply) -> Unpacked:
    folder = supply.folders.get(name.partition("/")[2])
    if folder is None:
        return await supply.fetch(name, candidate)
    files, executables = collect_files(folder, Findings())
    return Unpacked(files, frozenset(executables), None)
