"""R9-R13, R23-R25 and F19: filling the disk, and leaving what is hard to clear away."""

import secrets
import stat
from pathlib import Path

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.attacks.archives import bombs
from raptorflow.sandbox.attacks.model import Attack, Outcome, Trial, outcomes
from raptorflow.sandbox.attacks.program import said, together
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.attacks.steps import Steps
from raptorflow.sandbox.errors import SandboxSpecInvalid, SandboxStartFailed
from raptorflow.skills.capabilities import MIB

# Half of PATH_MAX: a name of one letter and a slash a level.
LONGEST_PATH = 2048
CLEARING_SECONDS = 10.0
FULL = outcomes("refused", "killed:disk_full", "killed:oom")
WRITABLE = """
found = list(PLACES)
for line in () if PLACES else open('/proc/self/mountinfo'):
    left, right = line.split(' - ')
    point, options = left.split()[4], left.split()[5].split(',')
    # Not a kernel's own file systems: those cannot be filled.
    if 'rw' in options and right.split()[0] in KINDS and os.access(point, os.W_OK):
        found.append(point)
if not found:
    raise Absent('nothing is writable')
stopped = []
for point in found:
    name, written = os.path.join(point, 'fill'), 0
    try:
        with open(name, 'wb', buffering=0) as file:
            while written < MOST:
                written += file.write(bytes(1 << 20))
    except OSError as error:
        stopped.append(point)
    finally:
        if os.path.exists(name):
            os.unlink(name)
    if written >= MOST:
        return f'{point} took {written} bytes'
raise Refused(f'full: {sorted(stopped)}')
"""


QUOTA = """
written = 0
with open('x', 'wb+') as file:
    {code}
taken = sum(os.stat(name).st_blocks * 512 for name in os.listdir('.') if os.path.isfile(name))
if taken <= (16 << 20):
    raise Refused(f'{{taken}} bytes taken')
"""


async def huge_words(stage: Stage) -> Trial:
    """R23: arguments and variables that no kernel takes must end in an error that says so."""
    text = stage.text({"start": "return len(sys.argv)"}, {}, apart=False, outside=False)
    found: list[str] = []
    for name, fields in {
        "a control": {},
        "one argument of 1 MiB": {"command": ("python", "attack.py", "x" * MIB)},
        "100000 arguments": {"command": ("python", "attack.py", *("x" * 30 for _ in range(100_000)))},
        "a variable of 1 MiB": {"env": {"HUGE": "x" * MIB}},
    }.items():
        try:
            result = await stage.inside(text, **fields)
            started = bool(said(result.stdout))
            found.append(f"{name}: {'ran' if started else result.status}")
        except (SandboxSpecInvalid, SandboxStartFailed) as error:
            found.append(f"{name}: {error.code}")
    again = await stage.inside(text)
    harmless = all(not line.endswith("ran") for line in found[1:]) and again.status == "ok"
    seen = outcomes("refused" if harmless else "through")
    return Trial(seen, together(found[1:]), found[0].endswith("ran"), found[0])


async def deep(stage: Stage) -> Trial:
    """R24: a tree far deeper than any path may be long is cleared away, and soon."""
    code = """
    depth, end = 0, time.monotonic() + 3
    while depth < 100_000 and time.monotonic() < end:
        os.mkdir('d')
        os.chdir('d')
        depth += 1
    return depth
    """
    text = stage.text({"depth": code}, {}, apart=False, outside=False)
    watch = Stopwatch()
    result = await stage.inside(text, limits={"memory_bytes": 512 * MIB, "disk_bytes": 64 * MIB})
    clearing = (watch.elapsed_ms() - result.start_ms - result.wall_ms) / 1000
    answer = said(result.stdout).get("depth")
    depth = int(answer.words) if answer and answer.words.isdigit() else 0
    ended = result.status in {"ok", "oom", "disk_full", "timeout"} and clearing < CLEARING_SECONDS
    return Trial(
        outcomes("removed" if ended else "through"),
        f"{depth} folders deep, status {result.status}, cleared away in {clearing:.1f} s",
        depth > LONGEST_PATH,
        f"the tree was {depth} deep; a path may name {LONGEST_PATH}",
    )


def left_of(folder: Path, out: Path, taken: set[Path]) -> list[str]:
    """What is on the host of a tree: what bears its mark, and what lies in `out` but was not taken.

    Args:
        folder: where all of the stage's files are.
        out: where results are put; its name is the mark.
        taken: results.
    """
    found = {path for path in folder.rglob(f"*{out.name}*") if path != out}
    parents = {parent for path in taken for parent in path.parents}
    found |= {path for path in out.rglob("*") if path not in taken | parents}
    # A folder that nobody may enter, or a file that nobody may read, would be one that came out as it was.
    found |= {path for path in out.rglob("*") if not path.stat().st_mode & stat.S_IRUSR}
    return sorted(str(path.relative_to(folder)) for path in found)


