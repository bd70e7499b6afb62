"""`signal` and `socket` without their Python parts, which take longer to import than the agent to start."""

TYPE_CHECKING = False

if TYPE_CHECKING:
    import signal as signal
    import socket as socket
else:
    import _signal as signal
    import _socket as socket

__all__ = ["signal", "socket"]
