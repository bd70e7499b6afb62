from raptorflow.sandbox.audit.folding import MOST_SANDBOXES, Folding
from raptorflow.sandbox.audit.records import Destroyed, Egress, Subject

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
