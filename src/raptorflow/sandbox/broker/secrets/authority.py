"""The certificate authority of one sandbox: it vouches for the hosts that secrets are bound to, and no other.

Its key is made with the sandbox and dies with it. Neither it nor a leaf's key is ever written to a disk: what
OpenSSL wants as a file is one in memory that has no name.
"""

import os
import ssl
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from raptorflow.base.clock import utc_now

CLOCK_SKEW = timedelta(hours=1)
"""A guest's clock may be behind."""
EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


class Authority:
    """Vouches for hosts, towards one sandbox.

    Args:
        hosts: canonical; its certificate says that it may vouch for these alone (RFC 5280, 4.2.1.10).
        lifetime: of all its certificates.
    """

    def __init__(self, hosts: Iterable[str], lifetime: timedelta) -> None:
        self._hosts = frozenset(hosts)
        self._until = utc_now() + lifetime
        self._key = generate_private_key(SECP256R1())
        self._certificate = _authority(self._hosts, self._key, self._until)
        self._leaf_key = generate_private_key(SECP256R1())
        self._contexts: dict[str, ssl.SSLContext] = {}

    def pem(self) -> bytes:
        """Its certificate, for the sandbox's trust store."""
        return self._certificate.public_bytes(Encoding.PEM)

    def context(self, host: str) -> ssl.SSLContext:
        """How to be a host towards the sandbox: TLS 1.2 or later, HTTP/1.1 alone.

        Raises:
            KeyError: the host is not one of its hosts.
        """
        if host not in self._hosts:
            raise KeyError(host)
        if host not in self._contexts:
            self._contexts[host] = self._made_context(host)
        return self._contexts[host]

    def _made_context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        leaf = _leaf(host, self._leaf_key, self._certificate, self._key, self._until)
        key = self._leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _load(context, key + leaf.public_bytes(Encoding.PEM))
        return context


def _authority(hosts: frozenset[str], key: EllipticCurvePrivateKey, until: datetime) -> x509.Certificate:
    names = [_general_name(host) for host in sorted(hosts)]
    addressed = any(isinstance(name, x509.IPAddress) for name in names)
    constraints = x509.NameConstraints(
        permitted_subtrees=[_subtree(name) for name in names],
        # What no permitted name speaks of would be free: addresses, unless one of the hosts is one.
        excluded_subtrees=None if addressed else [x509.IPAddress(network) for network in EVERYWHERE],
    )
    name = _name("RaptorFlow sandbox")
    builder = _builder(name, name, key, until)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(constraints, critical=True)
    return builder.add_extension(_usage(authority=True), critical=True).sign(key, SHA256())


def _leaf(
    host: str,
    key: EllipticCurvePrivateKey,
    issuer: x509.Certificate,
    issuer_key: EllipticCurvePrivateKey,
    until: datetime,
) -> x509.Certificate:
    builder = _builder(_name("RaptorFlow broker"), issuer.subject, key, until)
    builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    return builder.add_extension(_usage(authority=False), critical=True).sign(issuer_key, SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, until: datetime
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - CLOCK_SKEW)
        .not_valid_after(until)
        .add_extension(identifier, critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _subtree(name: x509.DNSName | x509.IPAddress) -> x509.DNSName | x509.IPAddress:
    return name if isinstance(name, x509.DNSName) else x509.IPAddress(ip_network(str(name.value)))


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """Give a context its key and certificate, through memory alone."""
    file = os.memfd_create("leaf", os.MFD_CLOEXEC)
    try:
        os.write(file, pem)
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
