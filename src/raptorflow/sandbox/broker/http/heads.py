"""What a request's head may say, and what of it goes on. Pure."""

from collections.abc import Iterable

import h11

from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.errors import RequestInvalid

Headers = list[tuple[bytes, bytes]]
HTTP = "http://"
HTTP_PORT = 80
HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"te", b"trailer", b"upgrade", b"expect", b"host", b"http2-settings"}
)
"""RFC 9110, section 7.6.1. `Host` is written anew; `Transfer-Encoding` frames the body, which is kept."""
PROXY = b"proxy-"


def asked_host(request: h11.Request) -> str:
    """What a request asks for, without its path and credentials, for the record of what cannot be read."""
    target = request.target.decode("ascii")
    authority = target[len(HTTP) :] if _is_absolute(target) else target
    return authority.split("/")[0].split("?")[0].rpartition("@")[2] or "/"


def connect_destination(request: h11.Request) -> Destination:
    """Where `CONNECT host:port` leads.

    Raises:
        EgressDenied: it is not clear.
    """
    destination = Destination.parse(request.target.decode("ascii"))
    if _values(request, b"content-length") or _values(request, b"transfer-encoding"):
        raise RequestInvalid("CONNECT has no body.")
    for host in _values(request, b"host"):
        _same(Destination.parse(_text(host), destination.port), destination)
    return destination


def plain_destination(request: h11.Request) -> tuple[Destination, bytes]:
    """Where `GET http://host/path` leads, and the path.

    Raises:
        EgressDenied: it is not clear.
    """
    target = request.target.decode("ascii")
    if not _is_absolute(target):
        raise RequestInvalid(f"{target[:80]!r} is not of the form http://host/path.")
    rest = target[len(HTTP) :]
    authority = rest[: min((at for at in map(rest.find, "/?") if at >= 0), default=len(rest))]
    path = rest[len(authority) :]
    destination = Destination.parse(authority, HTTP_PORT)
    check_host(request, destination, HTTP_PORT)
    return destination, (path if path.startswith("/") else f"/{path}").encode()


def inner_path(request: h11.Request, destination: Destination, default_port: int) -> bytes:
    """The path of a request within a tunnel.

    Raises:
        EgressDenied: it is meant for another host.
    """
    if not request.target.startswith(b"/"):
        raise RequestInvalid("Inside a tunnel a request begins with a path.")
    check_host(request, destination, default_port)
    return request.target


def check_host(request: h11.Request, destination: Destination, default_port: int) -> None:
    """Refuse a request whose `Host` is another one, or whose body two readers could measure in two ways.

    Raises:
        EgressDenied: says what.
    """
    for host in _values(request, b"host"):
        _same(Destination.parse(_text(host), default_port), destination)
    encodings = _values(request, b"transfer-encoding")
    if encodings and (_values(request, b"content-length") or encodings != [b"chunked"]):
        raise RequestInvalid("A body has either Content-Length or Transfer-Encoding: chunked.")
    if _values(request, b"upgrade"):
        raise RequestInvalid("No other protocol is spoken here.", hint="Use CONNECT and TLS for WebSockets.")


def onward(head: h11.Request | h11.Response, without: Iterable[bytes] = ()) -> Headers:
    """The headers that are for the next one: all but those of this connection and of proxies."""
    named = {name.strip().lower() for value in _values(head, b"connection") for name in value.split(b",")}
    dropped = HOP_BY_HOP | named - {b"content-length", b"transfer-encoding"} | set(without)
    return [
        (raw, value)
        for (raw, value), (name, _) in zip(head.headers.raw_items(), head.headers, strict=True)
        if name not in dropped and not name.startswith(PROXY)
    ]


def _is_absolute(target: str) -> bool:
    return target[: len(HTTP)].lower() == HTTP


def _same(named: Destination, meant: Destination) -> None:
    if named != meant:
        raise RequestInvalid(f"The Host header names {named}, the request {meant}.")


def _values(head: h11.Request | h11.Response, name: bytes) -> list[bytes]:
    return [value for key, value in head.headers if key == name]


def _text(value: bytes) -> str:
    return value.decode("latin-1")
