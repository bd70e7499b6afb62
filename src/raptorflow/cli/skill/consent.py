"""What a person agrees to before skills are used: each skill's reach, and that of all of them together."""

import sys
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from raptorflow.base.errors import InvalidInput
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.locking.lock import Locked
from raptorflow.skills.resolving.graph import in_order
from raptorflow.skills.resolving.model import Candidate
from raptorflow.skills.text import printable


class NobodyAgreed(InvalidInput):
    """Something asks for a yes, and nobody is there to give it."""

    code = "consent-needed"
    default_hint = "Read what is asked for, and give `--yes`."


def words_of(chosen: Mapping[str, Candidate]) -> list[str]:
    """Everything outside that one of the skills may reach: the union over the tree, each sentence once."""
    sentences = {words for one in chosen.values() for words in one.capabilities.reach_words()}
    return sorted(sentences) or ["No network, no services, no secrets."]


def show_tree(console: Console, chosen: Mapping[str, Candidate], before: Mapping[str, Locked]) -> None:
    """Each skill with its version, what it may reach, and how it differs from what is locked."""
    for name in in_order(chosen):
        candidate = chosen[name]
        was = before.get(name)
        change = "" if was is None or was.version == candidate.version else f" (was {was.version})"
        console.print(Text(f"{name} {candidate.version}{change}", "bold"))
        for sentence in candidate.capabilities.reach_words() or ["reaches nothing outside its sandbox."]:
            console.print(Text(f"  {printable(sentence)}"))
        for other, wanted in sorted(candidate.requires.items()):
            console.print(Text(f"  builds on {other} {wanted}, which acts by its own permissions", "dim"))
    console.print(Text("All together:", "bold"))
    for sentence in words_of(chosen):
        console.print(Text(f"  {printable(sentence)}"))


def ask(console: Console, chosen: Mapping[str, Candidate], *, yes: bool) -> None:
    """Wait for a yes where something outside may be reached.

    Raises:
        NobodyAgreed: it was not given.
    """
    reaches = any(one.capabilities.reaches_outside() for one in chosen.values())
    if yes or not reaches:
        return
    if not sys.stdin.isatty() or console.quiet:
        raise NobodyAgreed("These skills may reach something outside of their sandbox.")
    try:
        answer = console.input("Install them? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise NobodyAgreed("Nothing was installed.", hint="Run it again when you have decided.")


def total(chosen: Mapping[str, Candidate]) -> Capabilities:
    """The union of what the skills may reach, with the default limits: for programs that read it."""
    network = frozenset(each for one in chosen.values() for each in one.capabilities.network)
    secrets = {name: place for one in chosen.values() for name, place in one.capabilities.secrets.items()}
    services: dict[str, frozenset[str]] = {}
    for one in chosen.values():
        for name, operations in one.capabilities.services.items():
            services[name] = services.get(name, frozenset()) | operations
    return Capabilities(network=network, secrets=secrets, services=services)
