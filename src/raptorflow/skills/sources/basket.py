"""What an import has found so far: skills, each whole and valid, and what was left out and why."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from raptorflow.base.errors import RaptorFlowError
from raptorflow.skills.archive import pack_files
from raptorflow.skills.containers.entry import MIB
from raptorflow.skills.errors import SkillInvalid
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.model import Skill
from raptorflow.skills.reader import inspect_files
from raptorflow.skills.sources.errors import ImportTooLarge, SourceInvalid
from raptorflow.skills.text import printable

MAX_SKILLS = 2000
MAX_BYTES = 512 * MIB
MAX_FETCHED = 4096 * MIB


@dataclass(frozen=True)
class Found:
    """Files that may be a skill.

    Attributes:
        label: what to call it before its name is known.
        source: where exactly it comes from: an address with the commit, or a path.
        group: the plugin it came with; empty for none.
        promised: the name that it was announced under; empty for none.
        namespace: whose it is where it comes from; empty for nobody's.
    """

    label: str
    source: str
    files: dict[str, bytes]
    executables: Collection[str] = ()
    group: str = ""
    promised: str = ""
    namespace: str = ""
    findings: Findings = field(default_factory=Findings)


@dataclass(frozen=True)
class Imported:
    """A skill that was imported; its name may have a namespace."""

    name: str
    version: str
    digest: str
    files: dict[str, bytes]
    executables: frozenset[str]
    source: str
    requires: Collection[str] = ()

    @property
    def plain(self) -> str:
        """The name without a namespace, which is its folder's."""
        return self.name.rpartition("/")[2]

    def archive(self) -> bytes:
        """The skill as it is published."""
        return pack_files(self.plain, self.files, self.executables)


@dataclass(frozen=True)
class Skipped:
    """What was left out."""

    name: str
    code: str
    reason: str
    hint: str | None = None


class Basket:
    """Keeps what was asked for, one skill of a name, within limits of number and size."""

    def __init__(self, select: Collection[str] = ()) -> None:
        self.select = frozenset(select)
        self.skipped: list[Skipped] = []
        self._skills: dict[str, Imported] = {}
        self._met: set[str] = set()
        self._bytes = 0
        self._fetched = 0

    @property
    def skills(self) -> list[Imported]:
        """What was found, in the order in which it was."""
        return list(self._skills.values())

    def wants(self, *names: str) -> bool:
        """Whether something of one of these names is asked for."""
        return not self.select or not self.select.isdisjoint(names)

    def spend(self, fetched: int) -> None:
        """Count bytes that were fetched, whatever of them is kept.

        Raises:
            ImportTooLarge: there are too many: a list may lead to many large places.
        """
        self._fetched += fetched
        if self._fetched > MAX_FETCHED:
            raise ImportTooLarge(f"Over {MAX_FETCHED // MIB} MiB were fetched.")

    def take(self, found: Found) -> None:
        """Keep a skill, or why it is none.

        Raises:
            ImportTooLarge: there are too many.
        """
        skill = inspect_files(found.files, found.executables, None, found.findings)
        name = skill.name if skill else found.promised or found.label.rpartition("/")[2]
        if not self.wants(name, f"{found.namespace}/{name}", found.group):
            return
        errors = found.findings.errors()
        if skill is None or errors:
            self.skip(found.label, SkillInvalid(errors))
        elif found.promised and found.promised != name:
            self.skip(found.label, SourceInvalid(f"It is announced as {found.promised}, and is {name}."))
        else:
            self._keep(_imported(skill, found), found.group)

    def take_folder(self, folder: Path, label: str, source: str, group: str = "") -> None:
        """Keep the skill in a folder, or why it is none."""
        findings = Findings()
        files, executables = collect_files(folder, findings)
        self.take(Found(label, source, files, executables, group, findings=findings))

    def _keep(self, skill: Imported, group: str) -> None:
        self._met |= {skill.name, skill.plain, group}
        there = self._skills.get(skill.plain)
        if there is not None:
            if there.digest != skill.digest:
                reason = f"Another skill of its name came first, from {there.source}."
                self.skip(skill.source, SourceInvalid(reason, hint="Take one of them with `#folder`."))
            return
        self._bytes += sum(map(len, skill.files.values()))
        if len(self._skills) >= MAX_SKILLS or self._bytes > MAX_BYTES:
            limits = f"{MAX_SKILLS} skills and {MAX_BYTES // MIB} MiB"
            raise ImportTooLarge(f"There is more than an import takes: {limits}.")
        self._skills[skill.plain] = skill

    def skip(self, name: str, error: RaptorFlowError) -> None:
        """Leave something out."""
        self._met |= {name, name.rpartition("/")[2]}
        code, hint = str(error.problem().get("code", error.code)), error.hint
        reason = printable(error.message)
        self.skipped.append(Skipped(printable(name), code, reason, printable(hint) if hint else None))

    def missed(self) -> list[str]:
        """What was asked for and is not there."""
        return sorted(self.select - self._met)


def _imported(skill: Skill, found: Found) -> Imported:
    name = f"{found.namespace}/{skill.name}" if found.namespace else skill.name
    executables = frozenset(found.executables)
    requires = tuple(skill.requires)
    return Imported(name, skill.version, skill.digest, found.files, executables, found.source, requires)
