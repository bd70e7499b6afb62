"""The view of one connection: in any order, with loss and repetition, each number and word goes out once."""

from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from raptorflow.base.json import JsonObject, loads
from raptorflow.orchestrator.events import RUN_FINISHED, RUN_STARTED, STEP_STARTED, RunRef, text_ended
from raptorflow.orchestrator.streams.envelope import Envelope, numbered, pack, text_delta, unpack
from raptorflow.orchestrator.streams.view import RunView

REF = RunRef(UUID(int=1), UUID(int=2), UUID(int=3))
MESSAGE = "run.1"
PIECES = ["It ", "is ", "wörds 🙂 ", "all the ", "way."]
TEXT = "".join(PIECES)


def end(seq: int, text: str, generation: int) -> Envelope:
    event = text_ended(MESSAGE, text, generation)
    return numbered(REF, seq, event.type, event.payload)


def writing(generation: int, pieces: list[str]) -> list[Envelope]:
    offsets = [len("".join(pieces[:place])) for place in range(len(pieces))]
    return [
        text_delta(REF, 2, MESSAGE, generation, at, piece) for at, piece in zip(offsets, pieces, strict=True)
    ]


DURABLE = [
    numbered(REF, 1, RUN_STARTED, {}),
    numbered(REF, 2, STEP_STARTED, {}),
    end(3, TEXT, 2),
    numbered(REF, 4, RUN_FINISHED, {}),
]
HISTORY = [*DURABLE[:2], *writing(1, ["It ", "was "]), *writing(2, PIECES), *DURABLE[2:]]


@dataclass
class PlainClient:
    """Knows AG-UI: a start begins a text, deltas are appended. Knows no offsets, numbers or snapshots."""

    text: str = ""
    numbers: list[int] = field(default_factory=list[int])

    def take(self, frames: list[str]) -> None:
        for frame in frames:
            event: JsonObject = loads(frame)
            if event["type"] == "TEXT_MESSAGE_START":
                self.text = ""
            elif event["type"] == "TEXT_MESSAGE_CONTENT":
                assert event["offset"] == len(self.text)
                self.text += event["delta"]
            if "seq" in event:
                self.numbers.append(event["seq"])


def play(view: RunView, client: PlainClient, envelopes: list[Envelope]) -> None:
    for envelope in envelopes:
        client.take(view.frames(envelope))
        if view.behind:
            view.behind = False
            for known in DURABLE[: max(envelope.seq, 0)]:
                client.take(view.frames(known))


@given(st.lists(st.sampled_from(HISTORY), max_size=30), st.integers(0, 4))
def test_any_mess_ends_in_the_text(mess: list[Envelope], after: int) -> None:
    view, client = RunView(REF, last=after), PlainClient()
    play(view, client, mess)
    play(view, client, DURABLE)
    assert client.numbers == list(range(after + 1, 5))
    assert view.ended == (after < 4)
    if after < 3:
        assert client.text == TEXT


@given(st.lists(st.booleans(), min_size=len(HISTORY), max_size=len(HISTORY)))
def test_any_loss_is_made_up_for(kept: list[bool]) -> None:
    view, client = RunView(REF), PlainClient()
    play(view, client, [envelope for envelope, keep in zip(HISTORY, kept, strict=True) if keep])
    play(view, client, DURABLE)
    assert client.text == TEXT
    assert client.numbers == [1, 2, 3, 4]


def test_without_loss_every_delta_goes_through_as_it_is() -> None:
    view = RunView(REF)
    sent = [frame for envelope in HISTORY for frame in view.frames(envelope)]
    deltas = [loads(frame)["delta"] for frame in sent if loads(frame)["type"] == "TEXT_MESSAGE_CONTENT"]
    assert deltas == ["It ", "was ", *PIECES]


def test_a_dead_workers_late_deltas_are_dropped() -> None:
    view = RunView(REF, last=2)
    new, old = writing(2001, PIECES), writing(1001, PIECES)
    assert view.frames(new[0])
    assert view.frames(old[0]) == []
    assert view.frames(old[1]) == []
    assert view.frames(new[1])


def test_envelopes_survive_their_journey() -> None:
    assert unpack(pack(HISTORY)) == HISTORY
    assert unpack({}) == []
