"""Code that does what `skill.toml` does not declare."""

from raptorflow.skills.scanning.model import Report
from raptorflow.skills.scanning.scan import scan_files

SKILL_MD = b"---\nname: greet\ndescription: Greets people.\n---\nRun scripts/main.py.\n"
CODE = (
    "import os, requests\nfrom raptorflow_skill import services\n"
    "requests.get('https://api.example/v1', headers={'k': os.environ['GREET_KEY']})\n"
    "services.call('google-ads', 'campaigns.read')\n"
)
FULL = (
    'schema = 1\n[permissions]\nnetwork = ["api.example:443"]\nsecrets = { GREET_KEY = "api.example:443" }\n'
    'services = { google-ads = ["campaigns.read"] }\n'
)


def report_of(manifest: str | None, code: str = CODE, path: str = "scripts/main.py") -> Report:
    files = {"SKILL.md": SKILL_MD, path: code.encode()}
    return scan_files(files | ({"skill.toml": manifest.encode()} if manifest is not None else {}))


def codes(report: Report) -> list[str]:
    return sorted({finding.code for finding in report.findings})


def test_what_is_declared_and_used_is_no_finding() -> None:
    assert report_of(FULL).findings == ()


def test_each_use_that_is_not_declared_is_named_and_reviewed() -> None:
    report = report_of("schema = 1\n")
    assert codes(report) == ["scan/undeclared-network", "scan/undeclared-secret", "scan/undeclared-service"]
    assert {finding.line for finding in report.findings} == {3, 4}
    assert report.verdict == "review"
    assert 'network = ["api.example:443"]' in report.findings[0].remedy


def test_another_port_or_operation_is_not_declared() -> None:
    manifest = FULL.replace("api.example:443", "api.example:8443").replace(
        "campaigns.read", "campaigns.write"
    )
    assert codes(report_of(manifest)) == ["scan/undeclared-network", "scan/undeclared-service"]


def test_a_host_that_the_code_decides_while_it_runs_needs_some_declaration() -> None:
    code = "import sys, requests\nrequests.get(sys.argv[1])\n"
    assert codes(report_of("schema = 1\n", code)) == ["scan/undeclared-network"]
    assert codes(report_of('schema = 1\n[permissions]\nnetwork = ["a.example:443"]\n', code)) == [
        "scan/declared-unused"
    ]


def test_a_skill_that_declares_nothing_is_told_that_it_gets_nothing_and_passes() -> None:
    report = report_of(None)
    assert (codes(report), report.verdict, report.power) == (["scan/nothing-declared"], "pass", "high")


def test_a_declaration_that_nothing_uses_is_a_low_note() -> None:
    report = report_of(FULL, "print(1)")
    assert codes(report) == ["scan/declared-unused"]
    assert {finding.severity for finding in report.findings} == {"low"}
    assert len(report.findings) == 3


def test_tests_of_the_skill_declare_nothing() -> None:
    assert report_of("schema = 1\n", CODE, "tests/test_main.py").verdict == "pass"
