"""The prompt: a stable prefix first, then as much history as the budget holds.

    system text                 the same for every turn
    how to search for skills    the same for every turn, however many skills are installed
    loaded skills               in the order of their activation, each at most its share of the budget
    history                     newest turns; the oldest go first, whole turns at a time
    this turn                   never left out; its older tool results shrink when nothing else is left

Providers cache a prompt by its beginning, so what changes least stands first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic_ai.messages import ModelMessage, ModelRequest, SystemPromptPart

from raptorflow.base.json import dumps
from raptorflow.orchestrator.context.entries import Entry
from raptorflow.orchestrator.context.tokens import cut, estimate_tokens
from raptorflow.orchestrator.context.transcript import to_messages
from raptorflow.orchestrator.ports import LoadedSkill

SYSTEM_TEXT = """\
You are RaptorFlow's assistant. You answer a person's request, where it helps with skills: instructions and \
code that the person's organisation has installed. Prefer a skill over working something out yourself. \
Say what you did and what came out of it, with the numbers. Never invent results. \
When an action fails, tell the person its message and its hint."""

SEARCH_TEXT = """\
Skills are not listed here. Call search_skills with what the person wants; call load_skill with the name of \
one that fits. Its instructions then appear below, and its actions become tools named <skill>__<action>. \
A skill that is found but not installed cannot be loaded: suggest that an administrator installs it. \
Call unload_skill when a skill is of no more use, read_skill_file for a file that its instructions name."""

SKILL_SHARE = 4
"""A skill's instructions get at most one part in four of the budget."""
SHRUNK_RESULT_TOKENS = 64


@dataclass(frozen=True)
class Prompt:
    """What a model is sent.

    Attributes:
        messages: the system text and the conversation.
        tokens: the estimate for all of it.
        left_out: how many earlier turns did not fit.
    """

    messages: list[ModelMessage]
    tokens: int
    left_out: int


def build_prompt(
    history: Sequence[Entry],
    turn: Sequence[Entry],
    skills: Sequence[LoadedSkill],
    *,
    budget: int,
    system_text: str | None = None,
) -> Prompt:
    """Put a prompt together within a budget of tokens.

    Args:
        history: the entries of earlier turns, oldest first.
        turn: the entries of this turn.
        skills: the loaded skills, in the order of their activation.
        budget: tokens, estimated by `estimate_tokens`.
        system_text: replaces the built-in system text.
    """
    prefix = [
        system_text or SYSTEM_TEXT,
        SEARCH_TEXT,
        *(_skill_text(s, budget // SKILL_SHARE) for s in skills),
    ]
    left = budget - sum(map(estimate_tokens, prefix))
    turn = _shrunk(turn, left)
    left -= sum(map(_entry_tokens, turn))
    kept, left, left_out = _newest_turns(history, left)
    request = ModelRequest(parts=[SystemPromptPart(text) for text in prefix])
    return Prompt([request, *to_messages([*kept, *turn])], budget - left, left_out)


def _skill_text(loaded: LoadedSkill, tokens: int) -> str:
    skill = loaded.skill
    body = cut(skill.body, tokens)
    return f'<skill name="{skill.name}" version="{loaded.version}">\n{body}\n</skill>'


def _newest_turns(history: Sequence[Entry], left: int) -> tuple[list[Entry], int, int]:
    turns = [list(entries) for _, entries in groupby(history, key=_turn)]
    kept: list[list[Entry]] = []
    for entries in reversed(turns):
        tokens = sum(map(_entry_tokens, entries))
        if tokens > left:
            break
        left -= tokens
        kept.append(entries)
    return [entry for entries in reversed(kept) for entry in entries], left, len(turns) - len(kept)


def _shrunk(turn: Sequence[Entry], budget: int) -> Sequence[Entry]:
    """The turn with its oldest tool results cut, as many as it takes."""
    over = sum(map(_entry_tokens, turn)) - budget
    shrunk: list[Entry] = []
    for entry in turn:
        if over > 0 and entry.role == "tool":
            before = _entry_tokens(entry)
            content = {**entry.content, "content": cut(entry.content["content"], SHRUNK_RESULT_TOKENS)}
            entry = Entry(entry.turn, entry.position, entry.role, content)
            over -= before - _entry_tokens(entry)
        shrunk.append(entry)
    return shrunk


def _turn(entry: Entry) -> int:
    return entry.turn


def _entry_tokens(entry: Entry) -> int:
    return estimate_tokens(dumps(entry.content))
