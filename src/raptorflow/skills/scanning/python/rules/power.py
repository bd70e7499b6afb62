"""Uses of power that are no harm by themselves: secrets, variables, services."""

from collections.abc import Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.model import Use
from raptorflow.skills.scanning.python.context import Context
from raptorflow.skills.scanning.python.models import HOME_VARIABLES
from raptorflow.skills.scanning.python.sensitive import label_of_variable
from raptorflow.skills.scanning.python.value import HOLE

_READS = frozenset(("os.getenv", "os.environ.get", "os.environ.pop"))
_CALLS_SERVICE = frozenset(("raptorflow_skill.services.call", "raptorflow_skill.call"))


def uses(context: Context) -> Iterator[Seen]:
    """The variables that code reads and the services that it calls."""
    for call in context.program.calls:
        if call.name in _READS:
            name = call.argument(0, "key").text
            yield from _variable(name, call.source.path, call.line)
        elif call.name in _CALLS_SERVICE:
            service, operation = call.argument(0, "service").text, call.argument(1, "operation").text
            target = f"{service or '*'}.{operation or '*'}".replace(HOLE, "*")
            yield Use("service", target, call.source.path, call.line)
        for value in (*call.all_arguments(), call.receiver):
            for label in value.every_label():
                if label.kind == "secret" and label_of_variable(label.detail):
                    yield Use("secret", label.detail, call.source.path, call.line)


def _variable(name: str, path: str, line: int) -> Iterator[Seen]:
    if name and HOLE not in name and name not in HOME_VARIABLES:
        yield Use("secret" if label_of_variable(name) else "environment", name, path, line)
