"""Calls that reach out over the network, and the address each is given."""

from collections.abc import Mapping

from raptorflow.skills.scanning.python.program import Call
from raptorflow.skills.scanning.python.value import Labels, Value, concatenated, constant

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
_CLIENTS = (
    "requests", "requests.Session()", "requests.session()", "httpx", "httpx.Client()", "httpx.AsyncClient()",
    "aiohttp.ClientSession()",
    "urllib3.PoolManager()", "requests_html.HTMLSession()", "cloudscraper.create_scraper()",
    "curl_cffi.requests", "curl_cffi.requests.Session()", "niquests", "httpx2", "grequests",
)  # fmt: skip
# The place of the address among the arguments.
NETWORK_CALLS: Mapping[str, int] = {
    **{f"{client}.{verb}": 0 for client in _CLIENTS for verb in _VERBS},
    **{f"{client}.{verb}": 1 for client in _CLIENTS for verb in ("request", "stream")},
    **dict.fromkeys(
        (
            "urllib.request.urlopen", "urllib.request.urlretrieve", "urllib.urlopen", "urllib2.urlopen",
            "urllib.request.build_opener().open", "wget.download", "websocket.create_connection",
            "websockets.connect", "websocket.WebSocketApp", "websocket.WebSocket().connect",
            "http.client.HTTPSConnection", "http.client.HTTPConnection", "ftplib.FTP", "ftplib.FTP_TLS",
            "smtplib.SMTP", "smtplib.SMTP_SSL", "telnetlib.Telnet", "paramiko.SSHClient().connect",
            "socket.create_connection", "socket.socket().connect", "socket.socket().connect_ex",
            "asyncio.open_connection", "xmlrpc.client.ServerProxy", "pycurl.Curl().setopt",
            "socketio.Client().connect",
        ),
        0,
    ),
    "socket.socket().sendto": 1,
}  # fmt: skip
# Names that are looked up: what stands in them reaches whoever answers for the domain.
LOOKUPS = frozenset(
    (
        "socket.gethostbyname", "socket.getaddrinfo", "socket.gethostbyname_ex", "dns.resolver.resolve",
        "dns.resolver.query", "dns.resolver.Resolver().resolve",
    )
)  # fmt: skip
# What sends over a connection that was opened elsewhere.
SENDS = frozenset(
    (
        "socket.socket().send", "socket.socket().sendall", "socket.create_connection().send",
        "socket.create_connection().sendall", "http.client.HTTPSConnection().request",
        "http.client.HTTPConnection().request", "smtplib.SMTP().sendmail", "smtplib.SMTP().send_message",
        "smtplib.SMTP_SSL().sendmail", "smtplib.SMTP_SSL().send_message", "ftplib.FTP().storbinary",
        "websocket.create_connection().send", "websockets.connect().send",
        "ssl.SSLContext().wrap_socket().sendall",
        "paramiko.SSHClient().open_sftp().put", "asyncio.open_connection()[].write",
    )
)  # fmt: skip


def url_of(call: Call) -> Value:
    """The address that a network call is given; for a bare socket, host and port joined by a colon."""
    place = NETWORK_CALLS.get(call.name, 0)
    value = call.argument(place, "url", "uri", "host", "address")
    if value.items and not value.keys and len(value.items) == 2:
        return concatenated([constant("tcp://"), value.items[0], constant(":"), value.items[1]])
    if call.name.startswith(("http.client.", "socket.", "ftplib.", "smtplib.", "asyncio.")) and value.texts:
        return concatenated([constant("tcp://"), value])
    if call.receiver.texts and not value.text.startswith("http"):
        return concatenated([Value(texts=call.receiver.texts), value])
    return value


def sent_by(call: Call) -> Labels:
    """Where everything came from that a call sends: its arguments, and what its client was given before."""
    labels = call.receiver.every_label()
    for argument in call.arguments:
        labels |= argument.every_label()
    for name, argument in call.keywords.items():
        # The environment that a program is started with stays on the machine.
        if name != "env":
            labels |= argument.every_label()
    return labels
