"""What this process holds open."""

import gc
from collections import Counter
from contextlib import suppress
from pathlib import Path


def open_descriptors() -> Counter[str]:
    """How often each thing is open; each pipe and socket counts by its own number."""
    gc.collect()
    found: Counter[str] = Counter()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found[str(entry.readlink())] += 1
    return found


def opened_since(before: Counter[str]) -> Counter[str]:
    """What is open now and was not before; others may have closed theirs meanwhile."""
    return open_descriptors() - before
