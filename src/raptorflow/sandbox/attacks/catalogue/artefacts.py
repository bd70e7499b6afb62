"""F9-F11, F13-F15, F20 and F21: what goes in by name, and what comes out of `/workspace/out`."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from raptorflow.sandbox.attacks import archives, lasting
from raptorflow.sandbox.attacks.canary import canary
from raptorflow.sandbox.attacks.model import Attack, Trial, outcomes
from raptorflow.sandbox.attacks.program import said, together
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.errors import SandboxSpecInvalid
from raptorflow.sandbox.result import SandboxResult

NAMES = (
    *("../x", "..", ".", "", "/etc/x", "a/b", "a/", "a/../../x", "a\0b", "a\nb", "\x1b[31m", "x" * 300),
    *("%2e%2e", "..\\x", "\u2025", "caf\u00e9", "cafe\u0301", "A", "a", "-rf", ".hidden", "CON"),
)
PLAIN = "Path('out/plain.txt').write_text('plain')"
SWAPPER = """
os.makedirs('out/folder')
Path('out/folder/x').write_text('own')
os.symlink(TARGET, 'link')
swaps = 0
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    os.rename('out/folder', 'hidden')
    os.rename('link', 'out/folder')
    os.rename('out/folder', 'link')
    os.rename('hidden', 'out/folder')
    swaps += 1
