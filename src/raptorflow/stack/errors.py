"""What can go wrong with the embedded parts."""

from raptorflow.base.errors import Conflict, PartUnavailable
from raptorflow.base.json import JsonObject


class StackAlreadyRunning(Conflict):
    """Another process holds this data folder; `details["pid"]` says which."""

    code = "stack-already-running"
    default_hint = (
        "Stop the other one with Ctrl-C in its terminal, or start with another folder: `--data DIR`."
    )


class ProgramMissing(PartUnavailable):
    """A program that a wheel should have brought is not there."""

    code = "program-missing"
    default_hint = "Install the dependencies again: `make install`."


class ServiceAccountMissing(PartUnavailable):
    """Root cannot run the servers itself, and there is no account to run them as."""

    code = "service-account-missing"


class EmbeddedPartFailed(PartUnavailable):
    """An embedded server did not start; the message ends with the last lines of its log."""

    code = "embedded-part-failed"


class ProgramFailed(EmbeddedPartFailed):
    """A program of ours did not start, and said why: its own code, sentence and hint are shown."""

    def __init__(self, problem: JsonObject) -> None:
        super().__init__(str(problem.get("detail")), hint=problem.get("hint"))
        self._problem = problem

    def problem(self, instance: str | None = None) -> JsonObject:
        """The program's own problem document."""
        return super().problem(instance) | self._problem


class DatabaseOfOtherVersion(Conflict):
    """The data folder was written by another major version of PostgreSQL."""

    code = "database-of-other-version"


class SecretsLost(PartUnavailable):
    """The data folder has a database and no passwords for it."""

    code = "secrets-lost"


class FolderUnusable(PartUnavailable):
    """A data folder cannot be made or written to."""

    code = "folder-unusable"
    default_hint = "Choose another: `--data DIR` or RAPTORFLOW_DATA__DIR."


class FolderNotPrivate(PartUnavailable):
    """A folder that must belong to one user alone is another's, or open to others."""

    code = "folder-not-private"
