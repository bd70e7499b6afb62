"""Scanning: milliseconds a skill on one core, and precision and recall on the labelled set.

The set is `benchmarks/scan_set/<part>/<malicious|benign|security>/<name>.txt`: one skill a file, its files
one after the other behind `-- path --` lines, all made up after published incidents, with reserved names and
addresses only. The rules were written while the part `touched` was looked at. `untouched` was measured once
before the rules were mended for what it showed; each `blind-N` so, too, and it was written by somebody who
had not read them. docs/explanation/scanner.md has the figures of those first looks: they are the honest ones.

    python benchmarks/scan.py [FOLDER OF SKILLS ...]   # real skills, timed and counted, beside the set
"""

import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from raptorflow.base.json import dumps
from raptorflow.skills.folders import skill_folders
from raptorflow.skills.scanning.model import Report
from raptorflow.skills.scanning.scan import scan

SET = Path(__file__).parent / "scan_set"
_FILE = re.compile(r"^-- (\S+) --\n", re.MULTILINE)
GOAL_MS = 60.0


@dataclass(frozen=True)
class Scanned:
    """A skill of the set, its report and how long that took, in milliseconds."""

    name: str
    label: str
    report: Report
    milliseconds: float

    @property
    def flagged(self) -> bool:
        """Whether anything but `pass` came out."""
        return self.report.verdict != "pass"


def files_of(text: str) -> Mapping[str, str]:
    """The files of a skill by path."""
    parts = _FILE.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def scanned(part: str) -> Iterator[Scanned]:
    """Each skill of a part of the set, scanned from a folder as the command does it."""
    for place in sorted((SET / part).glob("*/*.txt")):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder, place.stem)
            for path, text in files_of(place.read_text(encoding="utf-8")).items():
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            began = time.perf_counter()
            report = scan(root)
            yield Scanned(place.stem, place.parent.name, report, (time.perf_counter() - began) * 1000)


def measured(part: str) -> dict[str, object]:
    """Counts and rates of a part, and what was judged wrongly."""
    found = list(scanned(part))
    malicious = [one for one in found if one.label == "malicious"]
    others = [one for one in found if one.label != "malicious"]
    benign = [one for one in others if one.label == "benign"]
    security = [one for one in others if one.label == "security"]
    caught = [one for one in malicious if one.flagged]
    wrong = [one for one in others if one.flagged]
    for one in (*(one for one in malicious if not one.flagged), *wrong):
        reasons = sorted({finding.code for finding in one.report.findings if finding.severity != "low"})
        print(f"{part}: {one.label}/{one.name} is {one.report.verdict} {' '.join(reasons)}")
    return {
        "malicious": len(malicious),
        "blocked": sum(one.report.verdict == "block" for one in malicious),
        "flagged": len(caught),
        "benign": len(benign),
        "benign_flagged": sum(one.flagged for one in benign),
        "security": len(security),
        "security_flagged": sum(one.flagged for one in security),
        "precision": round(len(caught) / max(len(caught) + len(wrong), 1), 3),
        "recall": round(len(caught) / max(len(malicious), 1), 3),
        "ms_mean": round(statistics.mean(one.milliseconds for one in found), 1),
        "ms_median": round(statistics.median(one.milliseconds for one in found), 1),
    }


def timed(folders: list[Path]) -> dict[str, object]:
    """Verdicts and times of real skills."""
    verdicts: Counter[str] = Counter()
    times: list[float] = []
    for folder in skill_folders(folders):
        began = time.perf_counter()
        verdicts[scan(folder).verdict] += 1
        times.append((time.perf_counter() - began) * 1000)
    return {
        "skills": len(times),
        **verdicts,
        "ms_mean": round(statistics.mean(times), 1),
        "ms_median": round(statistics.median(times), 1),
    }


def main() -> None:
    """Measure, and print one line of JSON last."""
    folders = [Path(name) for name in sys.argv[1:]]
    figures: dict[str, object] = {"benchmark": "scan", "goal_ms": GOAL_MS}
    figures |= {part: measured(part) for part in sorted(place.name for place in SET.iterdir())}
    if folders:
        figures["real"] = timed(folders)
    print(dumps(figures))


if __name__ == "__main__":
    main()
