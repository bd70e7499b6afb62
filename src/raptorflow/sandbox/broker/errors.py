"""Why the broker lets something not out, or no longer.

EgressDenied                    403  egress-denied
├── RequestInvalid              400  request-invalid             no request that a proxy can serve
├── HeadTooLarge                431  head-too-large
├── DestinationInvalid          400  destination-invalid         no host and port
├── AddressNotation             403  address-notation            an address in disguise
├── HostNotAllowed              403  host-not-allowed            the policy does not name it
├── HostDenied                  403  host-denied                 the operator's list names it
├── AddressDenied               403  address-denied              the name leads to a place that is off limits
├── NameUnknown                 502  name-unknown
├── HostUnreachable             502  host-unreachable
├── HostUntrusted               502  host-untrusted              its certificate does not hold
├── ConnectionLost              502  connection-lost
├── AnswerInvalid               502  answer-invalid              the host's answer cannot be passed on
├── TunnelNotTls                403  tunnel-not-tls
├── ServerNameMismatch          403  server-name-mismatch
├── HelloEncrypted              403  hello-encrypted
├── HandshakeFailed             403  handshake-failed            the sandbox does not trust its own authority
├── SecretElsewhere             403  secret-elsewhere            a handle at a place it is not bound to
├── SecretUnavailable           403  secret-unavailable          revoked, or unfit
├── TooManyConnections          429  too-many-connections
├── TooManyLookups              429  too-many-lookups            names whose servers do not answer
├── TooFast                     429  too-fast
├── BytesSpent                  403  bytes-spent
├── TooSlow                     408  too-slow                    no handshake, or nothing moved
├── TookTooLong                 408  took-too-long
├── PolicyChanged               403  policy-changed
├── GateClosed                  403  gate-closed
├── OperationNotAllowed         403  operation-not-allowed
├── ServiceNotConnected         503  service-not-connected
└── BrokerFailure               500  broker-failure
"""

from raptorflow.base.errors import RaptorFlowError


class EgressDenied(RaptorFlowError):
    """The broker lets this not out."""

    code = "egress-denied"
    status = 403


class RequestInvalid(EgressDenied):
    """It is no request that a proxy can serve, or one that two readers could read in two ways."""

    code = "request-invalid"
    status = 400
    default_hint = (
        "Send `CONNECT host:port` for TLS, or `GET http://host/path` in full, with one Host header."
    )


class HeadTooLarge(EgressDenied):
    """The request's line and headers are longer than what is read."""

    code = "head-too-large"
    status = 431


class DestinationInvalid(EgressDenied):
    """It names no host and port."""

    code = "destination-invalid"
    status = 400
    default_hint = "Name a host and a port, such as `api.example.com:443`."


class AddressNotation(EgressDenied):
    """An address that is written so that it does not look like itself; nobody needs that."""

    code = "address-notation"
    default_hint = "Use the host's name. An address counts only in its plain form, and only where declared."


class HostNotAllowed(EgressDenied):
    """Neither the skill's manifest nor what was granted names this host and port."""

    code = "host-not-allowed"


class HostDenied(EgressDenied):
    """The operator denies this host, whatever else allows it."""

    code = "host-denied"
    default_hint = "No line of skill.toml allows it: whoever runs RaptorFlow denies this host to all skills."


class AddressDenied(EgressDenied):
    """The host leads to a private network, to this machine, or to where clouds hand out credentials."""

    code = "address-denied"
    default_hint = (
        "No line of skill.toml allows it. An operator can allow a private range with "
        "RAPTORFLOW_SANDBOX__BROKER__ALLOWED_RANGES."
    )


class NameUnknown(EgressDenied):
    """The host's name leads nowhere."""

    code = "name-unknown"
    status = 502
    default_hint = "The skill may reach it, but the name is not known; see whether it is spelt right."


class HostUnreachable(EgressDenied):
    """Nothing answers there."""

    code = "host-unreachable"
    status = 502
    default_hint = "The skill may reach it, but nothing answers; try again later."


class HostUntrusted(EgressDenied):
    """The host could not show a certificate for its name, so that no secret is sent there."""

    code = "host-untrusted"
    status = 502
    default_hint = "An operator can add an authority with RAPTORFLOW_SANDBOX__BROKER__AUTHORITIES."


class ConnectionLost(EgressDenied):
    """One side broke off."""

    code = "connection-lost"
    status = 502


class AnswerInvalid(EgressDenied):
    """The host's answer cannot be passed on."""

    code = "answer-invalid"
    status = 502


class TunnelNotTls(EgressDenied):
    """What was sent through the tunnel is not TLS, where only TLS may pass."""

    code = "tunnel-not-tls"
    default_hint = "Plain HTTP goes to the proxy without CONNECT: `GET http://host/path`."


class ServerNameMismatch(EgressDenied):
    """The TLS hello asks for another host than the tunnel was opened to."""

    code = "server-name-mismatch"
    default_hint = "Ask for the same host in CONNECT and in TLS (SNI)."


class HelloEncrypted(EgressDenied):
    """The TLS hello hides which host it asks for."""

    code = "hello-encrypted"
    default_hint = "Turn Encrypted Client Hello off in the program that connects."


class HandshakeFailed(EgressDenied):
    """The program inside and the broker agreed on no TLS connection."""

    code = "handshake-failed"
    default_hint = "Trust the authorities that SSL_CERT_FILE names; this host's TLS ends in the broker."


class SecretElsewhere(EgressDenied):
    """A secret's handle at a host or port that it is not bound to; the value was not looked at."""

    code = "secret-elsewhere"


class SecretUnavailable(EgressDenied):
    """The secret has been taken back, or cannot stand in a header."""

    code = "secret-unavailable"
    default_hint = "Whoever installed the skill sets the secret's value: printable, 8 characters or more."


class TooManyConnections(EgressDenied):
    """As many connections are open as one sandbox may have."""

    code = "too-many-connections"
    status = 429


class TooManyLookups(EgressDenied):
    """As many names are being looked up as one tenant may ask for at once, and none was answered in time."""

    code = "too-many-lookups"
    status = 429
    default_hint = "Try again in a minute: names whose name servers are silent must be given up first."


class TooFast(EgressDenied):
    """More connections a second than one sandbox may open."""

    code = "too-fast"
    status = 429


class BytesSpent(EgressDenied):
    """The sandbox has sent or received as much as it may."""

    code = "bytes-spent"


class TooSlow(EgressDenied):
    """Nothing was sent or received for too long."""

    code = "too-slow"
    status = 408


class TookTooLong(EgressDenied):
    """The connection was open for as long as one may be."""

    code = "took-too-long"
    status = 408


class PolicyChanged(EgressDenied):
    """It was allowed when it began and is no longer."""

    code = "policy-changed"


class GateClosed(EgressDenied):
    """The run is over."""

    code = "gate-closed"


class OperationNotAllowed(EgressDenied):
    """The skill may not call this operation."""

    code = "operation-not-allowed"


class ServiceNotConnected(EgressDenied):
    """Nobody has connected the service to this RaptorFlow."""

    code = "service-not-connected"
    status = 503


class BrokerFailure(EgressDenied):
    """The broker itself failed; what it cannot judge does not leave."""

    code = "broker-failure"
    status = 500
    default_hint = "Try again. The operator's log says more."
