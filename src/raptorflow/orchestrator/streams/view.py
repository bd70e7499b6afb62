"""What one connection has seen of one run, and so what it is to be sent next. Pure: no I/O.

The same events may reach a connection from PostgreSQL, from a buffer and live, in overlapping order. The
view lets each numbered event through once and in order, and a message's deltas without gap or repetition.
"""

from dataclasses import dataclass, field

from raptorflow.base.json import JsonObject, loads
from raptorflow.orchestrator.events import LAST_OF_RUN, TEXT_MESSAGE_CONTENT, TEXT_MESSAGE_END, RunRef, wire
from raptorflow.orchestrator.streams.envelope import Envelope, text_start


@dataclass
class _Sent:
    """How much of a message's text went out, of which writing of it."""

    generation: int
    length: int


@dataclass
class RunView:
    """The state of one connection on one run.

    Attributes:
        last: the greatest number sent.
        behind: an event came whose predecessors are missing; they have to be read from PostgreSQL.
        ended: the run's last event was sent.
    """

    ref: RunRef
    last: int = 0
    behind: bool = False
    ended: bool = False
    _sent: dict[str, _Sent] = field(default_factory=dict[str, _Sent])

    def frames(self, envelope: Envelope) -> list[str]:
        """The frames to send for an event; none when it was seen, or comes too early or too late."""
        if envelope.live:
            return self._live(envelope)
        if envelope.seq <= self.last:
            return []
        if envelope.seq > self.last + 1:
            self.behind = True
            return []
        self.last = envelope.seq
        self.ended = envelope.type in LAST_OF_RUN
        if envelope.type == TEXT_MESSAGE_END:
            return self._text_end(envelope)
        return [envelope.frame]

    def _live(self, envelope: Envelope) -> list[str]:
        # A delta belongs between two numbers; one that is early or late is left to the snapshot.
        if envelope.seq != self.last:
            return []
        if not envelope.message:
            return [envelope.frame]
        sent = self._sent.get(envelope.message)
        if sent is None or envelope.generation > sent.generation:
            if envelope.offset:
                return []
            self._sent[envelope.message] = _Sent(envelope.generation, envelope.length)
            return [text_start(self.ref, envelope.message), envelope.frame]
        if envelope.generation < sent.generation or envelope.offset != sent.length:
            return []
        sent.length += envelope.length
        return [envelope.frame]

    def _text_end(self, envelope: Envelope) -> list[str]:
        """Complete the text before its end, so that deltas alone spell it as well."""
        sent = self._sent.pop(envelope.message, None)
        if sent and sent.generation == envelope.generation and sent.length == envelope.offset:
            return [envelope.frame]
        text: str = loads(envelope.frame)["content"]
        frames: list[str] = []
        if sent is None or sent.generation != envelope.generation:
            frames.append(text_start(self.ref, envelope.message))
            sent = _Sent(envelope.generation, 0)
        if rest := text[sent.length :]:
            payload: JsonObject = {"messageId": envelope.message, "delta": rest, "offset": sent.length}
            frames.append(wire(self.ref, TEXT_MESSAGE_CONTENT, payload))
        return [*frames, envelope.frame]
