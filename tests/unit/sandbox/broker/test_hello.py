"""Reading a ClientHello: real ones, broken ones, and any bytes at all."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.security.sandbox.broker.hellos import client_hello

from raptorflow.sandbox.broker.wire.hello import MAX_HELLO, ClientHello, HelloInvalid, read_hello


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", ["api.example.com", None])
def test_the_hello_of_a_real_client_is_read(version: ssl.TLSVersion, name: str | None) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = version
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    first = outgoing.read()
    assert read_hello(first) == ClientHello(name, encrypted=False, size=len(first))


@given(
    st.text("abcdefghijklmnopqrstuvwxyz.-", min_size=1, max_size=200),
    st.integers(8, 400),
    st.binary(max_size=50),
)
def test_however_a_hello_is_cut_it_is_read_when_it_is_whole_and_not_before(
    name: str, size: int, behind: bytes
) -> None:
    hello = client_hello(name, record_bytes=size)
    assert read_hello(hello + behind) == ClientHello(name, encrypted=False, size=len(hello))
    for end in range(0, len(hello), 7):
        assert read_hello(hello[:end]) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_a_hello_or_none_or_not_enough(data: bytes) -> None:
    for first in (data, b"\x16\x03\x01" + data, b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4" + data):
        try:
            read_hello(first)
        except HelloInvalid:
            continue


@given(st.data())
def test_a_hello_with_any_byte_changed_never_fails_otherwise(data: st.DataObject) -> None:
    hello = bytearray(client_hello("api.example.com", encrypted=0xFE0D))
    hello[data.draw(st.integers(0, len(hello) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_hello(bytes(hello))
    except HelloInvalid:
        return


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x15\x03\x01\x00\x02\x02\x00",
        b"\x16\x02\x00\x00\x05",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x04\x01" + (MAX_HELLO + 1).to_bytes(3),
        client_hello("a", twice=True),
        client_hello("a" * 100, record_bytes=1),
        client_hello("a", trailing=b"\0"),
        client_hello("\u00e4"),
    ],
)
def test_what_is_no_hello_is_known_at_once(first: bytes) -> None:
    with pytest.raises(HelloInvalid):
        read_hello(first)
