"""What makes a copy of a frozen machine another one: its randomness and its clock."""

import fcntl
import os
import struct
import time

RNDADDENTROPY, RNDRESEEDCRNG = 0x40085203, 0x5207  # linux/random.h
BITS = 8


def rekey(seed: bytes, microseconds: int) -> None:
    """Become another machine; only a guest's root can.

    Args:
        seed: random bytes of the host.
        microseconds: since the epoch.

    Raises:
        OSError: the guest may not do that.
    """
    device = os.open("/dev/urandom", os.O_WRONLY)
    try:
        fcntl.ioctl(device, RNDADDENTROPY, struct.pack("=ii", len(seed) * BITS, len(seed)) + seed)
        fcntl.ioctl(device, RNDRESEEDCRNG)
    finally:
        os.close(device)
    time.clock_settime_ns(time.CLOCK_REALTIME, microseconds * 1000)
