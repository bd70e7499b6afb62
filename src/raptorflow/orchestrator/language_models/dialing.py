"""How connected models are reached: at addresses that are allowed, and with nothing of ours on the way."""

from collections.abc import Mapping

import httpx2

from raptorflow.core.dialing import GuardedNetwork, GuardedTransport, Resolve, look_up
from raptorflow.orchestrator.connections.errors import ModelAddressRefused

ALLOWED_HEADERS = frozenset(
    ("accept", "accept-encoding", "content-length", "content-type", "host", "transfer-encoding", "user-agent")
)
ALLOWED_PREFIXES = ("anthropic-", "x-stainless-")


def model_network(*, local: bool, resolve: Resolve = look_up) -> GuardedNetwork:
    """The network that connected models may be in; `local` allows this machine and private networks."""

    def refusal(host: str) -> ModelAddressRefused:
        return ModelAddressRefused(f"{host} leads to an address that models may not be at.")

    return GuardedNetwork(local=local, refusal=refusal, resolve=resolve)


def client_for(transport: GuardedTransport, credentials: Mapping[str, str]) -> httpx2.AsyncClient:
    """A client of one connected model. It holds nothing that has to be closed; the transport does.

    The providers' libraries read headers of the operator's from the environment (`OPENAI_ORG_ID`,
    `ANTHROPIC_CUSTOM_HEADERS`): only the connection's own credentials leave.
    """

    async def only_its_own(request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name not in ALLOWED_HEADERS and not name.startswith(ALLOWED_PREFIXES):
                del request.headers[name]
        # What is not packed cannot grow when it is unpacked.
        request.headers["accept-encoding"] = "identity"
        request.headers.update(credentials)

    async def not_packed(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise httpx2.DecodingError("The answer is packed, and nobody asked for that.")

    return httpx2.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        event_hooks={"request": [only_its_own], "response": [not_packed]},
    )
