"""The pod: valid for every version of Kubernetes that is supported, and without one weak place."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from raptorflow.base.json import JsonObject, dumps
from raptorflow.sandbox.agent import launch
from raptorflow.sandbox.attacks.lint import lint
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.drivers.kubernetes.objects.agent import agent_files
from raptorflow.sandbox.drivers.kubernetes.objects.names import labels_of
from raptorflow.sandbox.drivers.kubernetes.objects.pod import pod_spec
from raptorflow.sandbox.drivers.kubernetes.objects.policy import deny_all
from raptorflow.sandbox.drivers.kubernetes.objects.quantity import quantity
from raptorflow.sandbox.drivers.kubernetes.settings import MIB, KubernetesSettings
from raptorflow.sandbox.interpreter import Mount
from raptorflow.skills.capabilities import Limits

validating: Any = import_module("kubernetes_validate")
IMAGE = f"images.example/sandbox@sha256:{'0' * 64}"
SUPPORTED = [f"1.{minor}" for minor in range(30, 38)]
LIMITS = Limits(memory_bytes=100 * MIB, cpus=0.25)
BLUEPRINT = Blueprint(LIMITS, (), Path("/usr/bin/python3"), reach=False, workspace_bytes=10 * MIB)


def spec_of(**settings: Any) -> JsonObject:
    given: dict[str, Any] = {"image": IMAGE, "runtime_class": "gvisor", **settings}
    return pod_spec(BLUEPRINT, KubernetesSettings(**given), agent_files("default"))


@pytest.mark.parametrize("version", SUPPORTED)
def test_everything_is_valid(version: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec_of()}
    for thing in (pod, agent_files("default"), deny_all()):
        validating.validate(thing, version, strict=True)


def test_nothing_of_the_node_and_nothing_of_the_cluster_is_inside() -> None:
    spec = spec_of()
    for name in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"):
        assert spec[name] is False
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert {kind for volume in spec["volumes"] for kind in volume} == {"name", "configMap", "emptyDir"}
    assert "env" not in spec["containers"][0]
    assert spec["dnsPolicy"] == "None"
    assert spec["dnsConfig"]["nameservers"] == ["127.0.0.1"]


def test_the_list_of_what_no_sandbox_may_have_finds_nothing() -> None:
    assert lint(spec_of()) == []
    assert lint({**spec_of(), "hostPID": True}) != []


def test_a_program_inside_has_no_power() -> None:
    security = spec_of()["containers"][0]["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["privileged"] is security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is security["runAsNonRoot"] is True
    assert security["runAsUser"] == security["runAsGroup"] == 65532
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}


def test_an_own_filter_of_system_calls_is_for_the_pod_and_its_container() -> None:
    spec = spec_of(seccomp_profile="raptorflow/skill.json")
    wanted = {"type": "Localhost", "localhostProfile": "raptorflow/skill.json"}
    assert spec["securityContext"]["seccompProfile"] == wanted
    assert spec["containers"][0]["securityContext"]["seccompProfile"] == wanted


def test_what_is_requested_is_the_limit_and_holds_every_file_in_memory() -> None:
    spec = spec_of()
    (container,) = spec["containers"]
    assert container["resources"]["requests"] == container["resources"]["limits"]
    limits = container["resources"]["limits"]
    assert limits["cpu"] == "250m"
    rooms = [volume["emptyDir"] for volume in spec["volumes"] if "emptyDir" in volume]
    assert {room["medium"] for room in rooms} == {"Memory"}
    files = sum(quantity(room["sizeLimit"]) for room in rooms)
    settings = KubernetesSettings()
    assert quantity(limits["memory"]) == files + LIMITS.memory_bytes + settings.agent_bytes


def test_a_runtime_class_and_a_user_namespace_are_left_out_only_when_the_operator_says_so() -> None:
    spec = spec_of(runtime_class=None, accept_shared_kernel=True, user_namespace=False)
    assert "runtimeClassName" not in spec
    assert "hostUsers" not in spec


@pytest.mark.parametrize("image", ["images.example/sandbox:latest", "images.example/sandbox", "sha256:00"])
def test_an_image_without_a_digest_is_refused(image: str) -> None:
    with pytest.raises(ValidationError):
        KubernetesSettings(image=image)


def test_other_content_has_another_name() -> None:
    one, other = agent_files("one"), agent_files("other")
    assert one["metadata"]["name"] != other["metadata"]["name"]
    assert one["metadata"]["labels"] == labels_of("one")
    # The API server takes a megabyte.
    assert len(dumps(one)) < 500_000


def test_of_a_blueprints_mounts_those_are_put_in_that_neither_image_nor_agent_bring() -> None:
    places = ("/skill", "/env", "/opt/raptorflow/raptorflow_skill", "/opt/python", launch.AGENT)
    mounts = tuple(Mount(Path("/src"), Path(place)) for place in places)
    blueprint = Blueprint(LIMITS, mounts, Path("/usr/bin/python3"), reach=False, workspace_bytes=MIB)
    put = KubernetesDriver(KubernetesSettings()).to_put(blueprint)
    assert [str(mount.target) for mount in put] == list(places[:3])
