"""Takes the kernel's uncompressed ELF file out of a distribution's bzImage: micro VMs boot only that.

The places of the payload stand in the image's header (kernel: `Documentation/arch/x86/boot.rst`, fields
`setup_sects`, `payload_offset` and `payload_length`). Debian's kernels are packed with LZ4 in its legacy
framing (`lz4/doc/lz4_Frame_format.md`) or with xz or gzip.
"""

import gzip
import lzma
import struct
import zlib

SECTOR = 512
LZ4_LEGACY = b"\x02\x21\x4c\x18"
GZIP = b"\x1f\x8b"
XZ = b"\xfd7zXZ"
ELF = b"\x7fELF"
LONG = 15
SHORTEST_MATCH = 4


class KernelNotReadable(ValueError):
    """The file is no kernel, or is packed in a way that is not known here."""


def extract_kernel(image: bytes) -> bytes:
    """The ELF file in a bzImage.

    Raises:
        KernelNotReadable: there is none that could be unpacked.
    """
    if image[514:518] != b"HdrS":
        raise KernelNotReadable("The file has no header of a bzImage.")
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (image[0x1F1] + 1) * SECTOR + offset
    kernel = _unpacked(image[start : start + length])
    if not kernel.startswith(ELF):
        raise KernelNotReadable("What is packed into the kernel is no ELF file.")
    return kernel


def _unpacked(payload: bytes) -> bytes:
    try:
        if payload.startswith(LZ4_LEGACY):
            return _lz4_legacy(payload)
        if payload.startswith(GZIP):
            return gzip.decompress(payload)
        if payload.startswith(XZ):
            return _xz(payload)
    except (IndexError, struct.error, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise KernelNotReadable(f"The kernel's payload is damaged: {error}") from error
    raise KernelNotReadable(f"The kernel is packed in an unknown way ({payload[:4].hex()}).")


def _xz(payload: bytes) -> bytes:
    """One stream; the size of the kernel is appended to it."""
    unpacking = lzma.LZMADecompressor()
    kernel = unpacking.decompress(payload)
    if not unpacking.eof:
        raise EOFError("the stream ends too soon")
    return kernel


def _lz4_legacy(payload: bytes) -> bytes:
    """Blocks of at most 8 MiB, each behind its length; the last four bytes are the size of the whole."""
    (size,) = struct.unpack("<I", payload[-4:])
    out = bytearray()
    at = len(LZ4_LEGACY)
    while len(out) < size:
        (length,) = struct.unpack_from("<I", payload, at)
        at += 4
        out += lz4_block(payload[at : at + length])
        at += length
    return bytes(out)


def lz4_block(block: bytes) -> bytearray:
    """Unpack one block: literals and references back, in turn (`lz4/doc/lz4_Block_format.md`).

    Raises:
        IndexError: it ends where it should go on.
    """
    out = bytearray()
    at, end = 0, len(block)
    while at < end:
        token = block[at]
        literals, at = _length(block, at + 1, token >> 4)
        out += block[at : at + literals]
        at += literals
        if at >= end:
            break
        back = block[at] | block[at + 1] << 8
        length, at = _length(block, at + 2, token & LONG)
        _repeat(out, back, length + SHORTEST_MATCH)
    return out


def _length(block: bytes, at: int, value: int) -> tuple[int, int]:
    if value == LONG:
        while True:
            more = block[at]
            at += 1
            value += more
            if more != 255:
                break
    return value, at


def _repeat(out: bytearray, back: int, length: int) -> None:
    """Append what stands `back` bytes before the end; it may overlap what is being appended."""
    start = len(out) - back
    if start < 0 or back == 0:
        raise IndexError("a reference leads before the beginning")
    piece = bytes(out[start : start + length])
    out += (piece * -(-length // len(piece)))[:length]
