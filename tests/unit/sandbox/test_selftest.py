"""The limit on processors is held only where the kernel has held a program back, in one trial of two."""

import errno
from pathlib import Path
from typing import cast

import pytest

from raptorflow.base.json import dumps
from raptorflow.sandbox.cgroups.group import Groups
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.selftest import ATTEMPTS, LITTLE, SPEND, SelfTest
from raptorflow.sandbox.spec import SandboxSpec

ANSWERS = {
    "status": {"CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"},
    "pids": [1, 2, 3],
    "interfaces": ["lo"],
    "agent": errno.EPERM,
    "landlock": 7,
    "disk": errno.ENOSPC,
    "socket": errno.EPERM,
    "fork": errno.EAGAIN,
    **dict.fromkeys(("skill", "system", "root", "kernel"), errno.EROFS),
}


class Version1:
    """Of control groups."""

    version = 1


@pytest.mark.parametrize(
    ("counts", "holder", "trials"),
    [([3], "kernel", 1), ([0, 2], "kernel", 2), ([0, 0], "missing", 2), ([None, None], "missing", 2)],
)
async def test_a_limit_counts_when_the_kernel_has_held_a_program_back(
    counts: list[int | None], holder: str, trials: int
) -> None:
    tried: list[SandboxSpec] = []

    async def run(spec: SandboxSpec) -> SandboxResult:
        if spec.command[-1] not in {ATTEMPTS, SPEND}:
            return SandboxResult("oom", "local")
        tried.append(spec)
        return SandboxResult("ok", "local", stdout=dumps(ANSWERS).encode(), throttled=counts[len(tried) - 1])

    held, problem = await SelfTest(run, Path("/usr/bin/python3"), cast(Groups, Version1())).execute()
    assert problem is None
    assert held["cpu"].holder == holder
    assert {name for name, kept in held.items() if kept.holder != "kernel"} <= {"cpu"}
    assert len(tried) == trials
    assert all(spec.limits == LITTLE for spec in tried[1:])
