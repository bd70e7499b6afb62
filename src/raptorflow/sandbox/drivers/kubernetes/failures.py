"""The API server's refusals as errors that a person can act on."""

from raptorflow.sandbox.drivers.kubernetes.api import ApiError
from raptorflow.sandbox.errors import SandboxStartFailed, SandboxUnavailable

CREDENTIALS = "Look at the kubeconfig's user, or at the service account of the manager's pod: it was refused."
ROLE = "Bind the role of docs/how-to/sandboxes-on-kubernetes.md to the manager's service account."
QUOTA = "Raise the namespace's ResourceQuota, or lower RAPTORFLOW_SANDBOX__MAX_CONCURRENT."
ADMISSION = "An admission rule of the cluster refuses the pod: exempt the sandboxes' namespace from it."
TAKEN = "Give each manager its own RAPTORFLOW_SANDBOX__KUBERNETES__INSTANCE."
BUSY = "The API server is overloaded: try again in a moment, or give the manager's requests a priority level."
SILENT = "Look whether the API server is up and can be reached from here."
VERSION = "Look whether the cluster runs a version of Kubernetes that the documentation names."
HINTS = {0: SILENT, 401: CREDENTIALS, 409: TAKEN, 422: ADMISSION, 429: BUSY}
SERVER_SIDE = 500


def start_failed(error: ApiError) -> SandboxStartFailed:
    """Why one sandbox could not be made."""
    return SandboxStartFailed(f"The cluster did not make the sandbox: {error}.", hint=hint(error))


def unavailable(error: ApiError) -> SandboxUnavailable:
    """Why none can be made."""
    return SandboxUnavailable(f"The cluster cannot be used: {error}.", hint=hint(error))


def hint(error: ApiError) -> str:
    """What to do about a refusal."""
    if error.status == 403:
        return _forbidden(error.message)
    return HINTS.get(error.status, SILENT if error.status >= SERVER_SIDE else VERSION)


def _forbidden(message: str) -> str:
    """Roles, quotas and admission all answer 403; their words differ."""
    if "exceeded quota" in message:
        return QUOTA
    return (
        ADMISSION if "PodSecurity" in message or "admission" in message or "RuntimeClass" in message else ROLE
    )
