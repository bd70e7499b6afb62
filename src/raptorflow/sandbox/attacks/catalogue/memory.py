"""R1-R5: taking more memory or more processes than the limits allow."""

from raptorflow.sandbox.attacks.model import Attack, Trial, outcomes
from raptorflow.sandbox.attacks.program import together
from raptorflow.sandbox.attacks.stage import TMP, Stage
from raptorflow.sandbox.attacks.steps import Steps

ANY_END = outcomes("killed:oom", "killed:disk_full", "refused")


async def swap(stage: Stage) -> Trial:
    """R5: what does not fit into memory must not go to the disk instead."""
    trial = await Steps(
        {
            "push out what was written": """
            blocks = []
            for number in range(192):
                block = mmap.mmap(-1, 1 << 20)
                block.write(os.urandom(4096) * 256)
                if hasattr(mmap, 'MADV_PAGEOUT'):
                    block.madvise(mmap.MADV_PAGEOUT)
                else:
                    start = ctypes.addressof(ctypes.c_char.from_buffer(block))
                    libc.madvise(ctypes.c_void_p(start), 1 << 20, 21)
                blocks.append(block)
            """
        },
        each=True,
    )(stage)
    swaps = [line for line in open_lines("/proc/swaps")[1:] if line.strip()]
    words = f"{len(swaps)} swap areas on this machine" if swaps else "this machine has no swap"
    return Trial(trial.outcomes, together([trial.evidence, words]), trial.control, trial.control_evidence)


def open_lines(path: str) -> list[str]:
    """The lines of a file of the kernel."""
    with open(path) as file:
        return file.read().splitlines()


BOMBS = (
    Attack(
        "R1",
        "Fork bomb",
        "fork until it fails",
        "the group's pids limit (or the user namespace's), and a verdict `pids`",
        Steps(
            {
                "fork": """
                for number in range(100):
                    if not os.fork():
                        time.sleep(8)
                        os._exit(0)
                say('fork', 'through', '100 processes')
                os.killpg(0, signal.SIGKILL)
                """
            },
            each=True,
        ),
        outcomes("killed:pids", "refused"),
    ),
    Attack(
        "R2",
        "Thread bomb",
        "start threads until it fails",
        "the group's pids limit, which counts threads",
        Steps(
            {
                "threads": """
                threading.stack_size(65536)
                try:
                    for number in range(100):
                        threading.Thread(target=time.sleep, args=(8,), daemon=True).start()
                except RuntimeError as error:
                    raise Refused(str(error))
                """
            },
            each=True,
        ),
        outcomes("killed:pids", "refused"),
    ),
    Attack(
        "R3",
        "Memory bomb",
        "touch twice the memory that is allowed",
        "the group's memory limit; the verdict is the kernel's own count",
        Steps({"memory": "kept = [bytearray(b'x' * (1 << 20)) for _ in range(160)]"}, each=True),
        outcomes("killed:oom", "refused"),
    ),
    Attack(
        "R4",
        "Memory that is no process's own",
        "fill shared memory, anonymous files and /tmp beyond the limits",
        "the same group counts files in memory; each file system in memory has a size",
        Steps(
            {
                "shared memory": """
                name = f'/dev/shm/rf-attack-{os.getpid()}'
                try:
                    open(name, 'wb').write(bytes(128 << 20))
                finally:
                    os.unlink(name)
                """,
                "anonymous files": """
                kept = [os.memfd_create('x') for _ in range(160)]
                for file in kept:
                    os.write(file, bytes(1 << 20))
                """,
                "shared mapping": """
                block = mmap.mmap(-1, 160 << 20)
                for at in range(0, 160 << 20, 4096):
                    block[at] = 1
                """,
                "temporary files": "open(os.path.join(TMP, 'x'), 'wb').write(bytes(96 << 20))",
            },
            facts={"TMP": "."},
            inner={"TMP": TMP},
            each=True,
        ),
        ANY_END,
    ),
    Attack(
        "R5",
        "Into swap",
        "write twice the memory that is allowed and push it out to swap as it goes",
        "the group's swap limit is its memory limit",
        swap,
        outcomes("killed:oom", "refused"),
    ),
)
