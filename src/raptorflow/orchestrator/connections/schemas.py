"""What the API of connected models takes and gives. A key is taken and never given."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from raptorflow.orchestrator.connections.providers import ProviderId

LONGEST_KEY = 4096


def _address(url: str) -> str:
    """An address to which paths can be added, and in which nothing is hidden."""
    parts = _parts(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the address has to begin with http:// or https:// and name a host")
    if "@" in parts.netloc:
        raise ValueError("the address may not hold a user or a password; send a key as api_key")
    if "?" in url or "#" in url:
        raise ValueError("the address may not have a query or a fragment")
    return url.rstrip("/")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("the address is not a URL") from None
    return parts


def _key(key: SecretStr) -> SecretStr:
    # It becomes a header: nothing in it may end one, and the complaint may not repeat it.
    value = key.get_secret_value()
    if not 1 <= len(value) <= LONGEST_KEY or not all("!" <= letter <= "~" for letter in value):
        raise ValueError(f"a key has 1 to {LONGEST_KEY} letters, digits and signs, without spaces")
    return key


ModelName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
BaseUrl = Annotated[str, Field(max_length=2048, pattern=r"^[!-~]+$"), AfterValidator(_address)]
ApiKey = Annotated[SecretStr, AfterValidator(_key)]


class NewModelConnection(BaseModel):
    """A language model to connect."""

    provider: ProviderId
    model: ModelName
    base_url: BaseUrl | None = None
    api_key: ApiKey | None = None


class ModelConnectionChange(BaseModel):
    """What to change of a connection; null takes an address or a key away, what is left out stays."""

    model: ModelName | None = None
    base_url: BaseUrl | None = None
    api_key: ApiKey | None = None


class ModelCost(BaseModel):
    """Prices in millionths of a US dollar: of a million tokens, and of the test itself."""

    input_per_million_microusd: int
    output_per_million_microusd: int
    test_microusd: int


class ModelTest(BaseModel):
    """What a test found. Nothing is known of what it did not come to.

    Attributes:
        first_event_ms: until the model's first sign of life, and `total_ms` until the end of its text.
        streaming: whether the text came in more than one piece.
        tool_calling: whether it called the tool that it was told to call.
        cost: absent when no price is known for this model at this address.
    """

    status: Literal["running", "passed", "failed"]
    tested_at: datetime
    first_event_ms: float | None = None
    total_ms: float | None = None
    streaming: bool | None = None
    tool_calling: bool | None = None
    tokens_per_second: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: ModelCost | None = None
    problem: dict[str, Any] | None = None


class ModelConnection(BaseModel):
    """A connected language model; of its key only the end is shown."""

    id: UUID
    provider: ProviderId
    model: str
    base_url: str | None
    key_hint: str | None
    chosen: bool
    created_at: datetime
    test: ModelTest | None


class ModelInUse(BaseModel):
    """The model that answers the organisation's next run; `settings` is the server's default."""

    connection_id: UUID | None
    provider: str
    model: str
    offline: bool
    source: Literal["connection", "settings"]


class ModelProvider(BaseModel):
    """What connecting a provider's model takes."""

    id: ProviderId
    title: str
    needs_key: bool
    needs_base_url: bool
    suggestions: list[str]


class ModelOverview(BaseModel):
    """The providers there are, the organisation's connections, and what is in use."""

    providers: list[ModelProvider]
    connections: list[ModelConnection]
    in_use: ModelInUse


class ModelChoiceRequest(BaseModel):
    """Which connection runs are to use; null is the server's default."""

    connection_id: UUID | None
