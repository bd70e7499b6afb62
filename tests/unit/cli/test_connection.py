"""Which server is meant, and which token goes to it."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from raptorflow.cli.connection import Connection, NoServerKnown, read_connection, write_connection

HERE = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("RAPTORFLOW_URL", "RAPTORFLOW_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    write_connection(Connection(url=HERE, token=SecretStr("kept")))


def told(url: str | None = None, token: str | None = None) -> tuple[str, str]:
    connection = read_connection(url, token)
    return connection.url, connection.token.get_secret_value()


def test_what_was_kept_is_used_for_its_own_server() -> None:
    assert told() == told(HERE) == told(f"{HERE}/") == (HERE, "kept")


def test_a_kept_token_is_sent_to_no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoServerKnown, match=r"flow\.example"):
        read_connection("https://flow.example")
    monkeypatch.setenv("RAPTORFLOW_URL", "https://flow.example")
    with pytest.raises(NoServerKnown):
        read_connection()
    monkeypatch.setenv("RAPTORFLOW_TOKEN", "other")
    assert told() == ("https://flow.example", "other")


def test_a_token_alone_goes_to_the_server_that_was_kept() -> None:
    assert told(token="other") == (HERE, "other")