"""


def left_behind(code: str) -> str:
    """Code that goes on in a daemon when its program is over."""
    body = _indented(code, 8)
    start = "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
    return f"{start}{body}\n    os._exit(0)\ntime.sleep(0.2)"


async def names_in(stage: Stage) -> Trial:
    """F9: a name for an input that leads elsewhere is refused, or is nothing but a name."""
    code = "return json.dumps(sorted(os.listdir('/workspace/in'))), os.path.exists('/workspace/x')"
    source = stage.folder / "input.txt"
    source.write_text("input")
    refused, inside, bad = 0, 0, list[str]()
    for name in ("plain.txt", *NAMES):
        text = stage.text({"list": code}, {}, apart=False, outside=False)
        try:
            result = await stage.inside(text, inputs={name: source})
        except SandboxSpecInvalid:
            refused += 1
            continue
        answer = said(result.stdout).get("list")
        if answer and json.dumps([name]) in answer.words.replace("\\\\", "\\") and "False" in answer.words:
            inside += 1
        else:
            bad.append(f"{name!r}: {answer.words if answer else result.message}")
    plain = not any(line.startswith("'plain.txt'") for line in bad) and inside > 0
    words = together(bad) or f"{refused} names refused, {inside - 1} were nothing but a name in /workspace/in"
    trial = Trial(outcomes("through" if bad else "refused"), words, plain, "an ordinary name arrives")
    return lasting.both(trial, await lasting.paths(stage))


def _planted(
    attempts: dict[str, str], check: Callable[[SandboxResult, str], str | None]
) -> Callable[[Stage], Awaitable[Trial]]:
    """A probe that leaves things in `out` and looks at what the host took; a plain file is its control."""

    async def probe(stage: Stage) -> Trial:
        bad: list[str] = []
        missing: list[str] = []
        taken = refused = 0
        with canary(stage.folder) as bird:
            for name, code in attempts.items():
                steps = {"plain": PLAIN, "plant": code}
                facts = {"TARGET": str(bird.file), "FOLDER": str(bird.file.parent)}
                result = await stage.inside(stage.text(steps, facts, apart=False, outside=False))
                plant = said(result.stdout).get("plant")
                taken += any(each.name == "plain.txt" for each in result.artifacts)
                refused += len(result.artifacts_refused)
                if plant is None or plant.saw == "broken":
                    bad.append(f"{name}: not planted, {plant.words if plant else result.status}")
                elif plant.saw != "through":
                    # Nobody may leave such a thing there, so that no reader meets one.
                    missing.append(f"{name} ({plant.words})")
                elif harm := _leaked(result, bird.text) or check(result, name):
                    bad.append(f"{name}: {harm}")
        planted = len(attempts) - len(missing)
        lacking = f"could not be planted: {', '.join(missing)}" if missing else ""
        words = together(bad) or together(
            [f"{planted} of {len(attempts)} ways planted, {refused} things refused with a reason", lacking]
        )
        seen = "broken" if any("not planted" in line for line in bad) else "through" if bad else "refused"
        control = taken == len(attempts) - sum(name.startswith("!") for name in attempts)
        evidence = f"a plain file beside it came out {taken} times"
        return Trial(outcomes(seen), words, control and planted > 0, evidence)

    return probe


def _leaked(result: SandboxResult, secret: str) -> str | None:
    for artifact in result.artifacts:
        content = artifact.path.read_bytes()
        if secret.encode() in content or b"root:" in content:
            return f"{artifact.name} has content of this machine"
    return None


def _only_plain(result: SandboxResult, name: str) -> str | None:
    strange = [each.name for each in result.artifacts if each.name not in {"plain.txt", "folder/x"}]
    return f"came out: {strange}" if strange else None


def _harmless_names(result: SandboxResult, name: str) -> str | None:
    for artifact in result.artifacts:
        shown = artifact.name
        if not shown.isprintable() or shown.startswith(("-", ".", "/")) or ".." in Path(shown).parts:
            return f"the name {shown!r}"
    return None if len(result.artifacts) > 1 else "nothing came out"


async def caps(stage: Stage) -> Trial:
    """F20: one file that is too large, too many files, and too much in all."""
    settings = stage.settings
    code = f"""
    Path('out/a-large').write_bytes(bytes({settings.max_artifact_bytes + 1}))
    for number in range({settings.max_artifacts * 2}):
        Path(f'out/b-{{number:03}}').write_bytes(bytes({settings.max_artifact_bytes // 2}))
    """
    result = await stage.inside(stage.text({"write": code}, {}, apart=False, outside=False))
    sizes = [artifact.size for artifact in result.artifacts]
    within = (
        len(sizes) <= settings.max_artifacts
        and sum(sizes) <= settings.max_artifacts_bytes
        and max(sizes, default=0) <= settings.max_artifact_bytes
    )
    words = f"{len(sizes)} files of {sum(sizes)} bytes taken, {len(result.artifacts_refused)} refused"
    seen = "refused" if within and result.artifacts_refused else "through"
    return Trial(outcomes(seen), words, bool(sizes), f"{len(sizes)} files within the limits came out")


async def changing(stage: Stage) -> Trial:
    """F21: a file that is rewritten while it is taken out is one state of it, or an error."""
    code = left_behind(
        """
number = 0
while True:
    number += 1
    with open('out/next', 'wb') as file:
        file.write(b'%08d' % number * 4000)
    os.rename('out/next', 'out/changing')
    with open('out/grows', 'ab') as file:
        file.write(b'x')
"""
    )
    taken = 0
    bad: list[str] = []
    for _ in range(3):
        result = await stage.inside(stage.text({"change": code}, {}, apart=False, outside=False))
        for artifact in result.artifacts:
            content = artifact.path.read_bytes()
            taken += 1
            if hashlib.sha256(content).hexdigest() != artifact.sha256 or len(content) != artifact.size:
                bad.append(f"{artifact.name}: the copy is not what was reported")
            if artifact.name == "changing" and content != content[:8] * 4000:
                bad.append(f"{artifact.name}: two states in one copy")
    words = together(bad) or f"{taken} copies, each of one state and with its own digest"
    return Trial(outcomes("through" if bad else "contained"), words, taken > 0, f"{taken} copies came out")


async def race(stage: Stage) -> Trial:
    """F11: a folder and a link to outside change places thousands of times while files are taken out."""
    probe = _planted({f"race {n}": left_behind(SWAPPER.format(seconds=5)) for n in range(3)}, _only_plain)
    trial = await probe(stage)
    look = f"""
    if os.fork() == 0:
{_indented(SWAPPER.format(seconds=1), 8)}
        os._exit(0)
    kinds = set()
    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        try:
            kinds.add(stat.S_IFMT(os.lstat('out/folder').st_mode))
        except FileNotFoundError:
            pass
    if len(kinds) < 2:
        raise Absent('the race is never seen')
    """
    facts = {"TARGET": str(stage.folder)}
    free = await stage.outside(stage.text({"look": look}, facts, apart=False, outside=True))
    seen = said(free.stdout).get("look")
    alive = bool(seen and seen.saw == "through")
    words = "outside, a reader sees both" if alive else "the race is not even seen outside"
    trial = Trial(
        trial.outcomes, trial.evidence, alive and trial.control, f"{trial.control_evidence}; {words}"
    )
    return lasting.both(trial, await lasting.race(stage))


def _indented(code: str, by: int) -> str:
    return "\n".join(" " * by + line for line in code.strip().splitlines())


ARTEFACTS = (
    Attack(
        "F9",
        "Paths in names",
        "name inputs, and files of a session, with .., /, NUL, escapes, links, other spellings and overlong",
        "a name is checked against what a name may be, and is never joined to a path of the host",
        names_in,
        outcomes("refused"),
    ),
    Attack(
        "F10",
        "Links among the results",
        "leave links to the machine's files, through /proc, and in place of the folder itself",
        "results are opened step by step without following links, by kind",
        _planted(
            {
                "to a file": "os.symlink(TARGET, 'out/x')",
                "relative": "os.symlink('../../../../../../../../..' + TARGET, 'out/x')",
                "to a folder": "os.symlink(FOLDER, 'out/x')",
                "through /proc": "os.symlink('/proc/self/root' + TARGET, 'out/x')",
                "through a descriptor": "os.symlink('/proc/self/cwd/' + TARGET, 'out/x')",
                "a chain": "os.symlink('y', 'out/x'); os.symlink(TARGET, 'out/y')",
                "! the folder itself": "os.rename('out', 'was'); os.symlink(FOLDER, 'out')",
            },
            _only_plain,
        ),
        outcomes("refused"),
    ),
    Attack(
        "F11",
        "A race of links",
        "change a folder and a link to outside for one another while results are taken out",
        "each step is opened relative to the last without following links; programs are dead by then",
        race,
        outcomes("refused"),
    ),
    Attack(
        "F13",
        "Pipes, sockets and devices as results",
        "leave a named pipe, which blocks whoever opens it, or a device",
        "only regular files are taken, opened without waiting, and looked at again once open",
        _planted(
            {
                "pipe": "os.mkfifo('out/x')",
                "pipe in a folder": "os.makedirs('out/a/b'); os.mkfifo('out/a/b/x')",
                "device": "os.mknod('out/x', stat.S_IFCHR, os.makedev(1, 5))",
                "socket": "os.mknod('out/x', stat.S_IFSOCK)",
                "deep": "os.makedirs('out/' + '/'.join('abcdefghijklmnop')); "
                "Path('out/' + '/'.join('abcdefghijklmnop'), 'x').write_text('x')",
            },
            _only_plain,
        ),
        outcomes("refused"),
    ),
    Attack(
        "F14",
        "Archives that lead elsewhere",
        "upload archives with .., absolute names, links, devices, doubled names, and sizes that lie",
        "the reader of archives takes regular files with plain names only, into memory, within limits",
        archives.odd,
        outcomes("refused"),
    ),
    Attack(
        "F15",
        "Names of results that do something",
        "leave names with line ends, terminal sequences, leading dashes and dots",
        "names are made printable and plain before anybody sees them",
        _planted(
            {
                "names": "for name in ('-rf', 'a\\nb\\x1b[31m', '.hidden', 'a\\u202eb', '\\udcff', ' '):\n"
                "    Path('out', name).write_text('x')",
            },
            _harmless_names,
        ),
        outcomes("refused"),
    ),
    Attack(
        "F20",
        "Results beyond the limits",
        "leave a file that is too large, too many files, and too many bytes in all",
        "files and bytes are counted before they are copied",
        caps,
        outcomes("refused"),
    ),
    Attack(
        "F21",
        "Results that change while they are read",
        "rewrite a file and let another grow from a daemon while they are taken out",
        "programs are dead before results are taken; size and digest are of the copy",
        changing,
        outcomes("contained"),
    ),
)
