"""Every object that is sent is held against its schema: Kubernetes' own, and agent-sandbox's as published."""

from functools import cache
from importlib import import_module
from typing import Any

import jsonschema

from raptorflow.base.json import JsonObject, canonical, loads

# Without type hints of its own.
validating: Any = import_module("kubernetes_validate")
KUBERNETES = "1.37"
CUSTOM = "extensions.agents.x-k8s.io/v1beta1"
STRINGS: JsonObject = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA: JsonObject = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}},
}


class Invalid(Exception):
    """What the schema says against an object."""


def check(thing: JsonObject) -> None:
    """Hold one object against its schema, strictly: a field that does not exist is an error."""
    if thing["apiVersion"] == CUSTOM:
        _against(SPECS[thing["kind"]], thing)
        if thing["kind"] == "SandboxTemplate":
            _pod_template(thing["spec"]["podTemplate"])
        return
    if said := _said(canonical(_alike(thing))):
        raise Invalid(f"{thing['kind']}: {said}")


@cache
def _said(thing: bytes) -> str | None:
    """The schema's objection; kept, because the library reads all of its schemas for each object."""
    try:
        validating.validate(loads(thing), KUBERNETES, strict=True)
    except validating.ValidationError as error:
        return str(error.message)
    return None


def _alike(thing: JsonObject) -> JsonObject:
    """The same object under one name, so that one answer serves for all; what is no text stays as it is."""
    meta = {**thing.get("metadata", {})}
    if isinstance(meta.get("name"), str):
        meta["name"] = "one"
    notes: JsonObject = meta.get("annotations", {})
    meta["annotations"] = {name: "one" if isinstance(text, str) else text for name, text in notes.items()}
    return {**thing, "metadata": meta}


def _pod_template(template: JsonObject) -> None:
    """What is inside is a pod's labels and spec."""
    check(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": template.get("metadata", {}),
            "spec": template["spec"],
        }
    )


def _against(spec: JsonObject, thing: JsonObject) -> None:
    schema = _closed({"apiVersion": {}, "kind": {}, "metadata": METADATA, "spec": spec}, "metadata", "spec")
    checking: Any = jsonschema
    try:
        checking.validate(thing, schema)
    except checking.ValidationError as error:
        raise Invalid(f"{thing['kind']}: {error.message}") from error


def _closed(properties: JsonObject, *required: str) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _one_of(*values: str) -> JsonObject:
    return {"enum": list(values)}


_NAMED = _closed({"name": {"type": "string"}}, "name")
_POLICY = _one_of("Disallowed", "Allowed", "Overrides")
# Facts of the published definitions: fields, which are required, and which values they take.
SPECS: dict[str, JsonObject] = {
    "SandboxTemplate": _closed(
        {
            "podTemplate": _closed(
                {
                    "spec": {"type": "object"},
                    "metadata": _closed({"labels": STRINGS, "annotations": STRINGS}),
                },
                "spec",
            ),
            "service": {"type": "boolean"},
            "volumeClaimTemplates": {"type": "array"},
            "networkPolicy": _closed({"ingress": {"type": "array"}, "egress": {"type": "array"}}),
            "networkPolicyManagement": _one_of("Managed", "Unmanaged"),
            "envVarsInjectionPolicy": _POLICY,
            "volumeClaimTemplatesPolicy": _POLICY,
        },
        "podTemplate",
    ),
    "SandboxWarmPool": _closed(
        {
            "replicas": {"type": "integer", "minimum": 0},
            "sandboxTemplateRef": _NAMED,
            "updateStrategy": _closed({"type": _one_of("Recreate", "OnReplenish")}),
        },
        "sandboxTemplateRef",
    ),
    "SandboxClaim": _closed(
        {
            "warmPoolRef": _NAMED,
            "lifecycle": _closed(
                {
                    "shutdownTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                    "shutdownPolicy": _one_of("Delete", "DeleteForeground", "Retain"),
                    "ttlSecondsAfterFinished": {"type": "integer", "minimum": 0},
                }
            ),
            "additionalPodMetadata": _closed({"labels": STRINGS, "annotations": STRINGS}),
        },
        "warmPoolRef",
    ),
}
