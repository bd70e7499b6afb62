"""What goes wrong around a sandbox, as opposed to inside one (which is a `SandboxResult`).

PartUnavailable
├── SandboxUnavailable          no sandbox can be built on this machine
├── SandboxGuaranteeMissing     one can, but it would not hold what the policy requires
├── SandboxStartFailed          this one could not be built
├── SandboxGone                 it has ended
└── SandboxBusy                 too many are running or waiting
InvalidInput
├── SandboxSpecInvalid          the run that was asked for makes no sense
└── FileRefused                 a file could not be put into a sandbox, or taken out
"""

from raptorflow.base.errors import InvalidInput, PartUnavailable


class SandboxUnavailable(PartUnavailable):
    """No sandbox can be built here; nothing is ever run without one."""

    code = "sandbox-unavailable"


class SandboxGuaranteeMissing(PartUnavailable):
    """The sandbox would not hold a guarantee that the policy requires."""

    code = "sandbox-guarantee-missing"
    default_hint = (
        "Run as root or under `systemd-run --user --scope -p Delegate=yes`, or allow the weaker guarantee "
        "with RAPTORFLOW_SANDBOX__ALLOW_SUPERVISED=true."
    )


class SandboxStartFailed(PartUnavailable):
    """A sandbox could not be built, although the machine can build them."""

    code = "sandbox-start-failed"
    default_hint = "Run `raptorflow sandbox check`; it says what this machine lacks."


class SandboxGone(PartUnavailable):
    """The sandbox has ended, and everything in it."""

    code = "sandbox-gone"
    default_hint = "Start a new one; a sandbox is used once."


class SandboxBusy(PartUnavailable):
    """No sandbox is free, and too many wait for one already."""

    code = "sandbox-busy"
    default_hint = "Try again in a moment, or raise RAPTORFLOW_SANDBOX__MAX_CONCURRENT."


class SandboxSpecInvalid(InvalidInput):
    """The run that was asked for makes no sense: an empty command, a missing folder, an unsafe name."""

    code = "sandbox-spec-invalid"


class FileRefused(InvalidInput):
    """A file could not be put into a sandbox or taken out of it."""

    code = "sandbox-file-refused"
    default_hint = "Regular files below /workspace can be taken, within the limits of size, number and depth."
