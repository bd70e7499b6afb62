"""Which control groups this user may make, found by making one."""

from collections.abc import Iterator
from pathlib import Path

from raptorflow.sandbox.cgroups.group import Groups
from raptorflow.sandbox.cgroups.v1 import GroupsV1, places_v1
from raptorflow.sandbox.cgroups.v2 import GroupsV2, make_room, own_place, places_v2
from raptorflow.sandbox.driver import Blueprint
from raptorflow.skills.capabilities import MIB, Limits

ROOT = Path("/sys/fs/cgroup")
PROC = Path("/proc/self")
TRIAL = Blueprint(Limits(), (), Path("/"), reach=False, workspace_bytes=MIB)


def find_groups(name: str) -> Groups | None:
    """A place for groups with memory, processes and CPU; None when this user may make none.

    Args:
        name: of the folder that is made there.
    """
    return next(_found(name), None)


def _found(name: str) -> Iterator[Groups]:
    membership = (PROC / "cgroup").read_text()
    if places := places_v1((PROC / "mountinfo").read_text(), membership):
        try:
            yield _tried(GroupsV1(places, name))
        except OSError:
            return
    for place in places_v2(ROOT, membership):
        try:
            make_room(place, own_place(ROOT, membership))
            yield _tried(GroupsV2(place, name))
        except OSError:
            continue


def _tried(groups: Groups) -> Groups:
    """The same, after a group with limits could be made."""
    try:
        groups.make("trial", TRIAL).remove()
    except OSError:
        for folder in groups.folders:
            folder.rmdir()
        raise
    return groups
