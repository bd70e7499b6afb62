"""What travels through Valkey: events with just enough around them to be put in order unread."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.orchestrator.events import (
    TEXT_MESSAGE_CONTENT,
    TEXT_MESSAGE_END,
    TEXT_MESSAGE_START,
    RunRef,
    wire,
)

DATA = "d"


@dataclass(frozen=True)
class Envelope:
    """One event on its way to the clients of a run.

    Attributes:
        frame: the event's JSON text.
        type: its name.
        seq: its number; of a live event the number of the last numbered event before it.
        live: it has no number of its own.
        message: the text message it belongs to, if any.
        generation: which writing of that message: rises when the model is asked again.
        offset: where a delta begins; of a message's end the length of the whole text (code points).
        length: a delta's length.
    """

    frame: str
    type: str
    seq: int
    live: bool = False
    message: str = ""
    generation: int = 0
    offset: int = 0
    length: int = 0


def numbered(ref: RunRef, seq: int, event_type: str, payload: JsonObject) -> Envelope:
    """A committed event."""
    frame = wire(ref, event_type, payload, seq)
    if event_type != TEXT_MESSAGE_END:
        return Envelope(frame, event_type, seq)
    return Envelope(
        frame,
        event_type,
        seq,
        message=payload["messageId"],
        generation=payload["generation"],
        offset=len(payload["content"]),
    )


def text_delta(ref: RunRef, after: int, message: str, generation: int, offset: int, delta: str) -> Envelope:
    """A piece of a text that is being written."""
    payload = {"messageId": message, "delta": delta, "offset": offset}
    frame = wire(ref, TEXT_MESSAGE_CONTENT, payload)
    return Envelope(frame, TEXT_MESSAGE_CONTENT, after, True, message, generation, offset, len(delta))


def text_start(ref: RunRef, message: str) -> str:
    """The frame that opens a message, or starts it over."""
    return wire(ref, TEXT_MESSAGE_START, {"messageId": message, "role": "assistant"})


def notice(ref: RunRef, after: int, event_type: str, payload: JsonObject) -> Envelope:
    """A live event that is not text."""
    return Envelope(wire(ref, event_type, payload), event_type, after, live=True)


def pack(envelopes: Sequence[Envelope]) -> dict[str, str]:
    """Several envelopes as the one field of a stream entry."""
    rows = [(e.frame, e.type, e.seq, e.live, e.message, e.generation, e.offset, e.length) for e in envelopes]
    return {DATA: dumps(rows)}


def unpack(fields: dict[str, str]) -> list[Envelope]:
    """The envelopes of a stream entry; none when it holds something else."""
    rows: list[list[Any]] = loads(fields.get(DATA, "[]"))
    return [Envelope(*row) for row in rows]
