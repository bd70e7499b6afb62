"""A process is named for good, and only while it lives."""

import os
import subprocess

from raptorflow.sandbox.born import born


def test_a_process_keeps_its_name_and_shares_it_with_none() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        assert born(os.getpid()) == born(os.getpid())
        mine, theirs = born(os.getpid()), born(other.pid)
        assert mine[0] == str(os.getpid())
        assert mine[:2] != theirs[:2]
        assert mine[2] == theirs[2]


def test_one_that_has_ended_has_none_though_nobody_has_waited_for_it() -> None:
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert born(ended.pid) == []
    assert born(ended.pid) == []
