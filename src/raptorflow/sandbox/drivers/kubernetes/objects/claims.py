"""The custom resources of agent-sandbox, v1beta1: a template, a pool of warm sandboxes, a claim to one.

Source: https://github.com/kubernetes-sigs/agent-sandbox, `api/v1beta1` and `extensions/api/v1beta1`.
"""

from datetime import datetime

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.objects.names import labels_of, shared_name

CORE, EXTENSIONS, VERSION = "agents.x-k8s.io", "extensions.agents.x-k8s.io", "v1beta1"
API_VERSION = f"{EXTENSIONS}/{VERSION}"
POD_NAME = "agents.x-k8s.io/pod-name"
NEEDED = {"sandboxtemplates", "sandboxwarmpools", "sandboxclaims"}


def template(instance: str, spec: JsonObject) -> JsonObject:
    """What warm sandboxes are made from.

    Left out, `networkPolicy` means that the controller opens the public internet; given and empty, that it
    denies everything. Environment variables and volumes on a claim would force a cold start, and are refused.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": "SandboxTemplate",
        "metadata": {"name": shared_name("template", instance, spec), "labels": labels_of(instance)},
        "spec": {
            "podTemplate": {"metadata": {"labels": labels_of(instance)}, "spec": spec},
            "service": False,
            "networkPolicyManagement": "Managed",
            "networkPolicy": {"ingress": [], "egress": []},
            "envVarsInjectionPolicy": "Disallowed",
            "volumeClaimTemplatesPolicy": "Disallowed",
        },
    }


def warm_pool(instance: str, name: str, replicas: int) -> JsonObject:
    """A pool of sandboxes of the template with the same name; of size 0, claims start cold."""
    return {
        "apiVersion": API_VERSION,
        "kind": "SandboxWarmPool",
        "metadata": {"name": name, "labels": labels_of(instance)},
        "spec": {
            "replicas": replicas,
            "sandboxTemplateRef": {"name": name},
            "updateStrategy": {"type": "Recreate"},
        },
    }


def claim(name: str, instance: str, pool: str, notes: dict[str, str], ends: datetime) -> JsonObject:
    """One sandbox of a pool; after its end the controller removes it and everything of it."""
    return {
        "apiVersion": API_VERSION,
        "kind": "SandboxClaim",
        "metadata": {"name": name, "labels": labels_of(instance), "annotations": notes},
        "spec": {
            "warmPoolRef": {"name": pool},
            "lifecycle": {
                "shutdownTime": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "shutdownPolicy": "DeleteForeground",
            },
        },
    }
