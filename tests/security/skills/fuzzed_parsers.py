"""A program of its own: a coverage-guided fuzzer (libFuzzer, through atheris) on one parser.

    python fuzzed_parsers.py frontmatter|manifest|zip|tar [libFuzzer's options] FOLDER_OF_SEEDS

libFuzzer ends it with a code that is not 0, and the input, when a parser raises anything but its own refusal,
takes longer than `-timeout`, or more memory than `-rss_limit_mb`.
"""

import sys
from collections.abc import Callable
from gzip import compress
from importlib import import_module
from typing import Any

# It states no types.
atheris: Any = import_module("atheris")

with atheris.instrument_imports(include=["raptorflow.skills", "yaml", "tomllib", "zipfile", "tarfile"]):
    from raptorflow.skills.archive import ArchiveLimits, unpack
    from raptorflow.skills.errors import ArchiveRefused
    from raptorflow.skills.findings import Findings
    from raptorflow.skills.reader import inspect_files

KIB = 1024
LIMITS = ArchiveLimits(archive_bytes=64 * KIB, file_bytes=64 * KIB, total_bytes=256 * KIB, files=30)
SKILL_MD = b"---\nname: greet\ndescription: Greets people.\n---\nSay hello.\n"


def read_folder(files: dict[str, bytes]) -> None:
    findings = Findings()
    skill = inspect_files(files, (), "greet", findings)
    if bool(findings.errors()) == bool(skill):
        raise AssertionError("neither a skill nor an error, or both")


def read_archive(data: bytes) -> None:
    try:
        files = unpack(data, LIMITS).files
    except ArchiveRefused:
        return
    if sum(map(len, files.values())) > LIMITS.total_bytes or any(".." in path.split("/") for path in files):
        raise AssertionError("more than its limits, or outside")


PARSERS: dict[str, Callable[[bytes], None]] = {
    "frontmatter": lambda data: read_folder({"SKILL.md": b"---\n" + data}),
    "manifest": lambda data: read_folder({"SKILL.md": SKILL_MD, "skill.toml": data, "go.py": data}),
    "zip": read_archive,
    # Compressed here, for no fuzzer guesses a checksum.
    "tar": lambda data: read_archive(compress(data, 1)),
}

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], PARSERS[sys.argv[1]])
    atheris.Fuzz()
