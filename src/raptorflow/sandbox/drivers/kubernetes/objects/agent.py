"""The config map that brings the agent into a pod: always the manager's own version."""

from pathlib import Path

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.agent import launch
from raptorflow.sandbox.drivers.kubernetes.objects.names import labels_of, shared_name

FOLDER = "/opt/raptorflow-agent"
HOLDER, ENTRY = "holder.py", "entry.py"
INSIDE = Path(__file__).parent.parent / "inside"
GUEST = Path(launch.__file__).parent / launch.PACKAGE


def agent_files(instance: str) -> JsonObject:
    """The config map; its name follows its content, and the cluster lets nobody change it.

    A key cannot have slashes: `guest.main.py` stands for `guest/main.py`.
    """
    files = {name: INSIDE / name for name in (HOLDER, ENTRY)}
    files |= {f"{launch.PACKAGE}.{path.name}": path for path in sorted(GUEST.glob("*.py"))}
    data = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": shared_name("agent", instance, data), "labels": labels_of(instance)},
        "data": data,
        "immutable": True,
    }


def agent_volume(files: JsonObject) -> JsonObject:
    """The volume with each file at its place."""
    prefix = f"{launch.PACKAGE}."
    items = [
        {"key": key, "path": key.replace(prefix, f"{launch.PACKAGE}/", 1) if key.startswith(prefix) else key}
        for key in files["data"]
    ]
    config: JsonObject = {"name": files["metadata"]["name"], "items": items, "defaultMode": 0o444}
    return {"name": "agent", "configMap": config}
