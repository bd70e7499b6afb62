"""What is resolved: wishes, the versions there are, and what each of them requires."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from raptorflow.base.errors import Conflict
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.listing import Listing

Wishes = Mapping[str, str]
"""Skills (`namespace/name`), each with a version range."""


@dataclass(frozen=True)
class Candidate:
    """A version of a skill.

    Attributes:
        requires: skills that it builds on, each with a version range.
        source: where it comes from, for a person.
        listing: its files by digest, where they are known.
    """

    version: str
    requires: Mapping[str, str] = field(default_factory=dict[str, str])
    capabilities: Capabilities = field(default_factory=Capabilities)
    digest: str = ""
    source: str = ""
    listing: Listing | None = None


Universe = Mapping[str, Sequence[Candidate]]
"""Every version of every skill that can be reached, in any order."""


class DependenciesUnsolvable(Conflict):
    """No choice of versions fits all that is asked for; the message says why."""

    code = "dependencies-unsolvable"
    default_hint = "Ask for other versions, or leave one of the skills out."


class DependencyCycle(Conflict):
    """Skills require each other in a circle; the message names it."""

    code = "dependency-cycle"
    default_hint = "One of them has to stop requiring the next."
