"""`[permissions]` and `[limits]` of `skill.toml`, as `Capabilities`."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping

from pydantic import ValidationError

from raptorflow.skills.capabilities import SECRET, Capabilities, Limits
from raptorflow.skills.manifest.quantities import parse_bytes, parse_number, parse_seconds
from raptorflow.skills.manifest.table import FILE, Table

LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
DESTINATION = re.compile(rf"({LABEL}(?:\.{LABEL})*|\[[0-9a-f:.]+\]):([0-9]{{1,5}})")
MAX_HOST, MAX_PORT = 253, 65_535
SERVICE = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
LIMIT_PARSERS: Mapping[str, tuple[str, Callable[[object], float]]] = {
    "timeout": ("timeout_seconds", parse_seconds),
    "memory": ("memory_bytes", parse_bytes),
    "disk": ("disk_bytes", parse_bytes),
    "output": ("output_bytes", parse_bytes),
    "cpus": ("cpus", parse_number),
    "processes": ("pids", parse_number),
}


def read_capabilities(permissions: Table, limits: Table) -> Capabilities:
    """What the two tables declare; what is not valid is reported and left out."""
    permissions.known("network", "secrets", "services")
    network = {host.lower(): host for host in permissions.texts("network")}
    for destination, written in network.items():
        _check_destination(destination, written, permissions)
    return Capabilities(
        network=frozenset(network),
        secrets=_secrets(permissions.table("secrets"), network),
        services=_services(permissions.table("services")),
        limits=_limits(limits),
    )


def _check_destination(destination: str, written: str, table: Table) -> None:
    found = DESTINATION.fullmatch(destination)
    host, port = found.groups() if found else ("", "0")
    if not 0 < len(host) <= MAX_HOST or not 1 <= int(port) <= MAX_PORT or not _is_host(host):
        remedy = 'Write one host and one port: "api.example.com:443".'
        table.error("network-invalid", "network", f"{written[:80]!r} is no destination.", remedy)
    elif _is_internal(host):
        message = f"{written} is inside the network of whoever runs the skill."
        line = table.places.line("permissions", "network")
        table.findings.warning("network-internal", FILE, message, "Most operators will not grant it.", line)


def _is_host(host: str) -> bool:
    """Whether it is a name or an address; what has only digits and dots must be an address."""
    if not host.startswith("[") and not re.fullmatch(r"[0-9.]+", host):
        return True
    return _address(host) is not None


def _is_internal(host: str) -> bool:
    address = _address(host)
    return host.split(".")[-1] == "localhost" or (address is not None and not address.is_global)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _secrets(table: Table, network: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in table.values:
        host = table.text(name).lower()
        if not SECRET.fullmatch(name):
            remedy = "Use letters, digits and `_`, as for an environment variable."
            table.error("secret-name", name, f"{name[:80]!r} is no name of a secret.", remedy)
        elif host not in network:
            remedy = f'Add "{host[:80]}" to `network`, or bind {name} to a host that is there.'
            message = f"{name} is bound to {host[:80]!r}, which `network` lacks."
            table.error("secret-unbound", name, message, remedy)
        else:
            found[name] = host
    return found


def _services(table: Table) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name in table.values:
        operations = table.texts(name)
        for each in (name, *operations):
            if not SERVICE.fullmatch(each):
                remedy = "Use a-z, 0-9, and single `-` or `.` between them."
                table.error("service-name", name, f"{each[:80]!r} is no service or operation.", remedy)
        if not operations:
            remedy = "Name the operations, or leave the service out."
            table.error("service-empty", name, f"{name} has no operations.", remedy)
        found[name] = frozenset(operations)
    return found


def _limits(table: Table) -> Limits:
    table.known(*LIMIT_PARSERS)
    values: dict[str, float] = {}
    for key in table.values.keys() & LIMIT_PARSERS.keys():
        name, parse = LIMIT_PARSERS[key]
        try:
            values[name] = parse(table.values[key])
            Limits.model_validate({name: values[name]})
        except ValidationError as error:
            values.pop(name)
            message = f"`limits.{key}`: {error.errors()[0]['msg']}."
            table.error("limit-range", key, message, "Stay within the range; see the skill format.")
        except ValueError as error:
            remedy = 'Write it like "60s", "512MB" or 1.5.'
            table.error("limit-invalid", key, f"`limits.{key}`: {error}.", remedy)
    return Limits.model_validate(values)
