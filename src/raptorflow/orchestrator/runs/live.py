"""What a run tells its clients while it goes on: committed events, and text as it is written."""

import asyncio
from collections.abc import Sequence

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.events import CUSTOM, NewEvent, RunRef
from raptorflow.orchestrator.streams.envelope import Envelope, notice, numbered, text_delta
from raptorflow.orchestrator.streams.publisher import Publisher

REQUESTS_PER_ATTEMPT = 1000
"""Generations of a text rise with each request of each attempt; this keeps the two apart."""


class LiveRun:
    """One run's way to its clients.

    Args:
        ref: the run.
        publisher: where to.
        attempt: which worker's turn this is.
        pause: seconds within which text is gathered into one delta.
    """

    def __init__(self, ref: RunRef, publisher: Publisher, attempt: int, pause: float) -> None:
        self._ref = ref
        self._publisher = publisher
        self._attempt = attempt
        self._pause = pause
        self._after = 0

    def committed(self, first_seq: int, events: Sequence[NewEvent]) -> None:
        """Send events whose commit is done."""
        envelopes = [
            numbered(self._ref, first_seq + place, event.type, event.payload)
            for place, event in enumerate(events)
        ]
        self.send(envelopes)
        self._after = first_seq + len(events) - 1

    def writing(self, message: str) -> "LiveText":
        """A text that is about to be written."""
        return LiveText(self, message)

    def send(self, envelopes: Sequence[Envelope]) -> None:
        """Send envelopes as they are."""
        self._publisher.send(self._ref.run_id, envelopes)

    def delta(self, message: str, request: int, offset: int, text: str) -> Envelope:
        """A piece of text as an envelope."""
        return text_delta(self._ref, self._after, message, self.generation(request), offset, text)

    def notice(self, name: str, value: JsonObject) -> None:
        """Tell something that is not worth a number."""
        self.send([notice(self._ref, self._after, CUSTOM, {"name": name, "value": value})])

    def generation(self, request: int) -> int:
        """Which writing of a text this is."""
        return self._attempt * REQUESTS_PER_ATTEMPT + request

    @property
    def pause(self) -> float:
        """Seconds within which text is gathered."""
        return self._pause


class LiveText:
    """A listener of one model answer: gathers its text into deltas.

    The first piece leaves at once; what comes within the pause after a delta leaves together.
    """

    def __init__(self, live: LiveRun, message: str) -> None:
        self._live = live
        self._message = message
        self._request = 1
        self._sent = 0
        self._gathered: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def generation(self) -> int:
        """Which writing of the text is the current one."""
        return self._live.generation(self._request)

    def text(self, delta: str) -> None:
        """More text."""
        self._gathered.append(delta)
        if self._timer is None:
            self._flush()

    def start_over(self) -> None:
        """The model is asked again; its new text is another generation."""
        self.close()
        self._request += 1
        self._sent = 0

    def waiting(self, seconds: float, reason: str) -> None:
        """The provider wants a pause."""
        self._live.notice("model-waiting", {"seconds": seconds, "reason": reason})

    def close(self) -> None:
        """Drop what was gathered: the snapshot follows, or the text starts over."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._gathered = []

    def _flush(self) -> None:
        self._timer = None
        if not self._gathered:
            return
        text = "".join(self._gathered)
        self._gathered = []
        self._live.send([self._live.delta(self._message, self._request, self._sent, text)])
        self._sent += len(text)
        self._timer = asyncio.get_running_loop().call_later(self._live.pause, self._flush)
