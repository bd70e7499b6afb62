"""Checking 1,000 made-up skills as they stand on a disk, in one process: skills a second of one core's time.

They are like the 3,444 skills of eight public repositories that were measured in November 2026 (anthropics,
google, microsoft, github/awesome-copilot, wshobson, NVIDIA, trailofbits, openclaw); the tables below are
quantiles of that measurement. One in five has a `skill.toml` with an action and its schemas, which public
skills have not: that makes the benchmark harder, not easier. One in four breaks a rule.

    python benchmarks/validate.py
"""

import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from raptorflow.base.json import dumps
from raptorflow.skills.validate import validate

SKILLS, SEED, ROUNDS = 1000, 23, 3
WANTED_PER_SECOND = 400
# Quantile and value, measured; between two of them a value is drawn evenly.
SKILL_MD_BYTES = (
    (0.0, 300),
    (0.1, 1419),
    (0.25, 2476),
    (0.5, 4724),
    (0.75, 9092),
    (0.9, 14901),
    (1.0, 27317),
)
LINKS = ((0.0, 0), (0.5, 0), (0.75, 2), (0.9, 6), (0.99, 37), (1.0, 55))
FILES = ((0.0, 1), (0.1, 1), (0.25, 2), (0.5, 3), (0.75, 6), (0.9, 11), (0.99, 38), (1.0, 130))
OTHER_BYTES = ((0.0, 200), (0.25, 2_400), (0.5, 4_200), (0.75, 6_500), (0.9, 9_000), (1.0, 40_000))
ENDINGS = (("md", 97), ("json", 34), ("py", 17), ("sh", 8), ("yaml", 7), ("ts", 5), ("js", 5), ("txt", 2))
WITH_MANIFEST = 0.2
WORDS = (
    *("report", "invoice", "campaign", "budget", "customer", "schedule", "translate", "summary", "weather"),
    *("contract", "the", "when", "user", "asks", "for", "use", "then", "check", "table", "image"),
)
FAULTS = (
    "metadata:\n  version: 1.0\n",
    "allowed-tools: [Read, Write]\n",
    "version: 1.2.0\nauthor: somebody\n",
    'metadata: {"client": {"emoji": "x", "requires": {"bins": ["jq"]}}}\n',
    "homepage: see: there\n",
)
EXTRAS = (
    "license: Apache-2.0\n",
    'metadata:\n  author: somebody\n  version: "1.0"\n',
    "allowed-tools: Bash(git:*) Read\n",
    "compatibility: Needs Python 3.11 and network access.\n",
)
MANIFEST = """schema = 1
[skill]
version = "1.0.0"
tags = ["made-up"]
[permissions]
network = ["api.example.com:443"]
[actions.go]
command = ["python", "scripts/go.py"]
input = "schemas/go.input.json"
output = "schemas/go.output.json"
"""
SCRIPT = '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["httpx>=0.27"]\n# ///\n'


def drawn(chance: random.Random, table: Sequence[tuple[float, int]]) -> int:
    """A value of a distribution given by some of its quantiles."""
    place = chance.random()
    for (low, first), (high, last) in pairwise(table):
        if place <= high:
            return round(first + (last - first) * (place - low) / (high - low))
    return table[-1][1]


def prose(chance: random.Random, size: int) -> str:
    """Markdown of about that many bytes: paragraphs, headings, lists and code."""
    parts: list[str] = []
    length = 0
    while length < size:
        words = " ".join(chance.choices(WORDS, k=chance.randint(6, 60)))
        part = chance.choice(
            ("{}\n\n", "## {:.40}\n\n", "- {}\n", "```bash\n{}\n```\n\n", "| {:.30} | `x` |\n")
        )
        parts.append(part.format(words))
        length += len(parts[-1])
    return "".join(parts)


def skill_md(chance: random.Random, name: str, others: Sequence[str]) -> str:
    """A `SKILL.md` with links to its files, one in ten of them to none."""
    extras = chance.sample(EXTRAS, chance.randint(0, 3))
    extras += [chance.choice(FAULTS)] if chance.random() < 0.25 else []
    description = " ".join(chance.choices(WORDS, k=chance.randint(10, 60)))
    links = [
        chance.choice(others) if chance.random() < 0.9 else "gone.md" for _ in range(drawn(chance, LINKS))
    ]
    below = "".join(f"- See [{link}]({link}) for more.\n" for link in links)
    body = prose(chance, drawn(chance, SKILL_MD_BYTES))
    return f"---\nname: {name}\ndescription: {description}\n{''.join(extras)}---\n\n# {name}\n\n{body}{below}"


def skill_files(chance: random.Random, name: str) -> dict[str, str]:
    """The files of a skill, by path."""
    endings = chance.choices(*zip(*ENDINGS, strict=True), k=drawn(chance, FILES) - 1)
    folders = {"md": "references", "py": "scripts", "sh": "scripts"}
    paths = [f"{folders.get(ending, 'assets')}/file-{n}.{ending}" for n, ending in enumerate(endings)]
    files = {path: prose(chance, drawn(chance, OTHER_BYTES)) for path in paths}
    if chance.random() < WITH_MANIFEST:
        schema = {"type": "object", "properties": {word: {"type": "string"} for word in WORDS[:8]}}
        files |= {f"schemas/go.{side}.json": dumps(schema) for side in ("input", "output")}
        files |= {"skill.toml": MANIFEST, "scripts/go.py": SCRIPT + prose(chance, 3000)}
    return {"SKILL.md": skill_md(chance, name, [*files] or ["gone.md"])} | files


def lay_out(root: Path, skills: Mapping[str, Mapping[str, str]]) -> list[Path]:
    """Write the skills; their folders."""
    for name, files in skills.items():
        for path, text in files.items():
            target = root / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    return [root / name for name in skills]


def measure(folders: Sequence[Path]) -> dict[str, object]:
    """Check every folder, a few times over; the median round counts."""
    spent: list[float] = []
    each: list[float] = []
    refused = 0
    for _ in range(ROUNDS):
        each, refused = [], 0
        for folder in folders:
            # The processor's time: what other programs of a busy machine take does not count.
            began = time.process_time()
            findings = validate(folder)
            each.append(time.process_time() - began)
            refused += any(finding.severity == "error" for finding in findings)
        spent.append(sum(each))
    per_second = len(folders) / statistics.median(spent)
    return {
        "skills": len(folders),
        "skills_per_second": round(per_second),
        "wanted_per_second": WANTED_PER_SECOND,
        "p50_ms": round(statistics.median(each) * 1000, 2),
        "p99_ms": round(sorted(each)[int(len(each) * 0.99)] * 1000, 2),
        "refused": refused,
        "ok": per_second >= WANTED_PER_SECOND,
    }


def main() -> None:
    """Measure and print one JSON line."""
    # One core, whatever threads a library would start.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    chance = random.Random(SEED)
    skills = {f"skill-{n}": skill_files(chance, f"skill-{n}") for n in range(SKILLS)}
    root = Path(tempfile.mkdtemp(prefix="rf-"))
    try:
        print(dumps(measure(lay_out(root, skills))))
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
