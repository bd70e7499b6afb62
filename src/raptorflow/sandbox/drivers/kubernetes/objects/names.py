"""What the driver's objects are called, and how they are found again."""

import hashlib
from collections.abc import Mapping

from raptorflow.base.json import JsonObject, canonical

MARK = {"app.kubernetes.io/managed-by": "raptorflow", "app.kubernetes.io/component": "sandbox"}
INSTANCE = "raptorflow/instance"
SANDBOX_ID = "raptorflow/sandbox-id"
NONCE = "raptorflow/nonce"
SHOWN = "raptorflow/label-"
READABLE = 32
DIGEST = 12
LONGEST_VALUE = 1024


def labels_of(instance: str) -> dict[str, str]:
    """Carried by everything that one manager makes; the network policy selects by `MARK`."""
    return {**MARK, INSTANCE: instance}


def selector(instance: str) -> str:
    """Of what one manager made, as a query."""
    return ",".join(f"{name}={value}" for name, value in labels_of(instance).items())


def sandbox_name(instance: str, sandbox_id: str) -> str:
    """A DNS label: readable, and different for ids that only differ in case."""
    return f"rf-{_plain(sandbox_id).lower() or 'sandbox'}-{_digest(f'{instance}/{sandbox_id}'.encode())}"


def shared_name(what: str, instance: str, content: JsonObject) -> str:
    """For what sandboxes share: other content has another name, so nothing is ever changed in place."""
    return f"rf-{what}-{_digest(canonical([instance, content]))}"


def notes(sandbox_id: str, nonce: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Annotations of one sandbox: unlike labels, they take any text."""
    shown = {f"{SHOWN}{_plain(name) or 'label'}": value[:LONGEST_VALUE] for name, value in labels.items()}
    return {**shown, SANDBOX_ID: sandbox_id, NONCE: nonce}


def _plain(name: str) -> str:
    """What of a name fits into keys and names of the cluster."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    return kept.strip("-")[:READABLE].strip("-")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGEST]
