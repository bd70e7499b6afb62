from raptorflow.sandbox.audit.folding import MOST_SANDBOXES, Folding
from raptorflow.sandbox.audit.records import Destroyed, Egress, EgressCounted, Entry, Subject

DENIED = Egress(decision="denied", host="h.example", port=443)
ENDED = Destroyed(reason="used", lived_ms=1)


def test_what_is_told_of_a_sandbox_after_its_end_is_written_and_not_kept_for_ever() -> None:
    folding = Folding(1)
    busy = Subject(sandbox="busy")
    for _ in range(3):
        folding.fold(busy, DENIED)
    for number in range(3 * MOST_SANDBOXES):
        late = Subject(sandbox=f"s{number}")
        folding.fold(late, ENDED)
        assert folding.fold(late, DENIED) == [DENIED]
    assert folding.kept <= MOST_SANDBOXES
    counted, ended = folding.fold(busy, ENDED)
    assert (counted.kind, getattr(counted, "count", 0), ended) == ("egress-counted", 2, ENDED)


def allowed(number: int, way: str = "http") -> tuple[Egress, Egress]:
    """The two records of a connection."""
    begun = Egress(
        decision="allowed", host="h.example", port=80, connection=f"c{number}", stage="decided", way=way
    )
    return begun, begun.model_copy(update={"stage": "ended", "bytes_up": 5, "handles_left": 1})


def folded(folding: Folding, *entries: Entry) -> list[Entry]:
    return [told for entry in entries for told in folding.fold(Subject(sandbox="s"), entry)]


def counted(entries: list[Entry]) -> list[EgressCounted]:
    return [entry for entry in entries if isinstance(entry, EgressCounted)]


def test_connections_are_counted_and_not_their_records() -> None:
    folding, pairs = Folding(100), [allowed(number) for number in range(120)]
    told = folded(folding, *(entry for pair in pairs for entry in pair), ENDED)
    full = [entry for entry in told if isinstance(entry, Egress)]
    assert full == [entry for pair in pairs[:100] for entry in pair]
    (count,) = counted(told)
    assert (count.count, count.bytes_up, count.handles_left) == (20, 100, 20)
    assert count.hosts == {"h.example:80": 20}


def test_an_end_is_written_as_its_beginning_was_however_late_it_comes() -> None:
    folding, pairs = Folding(2), [allowed(number) for number in range(5)]
    folded(folding, *(begun for begun, _ in pairs))
    late = folded(folding, *(ended for _, ended in reversed(pairs)), ENDED)
    assert [entry for entry in late if isinstance(entry, Egress)] == [pairs[1][1], pairs[0][1]]
    (count,) = counted(late)
    assert (count.count, count.bytes_up) == (3, 15)


def test_what_passed_after_the_count_was_written_is_told_at_the_end() -> None:
    folding, pairs = Folding(1), [allowed(number) for number in range(101)]
    first = folded(folding, *(begun for begun, _ in pairs))
    assert [(count.count, count.bytes_up) for count in counted(first)] == [(100, 0)]
    last = folded(folding, *(ended for _, ended in pairs), ENDED)
    assert [(count.count, count.bytes_up) for count in counted(last)] == [(100, 500)]


def test_requests_with_a_secret_on_one_connection_hide_no_connection() -> None:
    folding = Folding(2)
    uses = [allowed(0, "secret")[0] for _ in range(50)]
    folded(folding, *uses)
    begun, ended = allowed(1)
    told = folded(folding, begun, ended, ENDED)
    assert told[:2] == [begun, ended]
    (count,) = counted(told)
    assert (count.way, count.count) == ("secret", 48)


def test_a_record_that_stands_for_many_counts_as_many() -> None:
    folding = Folding(1)
    many = DENIED.model_copy(update={"times": 30})
    (count,) = counted(folded(folding, DENIED, many, many, ENDED))
    assert count.count == 60
