"""What an answer cost, in millionths of a US dollar, by the list of genai-prices.

A price belongs to an address: a model of the same name on a server of one's own does not cost what the
provider takes, so nothing is known of it.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from genai_prices import calc_price
from genai_prices.types import PriceCalculation, TieredPrices
from pydantic_ai.messages import ModelResponse

MICRO = 1_000_000


@dataclass(frozen=True)
class Cost:
    """An answer's cost, and the prices of a million tokens; all in micro-dollars."""

    microusd: int
    input_per_million: int
    output_per_million: int


def cost_of(response: ModelResponse) -> Cost | None:
    """An answer's cost; None when no price is known, or the provider did not count."""
    price = _calculated(response)
    if price is None:
        return None
    return Cost(
        _micro(price.total_price),
        _base(price.model_price.input_mtok),
        _base(price.model_price.output_mtok),
    )


def _calculated(response: ModelResponse) -> PriceCalculation | None:
    usage = response.usage
    if (
        not response.provider_url
        or not response.model_name
        or not (usage.input_tokens or usage.output_tokens)
    ):
        return None
    try:
        return calc_price(
            usage,
            response.model_name,
            provider_api_url=response.provider_url,
            genai_request_timestamp=response.timestamp,
        )
    except (LookupError, ValueError):
        # Unknown provider or model, or counts that contradict each other.
        return None


def _base(price: Decimal | TieredPrices | None) -> int:
    """A price without the surcharge of very long prompts."""
    return _micro(price.base if isinstance(price, TieredPrices) else price or Decimal(0))


def _micro(dollars: Decimal) -> int:
    return int((dollars * MICRO).quantize(Decimal(1), ROUND_HALF_UP))
