"""Putting a secret where its handle stands: in a header, at the one host and port that it is bound to."""

import re
from collections.abc import Iterable

from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.errors import SecretElsewhere, SecretUnavailable
from raptorflow.sandbox.broker.guest import Guest
from raptorflow.sandbox.broker.secrets.basic import basic_credentials, basic_header
from raptorflow.sandbox.broker.secrets.handles import HANDLE, handles_in_header
from raptorflow.sandbox.broker.secrets.redaction import SHORTEST, spellings

Header = tuple[bytes, bytes]
VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
LONGEST = 8192


async def injected(
    guest: Guest, destination: Destination, headers: Iterable[Header]
) -> tuple[list[Header], list[str]]:
    """Headers with each handle replaced by the secret's value of this moment, and whose secrets they were.

    Raises:
        SecretElsewhere: a handle is not bound to this destination, or to nothing.
        SecretUnavailable: the secret has been taken back, or cannot stand in a header.
    """
    headers = list(headers)
    handles = dict.fromkeys(handle for _, value in headers for handle in handles_in_header(value))
    values: dict[bytes, bytes] = {}
    names: list[str] = []
    for handle in handles:
        name = _bound_name(guest, destination, handle)
        values[handle] = await _value(guest, name)
        names.append(name)
    return [(name, _replaced(value, values)) for name, value in headers], names


def refuse_handles(guest: Guest, destination: Destination, handles: Iterable[bytes]) -> None:
    """Refuse handles on a way that no secret takes.

    Raises:
        SecretElsewhere: there is one.
    """
    for handle in handles:
        if _bound_name(guest, destination, handle):
            hint = f"Use https://{destination.host}: a secret is sent over TLS alone."
            raise SecretElsewhere(f"A secret's handle was to go to {destination} in the clear.", hint=hint)


def _bound_name(guest: Guest, destination: Destination, handle: bytes) -> str:
    name = guest.handles.name(handle)
    bound = guest.rules.secrets().get(name) if name else None
    if name and bound == destination:
        return name
    if name and bound:
        hint = f'skill.toml binds it to another place:\n[permissions]\nsecrets = {{ {name} = "{bound}" }}'
    else:
        hint = "A handle is worth something only in the sandbox it was made for, while its secret is granted."
    raise SecretElsewhere(
        f"A secret's handle was to go to {destination}, which it is not bound to.", hint=hint
    )


async def _value(guest: Guest, name: str) -> bytes:
    value = await guest.secrets.value(name)
    if value is None:
        raise SecretUnavailable(f"The secret {name} has no value.")
    if not SHORTEST <= len(value) <= LONGEST or not VALUE.fullmatch(value):
        raise SecretUnavailable(f"The value of {name} cannot stand in a header.")
    guest.needles.add(spellings(value))
    return value.encode("ascii")


def _replaced(header: bytes, values: dict[bytes, bytes]) -> bytes:
    credentials = basic_credentials(header)
    if credentials and HANDLE.search(credentials):
        return basic_header(_swapped(credentials, values))
    return _swapped(header, values)


def _swapped(text: bytes, values: dict[bytes, bytes]) -> bytes:
    return HANDLE.sub(lambda found: values[found[0]], text)
