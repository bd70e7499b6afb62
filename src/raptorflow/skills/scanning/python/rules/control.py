"""Hands over control: reverse shells, remote commands, key loggers, miners, clipboard swaps."""

import re
from collections.abc import Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.python.context import Context, excerpt, threat
from raptorflow.skills.scanning.python.program import Call
from raptorflow.skills.scanning.subject import Source

_CONNECTS = re.compile(
    r"^(?:socket\.socket\(\)\.connect(?:_ex)?|socket\.create_connection|asyncio\.open_connection)$"
)
_HANDS_OVER = re.compile(r"^(?:os\.dup2|pty\.spawn|os\.exec[lv]p?e?)$")
_LISTENS = re.compile(r"^(?:pynput\.keyboard\.Listener|keyboard\.(?:on_press|on_release|hook|record))$")
# What is looked for is not what is done.
_SEARCHES = re.compile(r"^(?:re|regex)\.|^yara\.|(?:^|\.)(?:find|index|count|startswith|endswith|contains)$")
_MINES = re.compile(
    r"stratum\+(?:tcp|ssl|udp)://|\bxmrig\b|\bcpuminer\b|\bnicehash\b|--coin[= ]monero|cryptonight",
    re.IGNORECASE,
)
_WALLET = re.compile(
    r"\b(?:bc1[a-z0-9]{25,60}|[13][a-km-zA-HJ-NP-Z1-9]{25,34}|0x[a-fA-F0-9]{40}|4[0-9AB][1-9A-HJ-NP-Za-km-z]{93})\b"
)
_PASTES, _COPIES = "pyperclip.paste", "pyperclip.copy"


def control(context: Context) -> Iterator[Seen]:
    """What several calls of one source do together."""
    for source, calls in context.calls_by_source.items():
        yield from _reverse_shell(calls)
        yield from _key_logger(calls)
        yield from _clipboard_swap(source, calls)
        if _MINES.search(source.text):
            yield from _miner(calls)


def _reverse_shell(calls: list[Call]) -> Iterator[Seen]:
    connects = next((call for call in calls if _CONNECTS.match(call.name)), None)
    hands_over = next((call for call in calls if _HANDS_OVER.match(call.name) or _on_socket(call)), None)
    if connects and hands_over:
        yield threat(
            hands_over, "reverse-shell", "critical",
            f"`{hands_over.name}` hands a shell to the connection of line {connects.line}: "
            "whoever is at the other end controls the machine.", "Leave it out.",
        )  # fmt: skip


def _on_socket(call: Call) -> bool:
    """Whether a program reads its input from a connection."""
    streams = [call.keywords[name].name for name in ("stdin", "stdout") if name in call.keywords]
    return any(name.startswith(("socket.", "asyncio.open_connection")) for name in streams)


def _key_logger(calls: list[Call]) -> Iterator[Seen]:
    listens = next((call for call in calls if _LISTENS.match(call.name)), None)
    if listens and not listens.source.fenced:
        yield threat(
            listens, "key-logger", "high", f"`{listens.name}` listens to every key that the user presses.",
            "Leave it out; read input from the program's own window.",
        )  # fmt: skip


def _clipboard_swap(source: Source, calls: list[Call]) -> Iterator[Seen]:
    copies = next((call for call in calls if call.name == _COPIES), None)
    if copies and any(call.name == _PASTES for call in calls) and (address := _WALLET.search(source.text)):
        yield threat(
            copies, "clipboard-swap", "critical",
            f"The clipboard is read and overwritten, beside the wallet address {excerpt(address.group())}: "
            "payments would go there.", "Leave it out.",
        )  # fmt: skip


def _miner(calls: list[Call]) -> Iterator[Seen]:
    for call in calls:
        if _SEARCHES.match(call.name):
            continue
        texts = [text for value in call.all_arguments() for text in value.every_text() if len(text) < 4000]
        if found := next((hit for text in texts if (hit := _MINES.search(text))), None):
            yield threat(
                call, "miner", "critical",
                f"`{call.name}` is given {excerpt(found.group())}: it mines coins on the user's "
                f"machine.", "Leave it out.",
            )  # fmt: skip
            return
