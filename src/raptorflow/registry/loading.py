"""A skill, ready to use: read, in a read-only folder, with its environment and what it may do."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from raptorflow.core.blobs import BlobStore
from raptorflow.registry.environments import Environments
from raptorflow.registry.library import Library, blob_key, files_of
from raptorflow.registry.lookup import ref_of
from raptorflow.registry.models import VersionRow
from raptorflow.registry.repository import Pinned
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.model import Skill
from raptorflow.skills.reader import read_skill_files


@dataclass(frozen=True)
class LoadedSkill:
    """An installed skill.

    Attributes:
        ref: `namespace/name`.
        granted: what the organisation granted; what runs is its intersection with the manifest.
        skill_dir: the skill's files, read-only, by digest.
        env_dir: its Python environment; None when its scripts depend on nothing.
    """

    skill: Skill
    ref: str
    version: str
    digest: str
    granted: Capabilities
    skill_dir: Path
    env_dir: Path | None
    installation_id: UUID

    @property
    def capabilities(self) -> Capabilities:
        """What may run: the manifest's and the grant's intersection."""
        return self.skill.capabilities.intersection(self.granted)


class Loader:
    """Reads published skills and makes them ready; remembers what it has read.

    Args:
        blobs: where locks are.
        library: lays skills out on this machine.
        environments: builds their environments.
        remembered: how many skills are kept in memory, read.
    """

    def __init__(
        self, blobs: BlobStore, library: Library, environments: Environments, remembered: int
    ) -> None:
        self._blobs = blobs
        self._library = library
        self._environments = environments
        self._remembered = remembered
        self._read: OrderedDict[str, Skill] = OrderedDict()
        self._built: dict[str, Path] = {}

    async def read(self, version: VersionRow, name: str) -> Skill:
        """What a version's files say.

        Raises:
            BlobMissing: a file is gone, or was changed.
        """
        known = self._read.get(version.digest)
        if known is None:
            files = files_of(version.files)
            executables = {file.path for file in files if file.executable}
            contents = await self._library.read_all(files)
            # In a thread: a large SKILL.md by somebody unknown must not hold up everybody else.
            known = await asyncio.to_thread(read_skill_files, contents, name, executables)
            self._read[version.digest] = known
        self._read.move_to_end(version.digest)
        while len(self._read) > self._remembered:
            self._read.popitem(last=False)
        return known

    async def load(self, found: Pinned) -> LoadedSkill:
        """An installed skill with its folders."""
        version = found.version
        skill_dir = await self._library.lay_out(version.digest, files_of(version.files))
        return LoadedSkill(
            skill=await self.read(version, found.skill.name),
            ref=ref_of(found.skill),
            version=version.version,
            digest=version.digest,
            granted=Capabilities.model_validate(found.installation.granted),
            skill_dir=skill_dir,
            env_dir=await self._environment(version.lock_digest),
            installation_id=found.installation.id,
        )

    async def _environment(self, lock_digest: str | None) -> Path | None:
        """The environment of a lock; built here when another machine has published the skill."""
        if lock_digest is None:
            return None
        known = self._built.get(lock_digest)
        if known is None or not known.exists():
            lock = (await self._blobs.get(blob_key(lock_digest))).decode()
            known = self._built[lock_digest] = await self._environments.ensure(lock)
        return known
