"""Which asker a run gets, whose headers leave, and what web processes load."""

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot
from pydantic import SecretStr
from pydantic_ai.messages import ModelRequest, UserPromptPart

from raptorflow.base.clock import utc_now
from raptorflow.base.ids import new_id
from raptorflow.orchestrator.connections.errors import ModelKeyUnreadable
from raptorflow.orchestrator.connections.keys import ModelKeys
from raptorflow.orchestrator.connections.providers import PROVIDERS
from raptorflow.orchestrator.connections.records import ConnectedModel
from raptorflow.orchestrator.errors import ModelFailed
from raptorflow.orchestrator.events import RunRef
from raptorflow.orchestrator.language_models import choice
from raptorflow.orchestrator.language_models.asking import Asker
from raptorflow.orchestrator.language_models.choice import ModelChoice
from raptorflow.orchestrator.language_models.connector import OWN_ADDRESSES, Connector
from raptorflow.orchestrator.language_models.factory import BUILDERS
from raptorflow.orchestrator.language_models.keys import VARIABLES
from raptorflow.orchestrator.language_models.offline import OfflineModel
from raptorflow.orchestrator.runs.records import TakenRun
from raptorflow.orchestrator.settings import OrchestratorSettings

KEY = "sk-test-0123456789-wxyz"
SETTINGS = OrchestratorSettings(model="offline", model_local_addresses=True)
DEFAULT = Asker(OfflineModel(min_score=0.1), SETTINGS)


def connection(**changes: Any) -> ConnectedModel:
    values: dict[str, Any] = {
        "id": new_id(),
        "org_id": new_id(),
        "provider": "openai-compatible",
        "model": "local",
        "base_url": "http://127.0.0.1:9/v1",
        "sealed_key": None,
        "updated_at": utc_now(),
    }
    return ConnectedModel(**{**values, **changes})


def taken(chosen: ConnectedModel | None) -> TakenRun:
    ref = RunRef(new_id(), new_id(), chosen.org_id if chosen else new_id())
    return TakenRun(
        ref=ref,
        user_id=new_id(),
        turn=1,
        attempt=1,
        last_seq=0,
        cancel_requested=False,
        usage={},
        kind="chat",
        replaces=None,
        state={},
        history=[],
        turn_entries=[],
        steps=[],
        files=[],
        connection=chosen,
    )


class Nobody:
    """Listens to nothing."""

    def text(self, delta: str) -> None: ...

    def start_over(self) -> None: ...

    def waiting(self, seconds: float, reason: str) -> None: ...


HELLO = [ModelRequest(parts=[UserPromptPart("Hello")])]


def test_without_a_choice_the_default_answers() -> None:
    assert ModelChoice(DEFAULT, None).asker(taken(None)) is DEFAULT


def test_a_connection_s_client_is_kept_until_it_changes() -> None:
    models, chosen = ModelChoice(DEFAULT, None), connection()
    first = models.asker(taken(chosen))
    assert first.name == "local"
    assert models.asker(taken(chosen)) is first
    changed = connection(id=chosen.id, model="other", updated_at=utc_now() + timedelta(seconds=1))
    second = models.asker(taken(changed))
    assert second.name == "other"
    assert models.asker(taken(changed)) is second


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "MOST_KEPT", 2)
    models, chosen = ModelChoice(DEFAULT, None), [connection() for _ in range(3)]
    first, second = models.asker(taken(chosen[0])), models.asker(taken(chosen[1]))
    assert models.asker(taken(chosen[0])) is first
    models.asker(taken(chosen[2]))
    assert models.asker(taken(chosen[0])) is first
    assert models.asker(taken(chosen[1])) is not second


async def test_a_worker_that_opens_no_keys_does_not_fall_back() -> None:
    with pytest.raises(ModelKeyUnreadable):
        await ModelChoice(DEFAULT, None).asker(taken(connection())).ask(HELLO, [], Nobody())


async def test_a_provider_that_repeats_the_key_is_not_repeated(model_server: Any) -> None:
    """Cut in the middle of the key, too: what is hidden is hidden before."""
    keys = ModelKeys(SecretStr("a secret"))
    chosen = connection(base_url=model_server.url)
    sealed = keys.seal(SecretStr(KEY), chosen.org_id, chosen.id)
    chosen = connection(id=chosen.id, org_id=chosen.org_id, base_url=model_server.url, sealed_key=sealed)
    connector = Connector(SETTINGS, keys)
    asker = connector.asker(chosen)
    for padding in (0, *range(400, 500, 5)):
        model_server.plays(model_server.problem(400, "x" * padding + KEY))
        with pytest.raises(ModelFailed) as refused:
            await asker.ask(HELLO, [], Nobody())
        assert KEY[:8] not in str(refused.value.problem())
    assert set(model_server.keys) == {f"Bearer {KEY}"}
    await connector.close()


@pytest.mark.parametrize(("provider", "header"), [("openai", "authorization"), ("anthropic", "x-api-key")])
async def test_nothing_of_the_operator_s_leaves(
    model_server: Any, monkeypatch: pytest.MonkeyPatch, provider: str, header: str
) -> None:
    """The providers' libraries read accounts, headers and addresses from the environment."""
    for name in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{name}_API_KEY", "operators-key")
        monkeypatch.setenv(f"{name}_BASE_URL", "http://operators.example")
        monkeypatch.setenv(f"{name}_CUSTOM_HEADERS", "X-Gateway: operators\nAuthorization: operators")
    monkeypatch.setenv("OPENAI_ORG_ID", "operators-org")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "operators-token")
    keys = ModelKeys(SecretStr("a secret"))
    chosen = connection(provider=provider, base_url=model_server.url)
    sealed = keys.seal(SecretStr(KEY), chosen.org_id, chosen.id)
    connector = Connector(SETTINGS, keys)
    asker = connector.asker(
        connection(
            id=chosen.id,
            org_id=chosen.org_id,
            provider=provider,
            base_url=model_server.url,
            sealed_key=sealed,
        )
    )
    model_server.plays(model_server.problem(400, "enough"))
    with pytest.raises(ModelFailed):
        await asker.ask(HELLO, [], Nobody())
    assert KEY in model_server.headers[0][header]
    assert "operators" not in str(model_server.headers)
    await connector.close()


def test_the_providers_are_the_same_everywhere() -> None:
    assert set(PROVIDERS) == set(BUILDERS)
    assert {name for name, provider in PROVIDERS.items() if provider.needs_key} == set(VARIABLES)
    assert {name for name, provider in PROVIDERS.items() if not provider.needs_base_url} == set(OWN_ADDRESSES)


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_what_is_suggested_has_a_price(provider: Any) -> None:
    for model in PROVIDERS[provider].suggestions:
        found, _ = get_snapshot().find_provider_model(model, None, None, OWN_ADDRESSES[provider])
        assert found.id == provider


def test_web_processes_load_no_machinery_of_models() -> None:
    """It costs them a second at the start and tens of megabytes."""
    program = "import sys, raptorflow.app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    packages = {name.partition(".")[0] for name in loaded.stdout.split()}
    assert "raptorflow" in packages
    assert not packages & {"pydantic_ai", "openai", "anthropic", "genai_prices"}
