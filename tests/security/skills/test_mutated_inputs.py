"""Nearly right archives and manifests: each is accepted or refused with a code, soon and within limits."""

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
RUNS = 20_000
# How many of each kind are tried when it has to be quick, and when there is time: ten thousand in all.
KINDS = {
    "archives": 3000,
    "manifests": 3000,
    "exports": 1000,
    "evals": 1000,
    "envelopes": 1000,
    "bundles": 1000,
}
QUICK = 60
SKILL_MD = b"---\nname: greet\ndescription: Greets people.\n---\nSay hello.\n"
MANIFEST = b'schema = 1\n[skill]\nversion = "1.0.0"\n[actions.go]\ncommand = ["python", "go.py"]\n'


def tried(kind: str, count: int, seed: int) -> dict[str, Any]:
    """What the inputs came to; the program itself stops at the first that breaks a promise."""
    program = [sys.executable, HERE / "mutated_inputs.py", kind, str(count), str(seed)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def check(costs: dict[str, Any], count: int) -> None:
    assert sum(costs["outcomes"].values()) >= count
    assert costs["outcomes"]["accepted"] > 0
    assert costs["outcomes"].keys() != {"accepted"}


@pytest.mark.parametrize("kind", KINDS)
def test_some_mutated_inputs_are_accepted_or_refused_with_a_code(kind: str) -> None:
    check(tried(kind, QUICK, seed=1), QUICK)


@pytest.mark.verify
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_mutated_inputs_are_accepted_or_refused_with_a_code(kind: str) -> None:
    check(tried(kind, KINDS[kind], seed=2), KINDS[kind])


def seeds_of(parser: str) -> dict[str, bytes]:
    """Well-formed inputs, for the fuzzer to begin with."""
    archive, tar = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("greet/SKILL.md", SKILL_MD)
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as packed:
        entry = tarfile.TarInfo("greet/" + "long-name-" * 15)
        entry.size = len(SKILL_MD)
        packed.addfile(entry, io.BytesIO(SKILL_MD))
    return {
        "frontmatter": {
            "plain": SKILL_MD[4:],
            "flow": b"name: greet\ndescription: >-\n  a\n  b\nmetadata: {a: &a '1', b: *a}\n"
            b"x: !!str [1]\n---\n[a](b.md)\n",
        },
        "manifest": {"action": MANIFEST, "script": b"# /// script\n# dependencies = []\n# ///\n"},
        "zip": {"zip": archive.getvalue()},
        "tar": {"tar": tar.getvalue()},
    }[parser]


@pytest.mark.verify
@pytest.mark.parametrize("parser", ["frontmatter", "manifest", "zip", "tar"])
def test_a_coverage_guided_fuzzer_finds_no_input_that_breaks_a_parser(parser: str, tmp_path: Path) -> None:
    seeds, found = tmp_path / "seeds", tmp_path / "found"
    seeds.mkdir()
    found.mkdir()
    for name, content in seeds_of(parser).items():
        seeds.joinpath(name).write_bytes(content)
    bounds = [
        "-runs=20000",
        "-max_total_time=60",
        "-timeout=2",
        "-rss_limit_mb=1024",
        "-max_len=16384",
        "-seed=1",
    ]
    program = [
        sys.executable,
        HERE / "fuzzed_parsers.py",
        parser,
        *bounds,
        f"-artifact_prefix={found}/",
        seeds,
    ]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert f"Done {RUNS} runs" in done.stderr, done.stderr[-2000:]
    assert list(found.iterdir()) == []
