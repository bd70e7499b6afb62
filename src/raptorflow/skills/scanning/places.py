"""Where a finding stands: code that runs, or a test that nobody runs while the skill is used."""

import re

from raptorflow.skills.scanning.languages import is_code, language_of
from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.quoting import Surroundings
from raptorflow.skills.scanning.subject import Subject

_TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|testdata|test[-_]?(?:data|cases|fixtures|vectors)|fixtures?|specs?|evals?|"
    r"benchmarks?)/|(?:^|/)(?:test_[\w-]+|[\w-]+_test|[\w-]+\.(?:test|spec))\.\w+$|(?:^|/)evals?\.json$",
    re.IGNORECASE,
)
_RUN_BY_TESTS = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?)/|(?:^|/)(?:test_|conftest)|[._](?:test|spec)\.\w+$"
)
_RUNS_TESTS = re.compile(r"\bpytest\b|\bunittest\b|\b(?:npm|yarn|pnpm|make|go|cargo|bun) (?:run )?tests?\b")
_SAMPLES = re.compile(
    r"(?:^|/)(?:rules?|signatures?|patterns?|corpus|samples?|payloads?|examples?)/", re.IGNORECASE
)
_EASED: dict[Severity, Severity] = {"critical": "medium", "high": "low", "medium": "low", "low": "low"}


def is_test(path: str) -> bool:
    """Whether a file is a test or data of tests."""
    return bool(_TEST.search(path))


def eased(threat: Threat, subject: Subject) -> Threat:
    """A finding in a test weighs less, unless the skill's pages name the file or ask to run the tests.

    So does one in what a skill about security keeps to look for: data, and samples that no page names.
    """
    about_security, language = Surroundings(subject).about_security, language_of(threat.file, "")
    if about_security and language == "text" and not is_code(threat.file, language):
        message = f"{threat.message} It stands in data of a skill about security."
        return threat.model_copy(update={"severity": _EASED[threat.severity], "message": message})
    is_sample = about_security and _SAMPLES.search(threat.file)
    if not is_sample and not is_test(threat.file):
        return threat
    name = threat.file.rpartition("/")[2]
    pages = [source.text for source in subject.written_in("markdown") if not is_test(source.path)]
    asked = _RUN_BY_TESTS.search(threat.file) and any(map(_RUNS_TESTS.search, pages))
    if asked or any(name in page for page in pages):
        return threat
    message = f"{threat.message} It stands in a test, which nobody runs while the skill is used."
    return threat.model_copy(update={"severity": _EASED[threat.severity], "message": message})
