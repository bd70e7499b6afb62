"""Makes the model of a target. A provider's client is loaded only when it is the one."""

from importlib import import_module

from pydantic_ai.models import Model

from raptorflow.orchestrator.errors import ModelUnknown
from raptorflow.orchestrator.language_models.keys import key_of
from raptorflow.orchestrator.language_models.offline import OfflineModel
from raptorflow.orchestrator.language_models.target import ModelTarget
from raptorflow.orchestrator.settings import OrchestratorSettings

OFFLINE = "offline"
COMPATIBLE = "openai-compatible"
BUILDERS = {
    "anthropic": "anthropic_provider",
    "openai": "openai_provider",
    COMPATIBLE: "openai_provider",
}
"""By provider, the module of this package whose `build` makes a model of a target."""


def build_model(settings: OrchestratorSettings) -> Model:
    """The model of `settings.model`.

    Raises:
        ModelUnknown: it names no known provider, or lacks the base URL it needs.
        ModelKeyRefused: the provider needs a key and none is set.
    """
    if settings.model == OFFLINE:
        return OfflineModel(min_score=settings.offline_min_score)
    provider, _, name = settings.model.partition(":")
    if provider not in BUILDERS or not name:
        raise ModelUnknown(f"The model {settings.model!r} is not known.")
    if provider == COMPATIBLE and not settings.model_base_url:
        raise ModelUnknown(
            f"The model {settings.model!r} has no address.", hint="Set RAPTORFLOW_MODEL_BASE_URL."
        )
    return build_target(ModelTarget(provider, name, settings.model_base_url, key_of(settings, provider)))


def build_target(target: ModelTarget) -> Model:
    """The model of a target.

    Raises:
        ModelUnknown: no such provider is known.
    """
    if target.provider not in BUILDERS:
        raise ModelUnknown(f"The provider {target.provider!r} is not known.")
    return import_module(f"{__package__}.{BUILDERS[target.provider]}").build(target)
