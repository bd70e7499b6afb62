"""A process that is killed while it writes loses nothing that it said was written."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from raptorflow.sandbox.audit.chain import Head
from raptorflow.sandbox.audit.verify import verify

PROGRAM = Path(__file__).with_name("writer_process.py")
SMALL_FILE = 4096


@contextmanager
def writer(folder: Path, max_file_bytes: int = SMALL_FILE) -> Generator[IO[str]]:
    """The lines of a process that is killed when the block ends."""
    command = [sys.executable, str(PROGRAM), str(folder), str(max_file_bytes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout
        finally:
            process.kill()


def head_of(line: str) -> Head:
    chain, seq, digest = line.split()
    return Head(chain, int(seq), digest)


def test_what_was_said_to_be_written_is_there_after_kill_9_again_and_again(tmp_path: Path) -> None:
    said: list[Head] = []
    for lines in (1, 3):
        with writer(tmp_path) as output:
            said += [head_of(output.readline()) for _ in range(lines)]
    (report,) = verify(tmp_path, anchors=said)
    assert report.fault is None
    assert {head.chain for head in said} == {"chain-1"}
    assert report.records >= said[-1].seq > said[0].seq


def test_a_write_that_was_torn_by_a_kill_is_kept_aside_and_the_chain_goes_on(tmp_path: Path) -> None:
    with writer(tmp_path, 10**6) as output:
        said = head_of(output.readline())
    (file,) = tmp_path.glob("*.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[: said.seq]) + lines[0][:40])
    with writer(tmp_path, 10**6) as output:
        later = head_of(output.readline())
    (report,) = verify(tmp_path, anchors=(said, later))
    assert (report.torn, report.fault) == (1, None)
    (aside,) = tmp_path.glob("*.torn-*")
    assert aside.read_bytes() == lines[0][:40]


def test_processes_that_write_at_once_have_a_chain_each(tmp_path: Path) -> None:
    with writer(tmp_path) as one, writer(tmp_path) as two:
        said = [head_of(one.readline()), head_of(two.readline())]
    assert sorted(head.chain for head in said) == ["chain-1", "chain-2"]
    assert [report.fault for report in verify(tmp_path, anchors=said)] == [None, None]
