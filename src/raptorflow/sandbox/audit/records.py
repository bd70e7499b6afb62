"""What is written down. Each record has fields of its own, and none of them takes a value of the guest's.

There is no field for arguments, variables, headers, bodies or error texts: what is not a name, a number, a
digest or one of our own codes has no place here, and so no secret has. Names that a guest may choose (of
files) are made printable and cut; everything else must fit its form.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from raptorflow.skills.capabilities import SECRET
from raptorflow.skills.text import printable

LONGEST_NAME = 512


def _cut(value: object) -> object:
    return printable(value)[:LONGEST_NAME] if isinstance(value, str) else value


Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$", max_length=64)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/@+-]*$", max_length=200)]
# The percent sign is of addresses with a zone.
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:%\[\]-]*$", max_length=255)]
SecretName = Annotated[str, StringConstraints(pattern=rf"^{SECRET.pattern}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=-(2**53), le=2**53)]
GuestName = Annotated[str, BeforeValidator(_cut)]


class Record(BaseModel):
    """A thing that happened."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Subject(Record):
    """To whom.

    Attributes:
        sandbox: its id; None where none came to be.
        run: the run that it is for.
        tenant: the organisation.
        skill: `owner/name@version`.
    """

    sandbox: Id | None = None
    run: Id | None = None
    tenant: Id | None = None
    skill: Id | None = None


class Created(Record):
    """A sandbox was made, or taken from the pool."""

    kind: Literal["create"] = "create"
    driver: Code
    path: Literal["cold", "warm", "snapshot"]
    took_ms: float
    policy: Digest | None = None
    """Of the capabilities that it was given."""


class Executed(Record):
    """A program ended.

    Attributes:
        program: its name, without its arguments; `cell` for a piece of code in a session.
        arguments: SHA-256 of all of them, in canonical JSON; of a cell, of its code.
        stdout: SHA-256 of the whole stream, as far as it was read.
    """

    kind: Literal["exec"] = "exec"
    program: GuestName
    arguments: Digest
    status: Code
    exit_code: Count | None = None
    wall_ms: float
    cpu_ms: float | None = None
    peak_memory_bytes: Count | None = None
    stdout_bytes: Count = 0
    stderr_bytes: Count = 0
    stdout: Digest | None = None


class FileMoved(Record):
    """A file went in or came out."""

    kind: Literal["file"] = "file"
    direction: Literal["in", "out"]
    name: GuestName
    size: Count
    sha256: Digest | None = None
    refused: Code | None = None


class Egress(Record):
    """A connection that a sandbox asked for.

    Attributes:
        connection: its id; what is allowed has a record when it is and another when it is over.
        stage: which of the two.
        way: `connect`, `http`, `services`, `connection` (refused before it said what it wants), or `secret`
            (a request on it that carries one).
        host: of a service call the service.
        operation: of a service call.
        address: the one that was dialled.
        rule: which line allowed it.
        reason: the code of the refusal, or how it ended.
        secret: the name of the secret that was injected.
        times: how many alike this record stands for, when more than one.
        handles_left: how often a secret's handle stood where it is not replaced, when it did.
    """

    kind: Literal["egress"] = "egress"
    decision: Literal["allowed", "denied"]
    host: Host
    port: Count
    address: Host | None = None
    rule: GuestName | None = None
    reason: Code | None = None
    secret: SecretName | None = None
    connection: Id | None = None
    stage: Literal["decided", "ended"] | None = None
    way: Code | None = None
    operation: Host | None = None
    times: Count | None = None
    handles_left: Count | None = None
    bytes_up: Count = 0
    bytes_down: Count = 0
    took_ms: float | None = None


class EgressCounted(Record):
    """Connections that were not written one by one, because there were too many."""

    kind: Literal["egress-counted"] = "egress-counted"
    decision: Literal["allowed", "denied"]
    way: Code | None = None
    """`secret` when it is requests with a secret that were counted; they are within connections."""
    count: Count
    bytes_up: Count
    bytes_down: Count
    handles_left: Count | None = None
    hosts: dict[Host, Count]
    """By `host:port`, the first few."""
    other_hosts: Count
    """Connections to further ones."""


class LimitHit(Record):
    """A limit held."""

    kind: Literal["limit"] = "limit"
    limit: Code
    allowed: float | None = None


class Killed(Record):
    """A program, or all of a sandbox, was ended by force."""

    kind: Literal["kill"] = "kill"
    reason: Code


class Destroyed(Record):
    """A sandbox was removed."""

    kind: Literal["destroy"] = "destroy"
    reason: Code
    lived_ms: float
    cpu_ms: float | None = None
    peak_memory_bytes: Count | None = None


class Refused(Record):
    """A sandbox that was asked for was not given, or something asked of one was not done."""

    kind: Literal["refusal"] = "refusal"
    code: Code
    guarantees: tuple[Code, ...] = ()


class Torn(Record):
    """The last write before this one did not end: the program was killed, or the machine stopped.

    What it left is kept aside; nothing that was reported as written is lost by it.
    """

    kind: Literal["torn"] = "torn"
    file: Id
    kept_in: Id
    size: Count
    sha256: Digest


Entry = Created | Executed | FileMoved | Egress | EgressCounted | LimitHit | Killed | Destroyed | Refused

# The nearest classes of the Open Cybersecurity Schema Framework, for those who collect by them.
OCSF_CLASSES = {
    "create": "Application Lifecycle",
    "destroy": "Application Lifecycle",
    "exec": "Process Activity",
    "kill": "Process Activity",
    "file": "File System Activity",
    "egress": "Network Activity",
    "egress-counted": "Network Activity",
    "limit": "Detection Finding",
    "refusal": "Authorize Session",
    "torn": "Application Lifecycle",
}
