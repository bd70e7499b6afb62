"""Repositories: one commit is fetched, and its files are read from the store; nothing is checked out.

So no hook, filter, attribute or link of a repository has a say in what comes, and sizes are known beforehand.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from raptorflow.cli.skill.sources.errors import GitMissing, RefMissing, SourceUnreachable
from raptorflow.cli.skill.sources.tree import write_tree
from raptorflow.skills.containers.entry import MIB
from raptorflow.skills.sources.addresses import Repository
from raptorflow.skills.sources.errors import SourceTooLarge
from raptorflow.skills.text import printable

LIMIT_SECONDS = 180.0
LOOK_SECONDS = 0.2
MAX_STORE = 1024 * MIB
MAX_SAID = 64 * 1024
# What a hook or an alias of git would have set for the repository around this folder.
OF_ANOTHER = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
)
REF_WORDS = ("couldn't find remote ref", "not our ref", "unadvertised object", "invalid refspec")


@dataclass(frozen=True)
class Clone:
    """A commit's files that may belong to skills.

    Attributes:
        folder: holds them for as long as the clone is used.
        prefix: `https://...@commit#` and the folder that was asked for; goes before paths.
        size: of what was fetched, in bytes.
    """

    folder: Path
    prefix: str
    size: int


@contextmanager
def cloned(repository: Repository) -> Generator[Clone]:
    """One commit of a repository, without its history.

    Raises:
        GitMissing: there is no git.
        SourceUnreachable: the repository does not answer.
        RefMissing: it has no such branch, tag, commit or folder.
        SourceTooLarge: it has more than is taken.
    """
    program = shutil.which("git")
    if program is None:
        raise GitMissing("There is no git on this machine.")
    with tempfile.TemporaryDirectory(prefix="raptorflow-") as place:
        git = _Git(program, Path(place) / "store", repository)
        git.run("init", "--quiet", "--bare", "--template=", str(git.store))
        # `--` ends the options: no address and no ref is one.
        git.run(*FETCH, "--", repository.url, repository.ref or "HEAD")
        commit = git.run("rev-parse", "--verify", "FETCH_HEAD^{commit}").strip()
        tree = f"{commit}:{repository.folder}"
        if git.run("cat-file", "-t", tree).strip() != "tree":
            raise RefMissing(f"{repository.folder} of {repository.url} is no folder.")
        folder = Path(place) / "tree"
        write_tree(git, tree, folder)
        inside = f"{repository.folder}/" if repository.folder else ""
        yield Clone(folder, f"{repository.url}@{commit}#{inside}", _size(git.store))


FETCH = ("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-auto-gc")
SAFE = (
    "-c",
    f"core.hooksPath={os.devnull}",
    "-c",
    "fetch.unpackLimit=1",
    "-c",
    "fetch.writeCommitGraph=false",
)


class _Git:
    """Runs git on a store of its own, within limits of time and size."""

    def __init__(self, program: str, store: Path, repository: Repository) -> None:
        self.store = store
        self._command = (program, *SAFE, f"--git-dir={store}")
        self._repository = repository
        self._environment = _environment(repository)

    def run(self, *arguments: str) -> str:
        """What a command of git printed.

        Raises:
            SourceUnreachable: it failed, or took too long.
            RefMissing: what it was asked for is not there.
            SourceTooLarge: the store grew too large.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
            process = self._start(arguments, subprocess.DEVNULL, out, said)
            try:
                self._watch(process)
            finally:
                _end(process)
            said.seek(0)
            self._check(process.returncode, said.read(MAX_SAID).decode(errors="replace"), arguments)
            out.seek(0)
            return out.read(MAX_SAID).decode(errors="replace")

    @contextmanager
    def start(self, *arguments: str, stdin: int | IO[bytes] = subprocess.DEVNULL) -> Generator[IO[bytes]]:
        """A command of git, whose output is to be read; it is over when it is left, or its time is.

        Raises:
            SourceUnreachable: it took too long.
        """
        process = self._start(arguments, stdin, subprocess.PIPE, subprocess.DEVNULL)
        try:
            with self._hurried(process), process.stdout or open(os.devnull, "rb") as output:
                yield output
        finally:
            _end(process)

    @contextmanager
    def _hurried(self, process: subprocess.Popen[bytes]) -> Generator[None]:
        """Ends a command when its time is over, so that nobody waits for its output for ever."""
        end = time.monotonic() + LIMIT_SECONDS
        timer = threading.Timer(LIMIT_SECONDS, _end, (process,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
        if time.monotonic() >= end:
            raise self._overdue()

    def _overdue(self) -> SourceUnreachable:
        return SourceUnreachable(f"{self._repository.url} took over {LIMIT_SECONDS:g} s.")

    def _start(
        self, arguments: Sequence[str], stdin: int | IO[bytes], out: int | IO[bytes], said: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._command, *arguments],
            env=self._environment,
            stdin=stdin,
            stdout=out,
            stderr=said,
            start_new_session=True,  # No terminal: ssh must not ask there either.
        )

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + LIMIT_SECONDS
        url, running = self._repository.url, True
        while running:
            try:
                process.wait(LOOK_SECONDS)
                running = False
            except subprocess.TimeoutExpired:
                if time.monotonic() > end:
                    raise self._overdue() from None
            if _size(self.store) > MAX_STORE:
                hint = "Clone it yourself, and name the folder."
                raise SourceTooLarge(f"{url} has over {MAX_STORE // MIB} MiB.", hint=hint)

    def _check(self, code: int, said: str, arguments: Sequence[str]) -> None:
        if code == 0:
            return
        where = self._repository
        if any(words in said for words in REF_WORDS):
            raise RefMissing(f"{where.url} has no branch, tag or commit {where.ref or 'HEAD'}.")
        if arguments[0] == "cat-file":
            raise RefMissing(f"{where.url} has no folder {where.folder} in {where.ref or 'HEAD'}.")
        lines = [line.strip() for line in said.splitlines() if line.strip()] or [f"exit {code}"]
        fatal = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1])
        # ssh speaks before git does.
        why = printable(" ".join(dict.fromkeys((lines[0], fatal))))[:400]
        raise SourceUnreachable(f"git cannot read {where.url}: {why}")


def _environment(repository: Repository) -> dict[str, str]:
    """The user's own, for keys and proxies; but git must not ask, and leave the way it was sent on."""
    scheme = urlsplit(repository.url).scheme if "://" in repository.url else "ssh"
    # A user may have told git to take ssh where https is written.
    ways = "https:ssh" if scheme == "https" else scheme
    kept = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER}
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "GCM_INTERACTIVE": "never",
        "GIT_ALLOW_PROTOCOL": ways,
        "LC_ALL": "C",
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """Whatever happened, git and the helpers that it started are gone."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _size(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(f"{root}/{name}").st_size
            except OSError:  # git has moved it meanwhile
                continue
    return total
