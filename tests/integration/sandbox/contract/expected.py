"""What drivers differ in, said beforehand and asserted; whatever is not named here they have in common."""

from dataclasses import dataclass

from tests.support.subjects import DOCKER, KUBERNETES, LOCAL, MICROVM


@dataclass(frozen=True)
class Expected:
    """Of one driver.

    Attributes:
        boundary: between code inside and this machine's kernel.
        user: whom programs run as.
        pauses: whether a sandbox can be stopped and let go on.
        snapshots: whether others can be started from a frozen one.
        counts: whether memory and processes are held, and counted, on this machine. The fake cluster's node
            has no kubelet to do it: there the cluster's word is played, and what holds processes is the
            operator's `podPidsLimit`, which the probe calls weaker.
        exact: whether this machine's kernel saw what was refused inside. A machine's own kernel tells us.
        sockets: whether a program that may reach nothing can make a socket at all, which then leads nowhere.
        bounded: whether the bounding set of capabilities is empty too. The fake node's exec does not hand
            that on; without new privileges nothing can be gained from it.
    """

    boundary: str
    user: int = 65534
    pauses: bool = True
    snapshots: bool = False
    counts: bool = True
    exact: bool = True
    sockets: bool = False
    bounded: bool = True


EXPECTED = {
    LOCAL: Expected("shared-kernel"),
    DOCKER: Expected("shared-kernel"),
    MICROVM: Expected("virtual-machine", snapshots=True, exact=False),
    KUBERNETES: Expected(
        "user-space-kernel", user=65532, pauses=False, counts=False, exact=False, sockets=True, bounded=False
    ),
}
