"""Asking the broker's proxy from inside, byte by byte. Standard library only."""

import json
import os
import socket
import ssl

from prelude import LetPast, Refused

PROXY = ("127.0.0.1", 3128)
ANSWER_SECONDS = 4.0
MOST_BYTES = 1 << 20
# What the broker answers when it decides against something. Whatever else it answers, it has let it past:
# `host-unreachable` means that it was dialled.
DECIDED = {
    *("egress-denied", "request-invalid", "head-too-large", "destination-invalid", "address-notation"),
    *("host-not-allowed", "host-denied", "address-denied", "tunnel-not-tls", "server-name-mismatch"),
    *("hello-encrypted", "handshake-failed", "secret-elsewhere", "secret-unavailable"),
    *(
        "too-many-connections",
        "too-many-lookups",
        "too-fast",
        "bytes-spent",
        "too-slow",
        "took-too-long",
        "policy-changed",
    ),
    *("gate-closed", "operation-not-allowed", "service-not-connected", "broker-failure"),
}


def opened() -> socket.socket:
    """A connection to the proxy."""
    connection = socket.create_connection(PROXY, timeout=ANSWER_SECONDS)
    connection.settimeout(ANSWER_SECONDS)
    return connection


def received(connection: socket.socket, until: bytes = b"") -> bytes:
    """What comes, up to a text or to the end.

    Raises:
        LetPast: nothing came in time: whoever refuses says so at once.
    """
    kept = b""
    try:
        while len(kept) < MOST_BYTES and not (until and until in kept):
            chunk = connection.recv(65536)
            if not chunk:
                break
            kept += chunk
    except TimeoutError as error:
        if not kept:
            raise LetPast("no answer") from error
    except ConnectionError:
        pass
    return kept


def ask(raw: bytes) -> bytes:
    """Send bytes to the proxy; all that it answers."""
    with opened() as connection:
        connection.sendall(raw)
        return received(connection)


def checked(answer: bytes, *, cut: bool = False) -> bytes:
    """The answer, when it is a success; else how the broker refused it, or that it did not.

    Args:
        answer: all of it.
        cut: the broker has answered before, so that all it can do is to break off.

    Raises:
        Refused: the broker decided against it.
        LetPast: it did not, and what it was for did not answer.
    """
    parts = answer.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(parts) > 1 and parts[1].startswith("2"):
        return answer
    if cut and not answer:
        raise Refused("cut")
    if len(parts) < 2:
        raise ValueError("it broke off without an answer")
    decided = code(answer)
    raise (Refused if decided in DECIDED else LetPast)(f"{parts[1]} {decided}".strip())


def code(answer: bytes) -> str:
    """The error's code in an answer of the broker."""
    try:
        return str(json.loads(answer.split(b"\r\n\r\n", 1)[1]).get("code", ""))
    except (ValueError, IndexError, AttributeError):
        return ""


def head(host: str, port: int, more: str = "", method: str = "GET", *, origin: bool = False) -> str:
    """A request's head as text, without the empty line at its end."""
    target = "/" if origin else f"http://{host}:{port}/"
    return f"{method} {target} HTTP/1.1\r\nHost: {host}:{port}\r\n{more}"


def get(url: str, host: str = "", headers: str = "", method: str = "GET", body: bytes = b"") -> bytes:
    """A plain request through the proxy; its answer.

    Raises:
        Refused: it was no success.
    """
    host = host or url.split("/")[2]
    asked = f"{method} {url} HTTP/1.1\r\nHost: {host}\r\n{headers}"
    if body:
        asked += f"Content-Length: {len(body)}\r\n"
    return checked(ask(f"{asked}Connection: close\r\n\r\n".encode("utf-8", "surrogateescape") + body))


def tunnel(target: str) -> socket.socket:
    """A tunnel; the connection once it is open.

    Raises:
        Refused: it was not opened.
    """
    connection = opened()
    connection.sendall(
        f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("utf-8", "surrogateescape")
    )
    checked(received(connection, b"\r\n\r\n"))
    return connection


def tls(target: str, name: str | None, *, trusted: bool = False) -> ssl.SSLSocket:
    """A tunnel with TLS in it, to a server of this name (None: no name is sent).

    Raises:
        Refused: the tunnel was not opened, or the handshake was cut.
    """
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") if trusted else None)
    if not trusted:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(tunnel(target), server_hostname=name)
    except (ssl.SSLError, ConnectionError, TimeoutError) as error:
        raise Refused(f"handshake {type(error).__name__}") from error


def tls_get(target: str, path: str = "/", headers: str = "", body: bytes = b"") -> bytes:
    """A request over TLS through a tunnel, trusting what the sandbox is told to trust; its answer."""
    connection = tls(target, target.rpartition(":")[0], trusted=True)
    method = "POST" if body else "GET"
    asked = f"{method} {path} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n{headers}"
    if body:
        asked += f"Content-Length: {len(body)}\r\n"
    connection.sendall(asked.encode() + b"\r\n" + body)
    return checked(received(connection))
