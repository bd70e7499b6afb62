"""The blocking client's source, from that of the one that does not block: the same words without `await`."""

import re

WORDS = {
    "The client that does not block.": "The blocking client. Written by `make api` from `async_client.py`.",
    "AsyncRaptorFlow": "RaptorFlow",
    "AsyncAccounts": "Accounts",
    "AsyncOrchestrator": "Orchestrator",
    "AsyncRegistry": "Registry",
    "AsyncTransport": "Transport",
    "AsyncGenerator": "Generator",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "aclose": "close",
    "aread": "read",
    "aiter_lines": "iter_lines",
    "asyncio.sleep": "time.sleep",
    "import asyncio": "import time",
    "async with": "with",
    "async for": "for",
    "async def": "def",
}


def blocking(source: str) -> str:
    """The module's source, not yet formatted."""
    source = re.sub(r"await asyncio\.to_thread\(([\w.]+)\)", r"\1()", source)
    source = re.sub(r"\(await ((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)\.", r"\1.", source)
    source = source.replace("await ", "")
    for word, other in WORDS.items():
        source = source.replace(word, other)
    return source
