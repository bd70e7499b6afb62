"""What a local sandbox uses, by its control group or else its processes; and what holds each of them."""

import math
import os
import resource
from dataclasses import replace

from raptorflow.sandbox.cgroups.group import Group
from raptorflow.sandbox.driver import AGENT_BYTES, AGENT_TASKS, Blueprint, Usage
from raptorflow.sandbox.drivers.local.processes import tree_use
from raptorflow.sandbox.drivers.local.start import Box

# Bubblewrap itself is in the group, and the first process inside.
BUILDERS = 2
# Where a watch counts, it counts what is inside.
OWN_TASKS = 1 + AGENT_TASKS
# Libraries reserve more than they use; the watch holds what is used.
RESERVED_FACTOR = 4
# What the kernel keeps for each file of a file system in memory, beside its content.
FILE_BYTES = 1280
PAGE = os.sysconf("SC_PAGE_SIZE")


class Meter:
    """Measures one sandbox.

    Args:
        box: the sandbox.
        group: holds it; None where supervision has to.
        blueprint: its limits.
    """

    def __init__(self, box: Box, group: Group | None, blueprint: Blueprint) -> None:
        self._box = box
        self._group = group
        self._memory = blueprint.limits.memory_bytes + AGENT_BYTES
        self._tasks = blueprint.limits.pids + OWN_TASKS
        self._peak = 0
        # What building it took is not the program's.
        self._spent_before = (group.usage().cpu_ms or 0) if group else 0

    def usage(self) -> Usage:
        """What it uses now, and whether a limit is passed that only this watch holds."""
        return self._grouped(self._group) if self._group else self._watched()

    def _grouped(self, group: Group) -> Usage:
        """The group holds processes and files together; here the processes alone are measured."""
        use = group.memory()
        counted = group.usage()
        alone = use.anonymous + max(0, use.shared - self._box.file_bytes())
        return Usage(
            cpu_ms=None if counted.cpu_ms is None else round(counted.cpu_ms - self._spent_before, 3),
            memory_bytes=alone,
            peak_memory_bytes=counted.peak_memory_bytes,
            out_of_memory=counted.out_of_memory,
            tasks_refused=counted.tasks_refused,
            throttled=counted.throttled,
            disk_full=self._box.is_full(),
            over="oom" if alone > self._memory else None,
        )

    def _watched(self) -> Usage:
        use = tree_use(self._box.first, enough_bytes=self._memory)
        # What is in files has its own limit; that there are files is kept in the kernel's memory.
        memory = use.memory_bytes + self._box.files() * FILE_BYTES
        self._peak = max(self._peak, memory)
        over_tasks = "pids" if use.tasks > self._tasks else None
        return Usage(
            memory_bytes=memory,
            peak_memory_bytes=self._peak or None,
            tasks=use.tasks,
            disk_full=self._box.is_full(),
            exact=False,
            over="oom" if memory > self._memory else over_tasks,
        )


def group_blueprint(blueprint: Blueprint) -> Blueprint:
    """What a sandbox's group is made for: the sandbox, and what builds it."""
    limits = blueprint.limits.model_copy(update={"pids": blueprint.limits.pids + BUILDERS})
    return replace(blueprint, limits=limits)


def resource_limits(blueprint: Blueprint, *, supervised: bool) -> dict[int, int]:
    """Limits that hold for each process (or, for processes, each user inside: there is only one).

    Args:
        blueprint: whose limits they are.
        supervised: no group holds memory, processes and CPU, so these have to help.
    """
    limits = blueprint.limits
    values = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_RTPRIO: 0,
    }
    if supervised:
        values |= {
            resource.RLIMIT_NPROC: limits.pids + OWN_TASKS,
            resource.RLIMIT_AS: limits.memory_bytes * RESERVED_FACTOR + AGENT_BYTES,
            resource.RLIMIT_DATA: limits.memory_bytes + AGENT_BYTES,
            resource.RLIMIT_CPU: math.ceil(limits.timeout_seconds * limits.cpus) + 1,
        }
    return values
