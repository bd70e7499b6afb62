"""The manifest in the documentation is valid, and allows what the driver asks for and nothing more."""

from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.drivers.kubernetes.checks import CLAIMS, PODS
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings

validating: Any = import_module("kubernetes_validate")
PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "sandboxes-on-kubernetes.md"
# Asked for where it exists, and done without.
METRICS = ("metrics.k8s.io", "pods", ("get",))


def manifest() -> list[JsonObject]:
    (text,) = PAGE.read_text().split("```yaml\n")[1:]
    return list(yaml.safe_load_all(text.split("```")[0]))


def test_the_manifest_is_valid() -> None:
    for thing in manifest():
        validating.validate(thing, "1.37", strict=True)


def test_the_role_is_what_the_driver_needs() -> None:
    (role,) = [thing for thing in manifest() if thing["kind"] == "Role"]
    granted = {
        (group, resource, tuple(rule["verbs"]))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert granted == {*PODS, *CLAIMS, METRICS}


def test_the_settings_that_are_named_exist() -> None:
    text = PAGE.read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = {name.strip(" `").lower() for row in rows for name in row.split(",")}
    lines = [line for line in text.splitlines() if line.startswith("export RAPTORFLOW_SANDBOX__KUBERNETES__")]
    named |= {line.split("__")[-1].split("=")[0].lower() for line in lines}
    assert named <= set(KubernetesSettings.model_fields)
