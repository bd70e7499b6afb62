"""P20 and P21: what a sandbox stands on, and what its engine is told."""

from pathlib import Path

from raptorflow.sandbox.attacks.lacking import lacking
from raptorflow.sandbox.attacks.lint import lint
from raptorflow.sandbox.attacks.model import Attack, NotLive, Trial, outcomes
from raptorflow.sandbox.attacks.program import together
from raptorflow.sandbox.attacks.rendering import RENDERED, allowed_roots
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.attacks.versions import flaws, is_setuid, versions
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.local.programs import bubblewraps
from raptorflow.sandbox.interpreter import Mount
from raptorflow.skills.capabilities import Limits

OLD = {
    "runc": ("runc version 1.1.11", "CVE-2024-21626"),
    "bubblewrap": ("bubblewrap 0.4.0", "CVE-2020-5291"),
    "containerd": ("containerd 1.6.0", "CVE-2022-23648"),
    "firecracker": ("Firecracker v1.14.3", "CVE-2026-5747"),
    "qemu": ("QEMU emulator version 8.2.2", "CVE-2024-3446"),
}
# One of these must be known, or nothing has been compared.
COMPONENTS = {
    "local": ("bubblewrap",),
    "docker": ("runc", "runsc", "containerd"),
    "microvm": ("firecracker", "qemu"),
}
OPEN = {
    "HostConfig": {
        "Privileged": True,
        "PidMode": "host",
        "NetworkMode": "bridge",
        "CapAdd": ["SYS_ADMIN"],
        "SecurityOpt": ["seccomp=unconfined", "systempaths=unconfined"],
        "Binds": ["/var/run/docker.sock:/x", "/etc:/etc"],
    },
    "spec": {"hostNetwork": True, "volumes": [{"hostPath": {"path": "/"}}]},
    "command": ["bwrap", "--unshare-all", "--share-net", "--bind", "/", "/"],
}
OPEN_WAYS = 14
BARE_WAYS = {"local": 7, "docker": 8, "microvm": 9, "kubernetes": 9}


async def known_flaws(stage: Stage) -> Trial:
    """P20: versions with flaws that let programs out."""
    here = await versions(stage.settings, stage.report)
    setuid = any(is_setuid(path) for path in bubblewraps(stage.settings)[:1])
    parts = [name for name in COMPONENTS.get(stage.driver, ()) if name in here]
    found = [flaw for name in parts for flaw in flaws(name, here[name], setuid=setuid)]
    if stage.driver == "local" and setuid:
        found.append("bubblewrap is set-user-id root, which the sandbox does not need")
    certain = [flaw for flaw in found if "unless" not in flaw]
    old = [flaw for name, (version, _) in OLD.items() for flaw in flaws(name, version, setuid=True)]
    words = together(found) or together(f"{name}: {here[name]}" for name in parts)
    control = {cve for _, cve in OLD.values()} <= {flaw.split()[0].strip(",") for flaw in old}
    return Trial(
        outcomes("through" if certain else "absent" if parts else "broken"),
        words,
        control,
        f"{len(old)} flaws found in old versions",
    )


async def forbidden(stage: Stage) -> Trial:
    """P21: the configuration that the engine is given."""
    show = RENDERED.get(stage.driver)
    if show is None:
        raise NotLive("the driver does not show what it tells its engine")
    found: list[str] = []
    for reach in (False, True):
        blueprint = _blueprint(stage, reach=reach)
        rendered = show(blueprint, stage.settings)
        found += lint(rendered, allowed_roots=allowed_roots(blueprint)) + lacking(stage.driver, rendered)
    control, bare = lint(OPEN, allowed_roots=["/usr"]), lacking(stage.driver, {})
    return Trial(
        outcomes("through" if found else "absent"),
        together(found) or "nothing forbidden in it, and nothing missing",
        len(control) >= OPEN_WAYS and len(bare) >= BARE_WAYS[stage.driver],
        f"{len(control)} forbidden things found in a configuration that has them, "
        f"{len(bare)} missing ones in an empty one",
    )


def _blueprint(stage: Stage, *, reach: bool) -> Blueprint:
    mounts = (Mount(stage.folder, Path("/skill")),)
    return Blueprint(Limits(), mounts, stage.python, reach, Limits().disk_bytes)


CONFIGURATION = (
    Attack(
        "P20",
        "Known flaws",
        "look for an engine in a version that lets programs out",
        "the versions of what the sandbox stands on are known, and compared with what was mended where",
        known_flaws,
        outcomes("absent"),
        not_for={"kubernetes": "the nodes' versions are the cluster's matter"},
    ),
    Attack(
        "P21",
        "A configuration that is left open",
        "look for privileges, the machine's namespaces, sockets, folders, and protections switched off",
        "what the engine is told is built in one place from the blueprint, and nothing in it can be set",
        forbidden,
        outcomes("absent"),
    ),
)
