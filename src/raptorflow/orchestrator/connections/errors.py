"""What can go wrong with connected language models."""

from raptorflow.base.errors import Conflict, InvalidInput, NotFound, PartUnavailable


class ModelConnectionNotFound(NotFound):
    """There is no such connection, or it is another organisation's."""

    code = "model-connection-not-found"
    default_hint = "List yours with GET /api/v1/orchestrator/models."


class TooManyModelConnections(Conflict):
    """An organisation has as many connections as it may."""

    code = "too-many-model-connections"
    default_hint = "Delete one that is not used."


class ModelKeyMissing(InvalidInput):
    """A provider wants a key, or a key would be sent elsewhere than it was given for."""

    code = "model-key-missing"
    default_hint = "Send the provider's key as `api_key`."


class ModelAddressMissing(InvalidInput):
    """A server of one's own is only known by its address."""

    code = "model-address-missing"
    default_hint = "Send the server's address as `base_url`, such as http://127.0.0.1:11434/v1."


class ModelAddressRefused(PartUnavailable):
    """A model's address leads into the network of the server, and the operator does not allow that."""

    code = "model-address-refused"
    default_hint = (
        "Use an address on the internet. For a model on this machine or in its network the operator sets "
        "RAPTORFLOW_ORCHESTRATOR__MODEL_LOCAL_ADDRESSES=true."
    )


class ModelKeyUnreadable(PartUnavailable):
    """The key of a connection does not open any more."""

    code = "model-key-unreadable"
    default_hint = (
        "Enter the model's key again in the web interface under Settings. All of them: "
        "is RAPTORFLOW_ACCOUNTS__SECRET still the one they were sealed under?"
    )


class ModelWithoutTools(PartUnavailable):
    """A model answers, and calls no tools."""

    code = "model-without-tools"
    default_hint = "Choose a model that supports tool calling: without it no skill can be run."


class ModelTestOverdue(PartUnavailable):
    """A test was accepted, and no worker has ended it."""

    code = "model-test-overdue"
    default_hint = "Does a worker run? See its log, then test again."
