"""The pod of a sandbox: everything that it may not do is said here, and read back once it exists."""

import os
from pathlib import Path

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.agent import launch
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.kubernetes.objects.agent import FOLDER, HOLDER, agent_volume
from raptorflow.sandbox.drivers.kubernetes.settings import MIB, KubernetesSettings
from raptorflow.sandbox.spec import ENVIRONMENT, HELPER, SKILL, WORK

CONTAINER = "sandbox"
RUN_FOLDER = "/run/raptorflow"
SOCKET = f"{RUN_FOLDER}/agent.sock"
CACHE = f"pycache_prefix={RUN_FOLDER}/cache"
TMP = f"{os.sep}tmp"
USER = 65532
SMALL_BYTES = MIB
HELPER_BYTES = 4 * MIB
# Room for the log of the first process, which prints nothing unless it fails.
LOG_BYTES = 32 * MIB
# The folders of a blueprint's mounts: put in by the agent, since a cluster has no host to mount them from.
GIVEN = {"skill": SKILL, "env": ENVIRONMENT, "helper": HELPER}
# With 0 the API server forgets a pod at once and nobody learns whether its processes are dead.
GRACE_SECONDS = 1


def pod_spec(blueprint: Blueprint, settings: KubernetesSettings, agent: JsonObject) -> JsonObject:
    """What every pod of this blueprint is.

    Args:
        blueprint: its limits and the size of its workspace.
        settings: image, runtime class and what the operator accepts.
        agent: the config map with the agent's files.
    """
    spec: JsonObject = {
        "containers": [_container(blueprint, settings)],
        "volumes": _volumes(blueprint, settings, agent),
        "restartPolicy": "Never",
        "hostname": "sandbox",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "hostNetwork": False,
        "hostPID": False,
        "hostIPC": False,
        "shareProcessNamespace": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        **_without_names(),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": _seccomp(settings),
        },
    }
    if settings.runtime_class:
        spec["runtimeClassName"] = settings.runtime_class
    if settings.user_namespace:
        spec["hostUsers"] = False
    if settings.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in settings.image_pull_secrets]
    return spec


def has_room(target: Path) -> bool:
    """Whether a mount's place inside is one that files are put into."""
    return target != Path(launch.AGENT) and any(target.is_relative_to(place) for place in GIVEN.values())


def memory_bytes(blueprint: Blueprint, settings: KubernetesSettings) -> int:
    """The pod's limit: programs, every file in memory, and the agent."""
    files = sum(_sizes(blueprint, settings).values())
    return blueprint.limits.memory_bytes + files + settings.agent_bytes


def inner_command(settings: KubernetesSettings, program: str) -> tuple[str, ...]:
    """How one of the agent's files is started inside."""
    return (str(settings.python), "-I", "-S", "-X", CACHE, f"{FOLDER}/{program}", SOCKET)


def _container(blueprint: Blueprint, settings: KubernetesSettings) -> JsonObject:
    amounts = {
        "cpu": f"{max(1, round(blueprint.limits.cpus * 1000))}m",
        "memory": str(memory_bytes(blueprint, settings)),
        "ephemeral-storage": str(LOG_BYTES),
    }
    return {
        "name": CONTAINER,
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(inner_command(settings, HOLDER)),
        "workingDir": WORK,
        "resources": {"requests": amounts, "limits": dict(amounts)},
        "volumeMounts": _mounts(),
        "securityContext": {
            "privileged": False,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": _seccomp(settings),
        },
    }


def _mounts() -> list[JsonObject]:
    places = {"workspace": WORK, "tmp": TMP, "run": RUN_FOLDER, **GIVEN}
    writable: list[JsonObject] = [{"name": name, "mountPath": path} for name, path in places.items()]
    return [{"name": "agent", "mountPath": FOLDER, "readOnly": True}, *writable]


def _volumes(blueprint: Blueprint, settings: KubernetesSettings, agent: JsonObject) -> list[JsonObject]:
    # In memory: the kernel holds the size of such a file system. That of one on the node's disk is looked
    # at now and then, and a program fills a disk faster than that.
    return [
        agent_volume(agent),
        *(
            {"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": str(size)}}
            for name, size in _sizes(blueprint, settings).items()
        ),
    ]


def _sizes(blueprint: Blueprint, settings: KubernetesSettings) -> dict[str, int]:
    """Each writable place's bytes."""
    return {
        "workspace": blueprint.workspace_bytes,
        "tmp": settings.tmp_bytes,
        "run": SMALL_BYTES,
        "skill": settings.skill_bytes,
        "env": settings.environment_bytes,
        "helper": HELPER_BYTES,
    }


def _without_names() -> JsonObject:
    """No DNS: the only server that is named does not exist, and nothing of the cluster is told."""
    options = [{"name": "attempts", "value": "1"}, {"name": "timeout", "value": "1"}]
    return {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["127.0.0.1"], "options": options}}


def _seccomp(settings: KubernetesSettings) -> JsonObject:
    if settings.seccomp_profile:
        return {"type": "Localhost", "localhostProfile": settings.seccomp_profile}
    return {"type": "RuntimeDefault"}