async def odd_files(stage: Stage) -> Trial:
    """R25: permissions inside mean nothing to whoever clears away."""
    out = stage.folder / f"odd-{secrets.token_hex(4)}"
    code = """
    os.makedirs('out/plain')
    Path('out/plain/x').write_text('plain')
    os.mkdir('out/shut')
    Path('out/shut/x').write_text('x')
    Path('out/secret').write_text('x')
    os.chmod('out/secret', 0)
    os.chmod('out/shut', 0)
    os.mkdir(MARK + '-sticky')
    os.chmod(MARK + '-sticky', 0o1000)
    os.mkdir('no-write')
    Path('no-write', MARK).write_text('x')
    os.chmod('no-write', 0o555)
    return 'made'
    """
    text = stage.text({"odd": code}, {"MARK": out.name}, apart=False, outside=False)
    result = await stage.inside(text, artifacts_dir=out)
    taken = [artifact.name for artifact in result.artifacts]
    made = said(result.stdout).get("odd")
    left = left_of(stage.folder, out, {artifact.path for artifact in result.artifacts})
    seen: Outcome = "through" if left else "removed" if made and made.saw == "through" else "broken"
    return Trial(
        outcomes(seen),
        together(
            [
                f"left: {', '.join(left)}" if left else "",
                f"status {result.status}, taken {taken}, refused {len(result.artifacts_refused)}",
            ]
        ),
        "plain/x" in taken,
        "an ordinary file of the same run was taken out" if "plain/x" in taken else f"only {taken} came out",
    )


DISK = (
    Attack(
        "R9",
        "Filling the disk",
        "write to everything that can be written until it fails",
        "each writable place is a file system with a size of its own",
        Steps(
            {"fill": WRITABLE},
            facts={
                "KINDS": ("tmpfs", "ext4", "overlay", "xfs", "btrfs", "virtiofs"),
                "MOST": 12 << 20,
                "PLACES": (".",),
            },
            inner={"MOST": 96 << 20, "PLACES": ()},
            limits={"memory_bytes": 256 * MIB},
        ),
        FULL,
    ),
    Attack(
        "R10",
        "Running out of inodes",
        "make empty files without end",
        "the group counts the kernel's memory for them; the workspace's file system has a size",
        Steps(
            {
                "empty files": """
                for number in range(MANY):
                    os.close(os.open(f'file-{number}', os.O_CREAT | os.O_WRONLY))
                """
            },
            facts={"MANY": 5000},
            inner={"MANY": 10_000_000},
            limits={"timeout_seconds": 4},
            each=True,
        ),
        FULL | outcomes("killed:timeout"),
    ),
    Attack(
        "R11",
        "A sparse file of 1 TiB",
        "make a file that is huge and takes no room",
        "a limit on the size of each file, and the file system's size",
        Steps({"sparse": "open('x', 'wb').truncate(1 << 40)"}, each=True),
        FULL,
    ),
    Attack(
        "R12",
        "Running out of descriptors",
        "open files until it fails",
        "a limit on open files, which cannot be raised again",
        Steps(
            {
                "descriptors": """
                hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
                kept = [os.open('/dev/null', os.O_RDONLY) for _ in range(3000)]
                """
            }
        ),
    ),
    Attack(
        "R13",
        "Archives that unpack without end",
        "upload a zip and a tar.gz of a few kilobytes that unpack to gigabytes",
        "the reader of archives counts bytes and entries while it unpacks",
        bombs,
        outcomes("refused"),
    ),
    Attack(
        "R23",
        "Huge arguments, variables and names",
        "start with arguments and variables beyond what the kernel takes; make names that are too long",
        "a typed error before anything has run; the next run is not affected",
        huge_words,
        outcomes("refused"),
    ),
    Attack(
        "R24",
        "A tree deeper than any path",
        "make a folder in a folder for three seconds, and leave them",
        "file systems are dropped whole, not walked; what is walked has a depth",
        deep,
        outcomes("removed"),
    ),
    Attack(
        "R25",
        "Odd permissions",
        "leave folders that nobody may enter and files that nobody may delete",
        "file systems are dropped whole; files are taken out by a reader that refuses what it may not read",
        odd_files,
        outcomes("removed"),
    ),
    Attack(
        "F19",
        "Past the disk's limit by tricks",
        "reserve, punch holes, map, copy in the kernel and rename, to hold more than the limit",
        "the file system counts blocks, however they came to be",
        Steps(
            {
                "reserve": QUOTA.format(code="os.posix_fallocate(file.fileno(), 0, 64 << 20)"),
                "map": QUOTA.format(
                    code="file.truncate(64 << 20); block = mmap.mmap(file.fileno(), 64 << 20)\n"
                    "    for at in range(0, 64 << 20, 4096): block[at] = 1"
                ),
                "copy in the kernel": QUOTA.format(
                    code="file.write(bytes(1 << 20)); file.flush()\n"
                    "    for n in range(64): os.copy_file_range(file.fileno(), file.fileno(), 1 << 20, 0,"
                    " (n + 1) << 20)"
                ),
                "holes and names": QUOTA.format(
                    code="file.close()\n"
                    "    for n in range(32):\n"
                    "        Path(f'part-{n}').write_bytes(bytes(2 << 20))\n"
                    "        os.rename(f'part-{n}', f'kept-{n}')"
                ),
            },
            each=True,
            limits={"memory_bytes": 256 * MIB},
        ),
        FULL,
    ),
)
