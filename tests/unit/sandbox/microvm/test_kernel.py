"""The uncompressed kernel in a distribution's bzImage."""

import gzip
import lzma
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.drivers.microvm.image.kernel import KernelNotReadable, extract_kernel, lz4_block

KERNEL = b"\x7fELF" + b"a kernel " * 1000


def bz_image(payload: bytes) -> bytes:
    image = bytearray(4 * 512)
    image[0x1F1] = 1
    image[514:518] = b"HdrS"
    struct.pack_into("<II", image, 0x248, 2 * 512, len(payload))
    return bytes(image[: 4 * 512]).ljust(4 * 512, b"\0") + payload


def literals(content: bytes) -> bytes:
    """One block of LZ4 that only copies."""
    length = len(content)
    if length < 15:
        return bytes([length << 4]) + content
    more, last = divmod(length - 15, 255)
    return b"\xf0" + b"\xff" * more + bytes([last]) + content


def lz4_legacy(content: bytes) -> bytes:
    block = literals(content)
    return b"\x02\x21\x4c\x18" + struct.pack("<I", len(block)) + block + struct.pack("<I", len(content))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, lz4_legacy])
def test_the_kernel_is_found_however_it_is_packed(pack: Callable[[bytes], bytes]) -> None:
    assert extract_kernel(bz_image(pack(KERNEL))) == KERNEL


@given(st.binary(max_size=2000))
def test_literals_come_out_as_they_went_in(content: bytes) -> None:
    assert lz4_block(literals(content)) == content


def test_a_reference_may_overlap_what_it_makes() -> None:
    # Two letters, then twelve more from two back, then one letter more.
    assert lz4_block(bytes([0x28]) + b"ab" + b"\x02\x00" + bytes([0x10]) + b"!") == b"ab" * 7 + b"!"


def test_a_reference_before_the_beginning_is_refused() -> None:
    with pytest.raises(IndexError):
        lz4_block(bytes([0x10]) + b"a" + b"\x09\x00" + bytes([0x10]) + b"b")


@pytest.mark.parametrize(
    "image",
    [
        b"",
        bytes(4096),
        bz_image(b"unknown"),
        bz_image(gzip.compress(b"no program")),
        bz_image(gzip.compress(KERNEL)[:40]),
        bz_image(lz4_legacy(KERNEL)[:40]),
        bz_image(lzma.compress(KERNEL)[:60]),
    ],
)
def test_what_is_no_kernel_is_refused(image: bytes) -> None:
    with pytest.raises(KernelNotReadable):
        extract_kernel(image)
