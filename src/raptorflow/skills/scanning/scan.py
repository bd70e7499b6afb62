"""The static scan: offline, runs nothing of what it reads, and answers for any bytes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.scanning.bundled.detect import detect as bundled
from raptorflow.skills.scanning.declared.compare import compare
from raptorflow.skills.scanning.detector import Detector, Seen
from raptorflow.skills.scanning.intake import take_in
from raptorflow.skills.scanning.javascript.detect import detect as javascript
from raptorflow.skills.scanning.model import Report, Severity, Threat, Use
from raptorflow.skills.scanning.places import eased
from raptorflow.skills.scanning.power import power_of
from raptorflow.skills.scanning.python.detect import detect as python
from raptorflow.skills.scanning.shell.detect import detect as shell
from raptorflow.skills.scanning.subject import Source, Subject
from raptorflow.skills.scanning.suppressions import Allowed, allow, inline
from raptorflow.skills.scanning.text.detect import detect as text
from raptorflow.skills.scanning.weighing import verdict_of
from raptorflow.skills.scanning.whole.detect import detect as whole
from raptorflow.skills.text import printable

DETECTORS: tuple[Detector, ...] = (text, shell, python, javascript, bundled, whole)
MAX_DEPTH = 3
"""How often a payload inside of a payload is unpacked."""
MAX_FINDINGS = 200
_SEEN_TOGETHER = {"scan/keys-and-sending", "scan/foreign-token", "scan/bare-address"}
_ORDER: tuple[Severity, ...] = ("critical", "high", "medium", "low")


def scan(folder: Path, baseline: Sequence[Allowed] = ()) -> Report:
    """Scan a skill's folder. Never raises for what the files hold.

    Args:
        folder: the skill's.
        baseline: findings that whoever scans has looked at and allows.
    """
    findings = Findings()
    files, _ = collect_files(folder, findings)
    unread = [_unread(finding.file, finding.message) for finding in findings.all]
    return _report(files, folder.resolve().name, unread, baseline)


def scan_files(files: Mapping[str, bytes], folder_name: str | None = None) -> Report:
    """Scan a skill from memory: content by path (relative, `/`)."""
    return _report(files, folder_name, [])


def _report(
    files: Mapping[str, bytes],
    folder_name: str | None,
    unread: list[Threat],
    baseline: Sequence[Allowed] = (),
) -> Report:
    intake = take_in(files, folder_name)
    subject = intake.subject
    seen = [*unread, *_look(subject)]
    uses = list(dict.fromkeys(part for part in seen if isinstance(part, Use)))
    own, faulty = inline(subject.sources)
    threats = [eased(part, subject) for part in seen if isinstance(part, Threat)]
    threats += [_unread(path, "The file is longer than what is read of one.") for path in intake.cut]
    threats = [*_said_once(threats), *compare(subject, uses), *faulty]
    result = allow(_sorted(threats), own, baseline, subject.name)
    verdict = verdict_of(result.counted)
    if verdict == "pass" and result.at_least_review:
        verdict = "review"
    findings = _sorted([*result.counted, *result.allowed])
    return Report(verdict=verdict, power=power_of(uses), findings=findings[:MAX_FINDINGS])


def _said_once(threats: Sequence[Threat]) -> Iterator[Threat]:
    """Where a value was followed to its end, that the two stand together says nothing more."""
    followed = {
        threat.file for threat in threats if threat.code in {"scan/credential-theft", "scan/data-theft"}
    }
    for threat in threats:
        if threat.code not in _SEEN_TOGETHER or threat.file not in followed:
            yield threat


def _look(subject: Subject) -> Iterator[Threat | Use]:
    """Every detector over the skill, and over what the detectors dug up."""
    for _ in range(MAX_DEPTH):
        dug_up: list[Source] = []
        for detector in DETECTORS:
            for part in _guarded(detector, subject):
                if isinstance(part, Source):
                    dug_up.append(part)
                else:
                    yield part
        if not dug_up:
            return
        whole = subject.whole or subject.sources
        subject = replace(subject, files={}, sources=tuple(dict.fromkeys(dug_up)), whole=whole)


def _guarded(detector: Detector, subject: Subject) -> Iterable[Seen]:
    """What a detector sees; one that fails has been led astray by the files, which is itself a finding."""
    seen: list[Seen] = []
    try:
        seen.extend(detector(subject))
    except Exception as error:
        path = subject.sources[0].path if subject.sources else "."
        seen.append(_unread(path, f"A detector could not read the skill ({type(error).__name__})."))
    return seen


def _unread(path: str, message: str) -> Threat:
    return Threat(
        code="scan/unread",
        severity="medium",
        file=printable(path),
        line=None,
        message=f"{message} What it does is not known.",
        remedy="Leave out what no reader can check: links, huge files and files without permission.",
    )


def _sorted(threats: Iterable[Threat]) -> tuple[Threat, ...]:
    """Worst first, then by place; each once."""
    once = {(threat.code, threat.file, threat.line, threat.message): threat for threat in threats}
    return tuple(sorted(once.values(), key=lambda t: (_ORDER.index(t.severity), t.file, t.line or 0, t.code)))
