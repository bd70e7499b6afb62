"""The Kubernetes driver's branch of the settings."""

from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import BaseModel, Field

from raptorflow.sandbox.probing import Boundary

MIB = 1024 * 1024
DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
BY_DIGEST = r"^[^@\s]+@sha256:[0-9a-f]{64}$"


class KubernetesSettings(BaseModel):
    """How sandboxes are made on a cluster. What weakens a sandbox must be said in so many words."""

    kubeconfig: Path | None = None
    """How the cluster is reached; the service account of this program's own pod when not given."""
    context: str | None = None
    """Which context of the kubeconfig; its current one when not given."""
    namespace: str = Field(default="raptorflow-sandboxes", pattern=DNS_LABEL)
    """Where sandboxes live; nothing else should."""
    instance: str = Field(default="default", pattern=DNS_LABEL)
    """Whose sandboxes they are. Managers that share a namespace need a name each, or one reaps another's. Who
    was given none reaps nothing."""
    image: str | None = Field(default=None, pattern=BY_DIGEST)
    """What sandboxes are started from, by digest; it holds the interpreter and what skills may call."""
    python: PurePosixPath = PurePosixPath("/usr/bin/python3")
    """The interpreter inside the image, 3.11 or later."""
    image_pull_secrets: tuple[str, ...] = ()
    """Names of the namespace's secrets that the node pulls the image with."""
    kind: Literal["auto", "pods", "agent-sandbox"] = "auto"
    """Plain pods, or claims of the agent-sandbox project; `auto` takes claims where the cluster has them."""
    warm: int = Field(default=0, ge=0, le=1000)
    """How many sandboxes of each blueprint agent-sandbox keeps ready at first."""
    runtime_class: str | None = None
    """The RuntimeClass: one of gVisor or Kata Containers."""
    accept_shared_kernel: bool = False
    """Run also without a RuntimeClass that separates sandboxes from the node's kernel."""
    boundary: Boundary | None = None
    """What the RuntimeClass puts in between, where its handler's name does not tell."""
    user_namespace: bool = True
    """Whether each pod has a user namespace; not every runtime class can."""
    seccomp_profile: str | None = None
    """A profile below the kubelet's seccomp folder; the runtime's default when not given."""
    network_policy_enforced: bool = False
    """The operator's word that the cluster's network plugin enforces policies; the API cannot tell."""
    pod_pids_limit: int | None = Field(default=None, ge=1)
    """The operator's word that the kubelets run with this `podPidsLimit`; the API cannot tell."""
    lifetime_seconds: int = Field(default=4 * 3600, ge=60)
    """After that the cluster ends a sandbox, whatever happens."""
    start_seconds: float = Field(default=60.0, gt=0)
    """How long a sandbox may take to become ready."""
    schedule_seconds: float = Field(default=10.0, gt=0)
    """How long it may be that no node takes it; longer where nodes are added on demand."""
    destroy_seconds: float = Field(default=20.0, gt=0)
    """How long the node may take to confirm an end before the pod is removed by force."""
    stats_seconds: float = Field(default=5.0, ge=0)
    """How old a measurement may be; the cluster's own are older than that."""
    settle_seconds: float = Field(default=3.0, ge=0)
    """How long the cluster may take to say how a sandbox ended whose channel has."""
    request_seconds: float = Field(default=15.0, gt=0)
    """How long one request to the API may take."""
    retries: int = Field(default=5, ge=0, le=20)
    """How often a request is sent again after an answer that says to, or none."""
    tmp_bytes: int = Field(default=64 * MIB, ge=MIB)
    skill_bytes: int = Field(default=32 * MIB, ge=MIB)
    """Room for the copy of the skill's folder; it counts as memory."""
    environment_bytes: int = Field(default=256 * MIB, ge=MIB)
    """Room for the copy of the skill's environment; it counts as memory."""
    agent_bytes: int = Field(default=64 * MIB, ge=16 * MIB)
    """Memory for the guest agent itself, on top of the limits of what it runs."""

    @property
    def is_alone(self) -> bool:
        """Whether the operator has named this manager, and so said that no other has its name."""
        return "instance" in self.model_fields_set
