"""Computes what code makes of constants, as decoders of payloads do; nothing else is ever run."""

import base64
import binascii
import bz2
import codecs
import gzip
import io
import lzma
import operator
import urllib.parse
import zlib
from collections.abc import Callable, Mapping
from typing import Any, cast

MAX_SIZE = 1024 * 1024
Fold = Callable[..., object]
FAILURES = (
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    AttributeError,
    EOFError,
    OSError,
    RecursionError,
)
FAILURES_OF_CODECS = (
    binascii.Error,
    zlib.error,
    lzma.LZMAError,
    UnicodeError,
    ZeroDivisionError,
    MemoryError,
)


class CannotFold(Exception):
    """The constants do not fit the operation, or what it makes is too large."""


def _inflate(data: bytes, bits: int = zlib.MAX_WBITS) -> bytes:
    return zlib.decompressobj(bits).decompress(data, MAX_SIZE)


def _gunzip(data: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return file.read(MAX_SIZE)


def _bunzip(data: bytes) -> bytes:
    return bz2.BZ2Decompressor().decompress(data, MAX_SIZE)


def _unlzma(data: bytes) -> bytes:
    return lzma.LZMADecompressor(memlimit=64 * MAX_SIZE).decompress(data, MAX_SIZE)


def _b64(data: Any, *_: object, **__: object) -> bytes:
    return base64.b64decode(data)


def _codec(data: Any, encoding: str = "utf-8", *_: object) -> object:
    name = encoding.replace("-", "_").lower()
    if name in {"zlib", "zip", "zlib_codec", "bz2", "bz2_codec"}:
        return _bunzip(data) if "bz2" in name else _inflate(data)
    return cast("object", codecs.decode(data, encoding))


def _reversed(value: Any) -> list[Any]:
    return list(reversed(value))


def _bytes(value: Any, *rest: Any) -> bytes:
    if isinstance(value, int):
        raise CannotFold
    return bytes(value, *rest)


DECODERS: Mapping[str, Fold] = {
    "base64.b64decode": _b64,
    "base64.decodebytes": base64.decodebytes,
    "base64.standard_b64decode": base64.standard_b64decode,
    "base64.urlsafe_b64decode": base64.urlsafe_b64decode,
    "base64.b32decode": base64.b32decode,
    "base64.b16decode": base64.b16decode,
    "base64.b85decode": base64.b85decode,
    "base64.a85decode": base64.a85decode,
    "binascii.unhexlify": binascii.unhexlify,
    "binascii.a2b_hex": binascii.unhexlify,
    "binascii.a2b_base64": binascii.a2b_base64,
    "bytes.fromhex": bytes.fromhex,
    "bytearray.fromhex": bytes.fromhex,
    "codecs.decode": _codec,
    "zlib.decompress": _inflate,
    "gzip.decompress": _gunzip,
    "bz2.decompress": _bunzip,
    "lzma.decompress": _unlzma,
}
PURE: Mapping[str, Fold] = {
    "chr": chr,
    "ord": ord,
    "bytes": _bytes,
    "bytearray": _bytes,
    "int": int,
    "str": str,
    "reversed": _reversed,
    "urllib.parse.unquote": urllib.parse.unquote,
    "urllib.parse.quote": urllib.parse.quote,
}
_OF_BOTH = ("join", "replace", "strip", "lower", "upper", "split", "translate")
_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        (*_OF_BOTH, "encode", "lstrip", "rstrip", "title", "swapcase", "capitalize", "splitlines")
    ),
    bytes: frozenset((*_OF_BOTH, "hex")),
}


def fold_call(name: str, arguments: list[object], keywords: Mapping[str, object]) -> object:
    """What a function makes of constants.

    Raises:
        CannotFold: it is none of the known ones, or they do not fit.
    """
    function = DECODERS.get(name) or PURE.get(name)
    if function is None:
        raise CannotFold
    return _checked(function, *arguments, **keywords)


def fold_method(value: object, method: str, arguments: list[object]) -> object:
    """What a method of a constant makes of constants.

    Raises:
        CannotFold: it is none of the known ones, or they do not fit.
    """
    if method == "decode" and isinstance(value, bytes):
        return _checked(_codec, value, *arguments)
    if method not in _METHODS.get(type(value), ()) or (method == "replace" and _grows(value, arguments)):
        raise CannotFold
    return _checked(cast("Fold", getattr(value, method)), *arguments)


def fold_binary(sign: str, left: Any, right: Any) -> object:
    """What `+`, `*`, `%`, `^`, `-` … make of two constants.

    Raises:
        CannotFold: they do not fit, or the result would be too large.
    """
    if sign == "Mult" and _size(left) * _size(right) > MAX_SIZE:
        raise CannotFold
    if sign == "Mod" and isinstance(left, str | bytes):
        raise CannotFold
    if sign not in _OPERATORS:
        raise CannotFold
    return _checked(cast("Fold", getattr(operator, _OPERATORS[sign])), left, right)


_OPERATORS: Mapping[str, str] = {
    "Add": "add",
    "Sub": "sub",
    "Mult": "mul",
    "Mod": "mod",
    "FloorDiv": "floordiv",
    "BitXor": "xor",
    "BitAnd": "and_",
    "BitOr": "or_",
    "RShift": "rshift",
}


def _checked(function: Fold, *arguments: object, **keywords: object) -> object:
    try:
        result = function(*arguments, **keywords)
    except (*FAILURES, *FAILURES_OF_CODECS) as error:
        raise CannotFold from error
    if _size(result) > MAX_SIZE:
        raise CannotFold
    return result


def _size(value: object) -> int:
    if isinstance(value, str | bytes | list | tuple):
        return len(cast("list[object]", value))
    return min(abs(value), MAX_SIZE + 1) if isinstance(value, int) else 1


def _grows(value: object, arguments: list[object]) -> bool:
    grown = arguments[1] if len(arguments) > 1 else ""
    return _size(value) * max(_size(grown), 1) > MAX_SIZE * 4
