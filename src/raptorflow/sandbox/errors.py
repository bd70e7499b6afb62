"""What goes wrong around a sandbox, as opposed to inside one (which is a `SandboxResult`).

PartUnavailable
├── SandboxUnavailable          no sandbox can be built on this machine
└── SandboxGuaranteeMissing     one can, but it would not hold what the policy requires
InvalidInput
└── SandboxSpecInvalid          the run that was asked for makes no sense
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


class SandboxSpecInvalid(InvalidInput):
    """The run that was asked for makes no sense: an empty command, a missing folder, an unsafe name."""

    code = "sandbox-spec-invalid"
