"""What can go wrong with a sandbox."""

from raptorflow.base.errors import PartUnavailable


class SandboxUnavailable(PartUnavailable):
    """No sandbox can be made on this machine."""

    code = "sandbox-unavailable"


class SandboxGuaranteeMissing(PartUnavailable):
    """The kernel cannot keep a guarantee here, and the policy does not allow a weaker one."""

    code = "sandbox-guarantee-missing"
    default_hint = (
        "Run as root or in a delegated cgroup, or accept supervision instead: "
        "RAPTORFLOW_SANDBOX__ALLOW_SUPERVISED=true."
    )
