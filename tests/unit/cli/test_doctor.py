"""The doctor's words about the sandbox follow what was found by trying."""

import json
import socket
from collections.abc import Generator

import pytest
from pydantic import SecretStr

from raptorflow.cli import doctor as command
from raptorflow.cli.checks import sandbox_checks
from raptorflow.cli.machine import Check
from raptorflow.cli.reach import shown_url
from raptorflow.sandbox.probing import Guarantee, ProbeReport
from raptorflow.settings import Settings


def test_each_guarantee_says_who_keeps_it() -> None:
    report = ProbeReport(
        "local",
        {
            "network": Guarantee("kernel", "namespaces"),
            "memory": Guarantee("supervised", "rlimits"),
            "files": Guarantee("missing", "nothing"),
        },
        remedy="systemd-run --user",
    )
    states = {check.name: (check.state, check.remedy) for check in sandbox_checks(report)}
    assert states == {
        "Sandbox local: network": ("ok", None),
        "Sandbox local: memory": ("weaker", "systemd-run --user"),
        "Sandbox local: files": ("missing", "systemd-run --user"),
    }


def test_a_driver_that_cannot_be_used_is_missing() -> None:
    report = ProbeReport("local", problem="bubblewrap does not start", remedy="apt-get install bubblewrap")
    assert list(sandbox_checks(report)) == [
        Check("Sandbox local", "missing", "bubblewrap does not start", "apt-get install bubblewrap")
    ]


@pytest.mark.parametrize("state", ["ok", "missing"])
def test_the_exit_code_and_the_json_say_whether_something_is_missing(
    state: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check = Check(
        "Sandbox", "ok" if state == "ok" else "missing", "[bold]as found[/bold]", "apt-get install it"
    )

    def only_one(settings: Settings) -> list[Check]:
        del settings
        return [check]

    monkeypatch.setattr(command, "all_checks", only_one)
    if state == "ok":
        command.doctor(json=True)
    else:
        with pytest.raises(SystemExit, match="1"):
            command.doctor(json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] == (state == "ok")
    assert told["checks"][0]["found"] == "[bold]as found[/bold]"


def test_addresses_are_shown_without_their_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPTORFLOW_DATABASE__URL", "postgresql+psycopg://app:hidden@db.example:5432/x")
    settings = Settings()
    assert isinstance(settings.database.url, SecretStr)
    found = [check.found for check in command.all_checks(settings)]
    assert any(text.startswith("postgresql+psycopg://db.example:5432/x: ") for text in found)
    assert not any("hidden" in text for text in found)


@pytest.fixture
def closed_port() -> Generator[int]:
    """A port that is taken and never answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize(
    ("name", "variable", "url", "remedy"),
    [
        (
            "Database in use",
            "RAPTORFLOW_DATABASE__URL",
            "postgresql://u:hidden@127.0.0.1:{}/x",
            "DATABASE__URL",
        ),
        ("Database in use", "RAPTORFLOW_DATABASE__URL", "hidden", "postgresql+psycopg://user"),
        ("Valkey in use", "RAPTORFLOW_VALKEY__URL", "redis://:hidden@127.0.0.1:{}/0", "VALKEY__URL"),
        ("Valkey in use", "RAPTORFLOW_VALKEY__URL", "hidden", "redis://:password"),
        ("Language model", "RAPTORFLOW_MODEL", "foo:bar", "RAPTORFLOW_MODEL"),
        ("Language model", "RAPTORFLOW_MODEL", "anthropic:claude-x", "ANTHROPIC_API_KEY"),
    ],
)
def test_a_part_that_cannot_be_reached_is_missing(
    name: str, variable: str, url: str, remedy: str, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setenv(variable, url.format(closed_port))
    check = next(check for check in command.all_checks(Settings()) if check.name == name)
    assert check.state == "missing", check
    assert remedy in (check.remedy or "")
    assert "hidden" not in check.found
    assert str(closed_port) in check.found or "{}" not in url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:pass@host:6379/0", "redis://host:6379/0"),
        ("unix://:pass@/run/valkey.sock", "unix:///run/valkey.sock"),
        ("postgresql+psycopg://u:p@[::1]:5432/x?host=y", "postgresql+psycopg://::1:5432/x"),
        ("pass", "the URL"),
        ("redis://u:p@host:pass/0", "the URL"),
    ],
)
def test_an_address_is_shown_with_its_port_and_without_its_secrets(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_a_tier_that_is_not_installed_is_no_fault() -> None:
    report = ProbeReport("monty", problem="it is not installed", remedy="uv pip install it", optional=True)
    assert list(sandbox_checks(report)) == [
        Check("Sandbox monty", "optional", "it is not installed", "uv pip install it")
    ]


def test_the_pure_tier_is_told_of_beside_the_sandbox_that_is_used() -> None:
    names = [check.name for check in command.all_checks(Settings())]
    assert any(name.startswith("Sandbox local") for name in names)
    assert any(name.startswith("Sandbox monty") for name in names)
