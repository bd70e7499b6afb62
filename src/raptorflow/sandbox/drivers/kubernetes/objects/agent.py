"""The config map that brings the agent into a pod: always the manager's own version."""

from pathlib import Path

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.objects.names import labels_of, shared_name
from raptorflow.sandbox.drivers.kubernetes.objects.pod import AGENT, RELAY, STARTER

INSIDE = Path(__file__).parent.parent / "inside"


def agent_files(instance: str, guest: Path) -> JsonObject:
    """The config map; its name follows its content, and the cluster lets nobody change it.

    Args:
        instance: whose it is.
        guest: the agent, one file of the standard library only.
    """
    files = {AGENT: guest, STARTER: INSIDE / STARTER, RELAY: INSIDE / RELAY}
    data = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": shared_name("agent", instance, data), "labels": labels_of(instance)},
        "data": data,
        "immutable": True,
    }
