"""Why a source does not give what it was asked for."""

from raptorflow.base.errors import NotAuthenticated, NotFound, PartUnavailable


class GitMissing(PartUnavailable):
    """The program `git` is not installed."""

    code = "git-missing"
    default_hint = "Install git, or name a folder that was cloned elsewhere."


class SourceUnreachable(PartUnavailable):
    """A repository or a site does not answer, or not in time."""

    code = "source-unreachable"
    default_hint = "Check the address, the network, and whether you may read it."


class RefMissing(NotFound):
    """A repository has no such branch, tag, commit or folder."""

    code = "ref-missing"
    default_hint = "Name a branch, a tag or a whole commit of 40 digits; and a folder that is there."


class NothingOffered(NotFound):
    """A source has no skills."""

    code = "nothing-offered"
    default_hint = "A skill is a folder with a SKILL.md."


class TokenMissing(NotAuthenticated):
    """Another RaptorFlow wants to know who asks."""

    code = "source-token-missing"
    default_hint = "Set RAPTORFLOW_SOURCE_TOKEN to a personal access token of that server."
