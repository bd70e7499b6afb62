"""Addresses of databases and of Valkey that cannot be read say how to write them, and give nothing away."""

import pytest
from sqlalchemy import make_url

from raptorflow.core.db import Database, database_url
from raptorflow.core.errors import DatabaseUrlInvalid, ValkeyUrlInvalid
from raptorflow.core.migrate import upgrade
from raptorflow.core.valkey import open_valkey


@pytest.mark.parametrize(
    "url", ["hidden", "postgresql://u:hidden@host:port/x", "mysql://u:hidden@host/x", "sqlite:///hidden", ""]
)
def test_no_database_url(url: str) -> None:
    for opened in (Database, upgrade):
        with pytest.raises(DatabaseUrlInvalid) as caught:
            opened(url)
        assert "hidden" not in str(caught.value.problem())
        assert "RAPTORFLOW_DATABASE__URL" in (caught.value.hint or "")


def test_the_driver_and_a_limit_to_connecting_are_ours_unless_it_is_named() -> None:
    assert database_url("postgresql://u:p@host/x") == make_url(
        "postgresql+psycopg://u:p@host/x?connect_timeout=10"
    )
    assert database_url("postgresql://host/x?connect_timeout=3").query["connect_timeout"] == "3"


@pytest.mark.parametrize("url", ["hidden", "http://:hidden@host", "redis://:hidden@host:port/0"])
def test_no_valkey_url(url: str) -> None:
    with pytest.raises(ValkeyUrlInvalid) as caught:
        open_valkey(url)
    assert "hidden" not in str(caught.value.problem())
    assert "RAPTORFLOW_VALKEY__URL" in (caught.value.hint or "")
