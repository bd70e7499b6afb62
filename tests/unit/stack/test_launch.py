"""What a start fills in, hands on and refuses, before anything runs."""

import socket
from collections.abc import Generator
from contextlib import nullcontext
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from raptorflow.settings import Settings
from raptorflow.stack.address import Address, AddressUnusable
from raptorflow.stack.launch import completed, program_environment, running_stack


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of somebody who has a database and a Valkey of their own."""
    monkeypatch.setenv("RAPTORFLOW_DATA__DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RAPTORFLOW_DATABASE__URL", "postgresql+psycopg://app:secret@db/x")
    monkeypatch.setenv("RAPTORFLOW_DATABASE__OWNER_URL", "postgresql+psycopg://owner:secret@db/x")
    monkeypatch.setenv("RAPTORFLOW_VALKEY__URL", "redis://valkey:6379/0")
    return Settings()


@pytest.fixture
def taken_port() -> Generator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        (str(IPv4Address(0)), "http://127.0.0.1:8000"),  # what listens everywhere is reached here
        ("::", "http://[::1]:8000"),
        ("raptor.example", "http://raptor.example:8000"),
    ],
)
def test_an_address_is_shown_as_this_machine_reaches_it(host: str, url: str) -> None:
    assert Address(host).url == url


def test_a_secret_is_made_once_and_kept(settings: Settings) -> None:
    first, second = completed(settings, Address()), completed(settings, Address())
    assert first.accounts.secret
    assert first.accounts.secret == second.accounts.secret
    assert first.accounts.public_url == Address().url


def test_what_was_chosen_is_not_filled_in(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completed(settings, Address()).sandbox.allow_supervised
    monkeypatch.setenv("RAPTORFLOW_SANDBOX__ALLOW_SUPERVISED", "false")
    monkeypatch.setenv("RAPTORFLOW_ACCOUNTS__PUBLIC_URL", "https://raptor.example")
    monkeypatch.setenv("RAPTORFLOW_ACCOUNTS__SECRET", "of my own")
    chosen = completed(Settings(), Address())
    assert not chosen.sandbox.allow_supervised
    assert chosen.accounts.public_url == "https://raptor.example"
    environment = program_environment(chosen)
    assert environment["RAPTORFLOW_SANDBOX__ALLOW_SUPERVISED"] == "false"
    assert environment["RAPTORFLOW_ACCOUNTS__SECRET"] == "of my own"


def test_models_on_one_s_own_machine_are_allowed_unless_that_was_decided(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = "RAPTORFLOW_ORCHESTRATOR__MODEL_LOCAL_ADDRESSES"
    assert not settings.orchestrator.model_local_addresses
    assert program_environment(completed(settings, Address()))[variable] == "true"
    monkeypatch.setenv(variable, "false")
    assert program_environment(completed(Settings(), Address()))[variable] == "false"


def test_server_and_worker_never_get_the_owner_s_login(settings: Settings) -> None:
    environment = program_environment(completed(settings, Address()))
    assert environment["RAPTORFLOW_DATABASE__URL"] == "postgresql+psycopg://app:secret@db/x"
    assert not any("owner:secret" in value for value in environment.values())


async def test_a_taken_port_is_said_before_anything_starts(settings: Settings, taken_port: int) -> None:
    def stage(title: str) -> nullcontext[None]:
        raise AssertionError(f"{title} began")

    with pytest.raises(AddressUnusable, match=str(taken_port)):
        async with running_stack(settings, Address(port=taken_port), stage=stage, report=print):
            raise AssertionError("started")
    assert settings.data.dir
    assert not settings.data.dir.exists()


async def test_an_address_of_another_machine_is_refused(settings: Settings) -> None:
    with pytest.raises(AddressUnusable):
        async with running_stack(settings, Address("192.0.2.1"), stage=nullcontext, report=print):
            raise AssertionError("started")
