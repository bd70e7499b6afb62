"""What a skill's code does, beside what its `skill.toml` says it does."""

import re
from collections.abc import Collection, Iterator

from raptorflow.skills.manifest.table import FILE as MANIFEST
from raptorflow.skills.scanning.languages import language_of
from raptorflow.skills.scanning.model import Severity, Threat, Use
from raptorflow.skills.scanning.places import is_test
from raptorflow.skills.scanning.subject import Subject
from raptorflow.skills.text import printable

UNKNOWN = "*"
SHOWN_USES = 4
_LOCAL = re.compile(r"^(?:localhost|127\.|0\.0\.0\.0|\[?::1)")
# Set by the platform, or by every CI system; no secret of a person.
_GIVEN = re.compile(r"^(?:RAPTORFLOW_|CI$|GITHUB_ACTIONS$|PYTEST_)")


def compare(subject: Subject, uses: Collection[Use]) -> Iterator[Threat]:
    """Uses that are not declared, and declarations that nothing uses."""
    run = [use for use in uses if language_of(use.file, "") != "markdown" and not is_test(use.file)]
    if subject.manifest is None:
        yield from _nothing_declared(run)
        return
    for use in {(use.kind, use.target): use for use in reversed(run)}.values():
        yield from _undeclared(subject, use)
    yield from _unused(subject)


def _nothing_declared(uses: list[Use]) -> Iterator[Threat]:
    """A bare `SKILL.md` gets nothing from the sandbox: no harm, but the author should know."""
    reach = [use for use in uses if use.kind in {"network", "secret", "service"}]
    if not reach:
        return
    names = sorted({use.target for use in reach if use.target != UNKNOWN})[:SHOWN_USES]
    first = reach[0]
    yield Threat(
        code="scan/nothing-declared",
        severity="low",
        file=printable(first.file),
        line=first.line,
        message=f"The code reaches outside ({printable(', '.join(names)) or 'the network'}) and there is no "
        "skill.toml: in the sandbox it gets nothing, and this will not work.",
        remedy="Declare what it needs under [permissions] in a skill.toml.",
    )


def _undeclared(subject: Subject, use: Use) -> Iterator[Threat]:
    declared = subject.declared
    if use.kind == "network" and not _LOCAL.match(use.target):
        if use.target == UNKNOWN and not declared.network:
            message = "The code reaches the network, at an address that it only knows while it runs"
            yield _threat(use, "undeclared-network", "medium", message, 'network = ["host:443"]')
        elif use.target != UNKNOWN and use.target not in declared.network:
            message = f"The code reaches {use.target}"
            yield _threat(use, "undeclared-network", "medium", message, f'network = ["{use.target}"]')
    elif use.kind == "secret" and use.target not in declared.secrets and not _GIVEN.match(use.target):
        message = f"The code reads the secret {use.target}"
        remedy = f'secrets = {{ {use.target} = "host:443" }}'
        yield _threat(use, "undeclared-secret", "medium", message, remedy)
    elif use.kind == "service":
        yield from _undeclared_service(subject, use)


def _undeclared_service(subject: Subject, use: Use) -> Iterator[Threat]:
    service, _, operation = use.target.partition(".")
    known = subject.declared.services.get(service)
    asks = known is not None and (operation in known or UNKNOWN in operation)
    if not asks and service != UNKNOWN:
        message = f"The code calls {operation} of {service}"
        remedy = f'services = {{ {service} = ["{operation}"] }}'
        yield _threat(use, "undeclared-service", "medium", message, remedy)


def _unused(subject: Subject) -> Iterator[Threat]:
    """Declared and never named: asks the user for more consent than the skill needs."""
    texts = "\n".join(source.text for source in subject.sources if source.path != MANIFEST)
    names = [(host.rpartition(":")[0], host) for host in sorted(subject.declared.network)]
    names += [(name, name) for name in (*subject.declared.secrets, *subject.declared.services)]
    for name, shown in names:
        if name not in texts:
            yield Threat(
                code="scan/declared-unused",
                severity="low",
                file=MANIFEST,
                line=None,
                message=f"{printable(shown)} is declared, and nothing in the skill names it.",
                remedy="Take it out: a skill that asks for less is trusted sooner.",
            )


def _threat(use: Use, code: str, severity: Severity, message: str, remedy: str) -> Threat:
    return Threat(
        code=f"scan/{code}",
        severity=severity,
        file=printable(use.file),
        line=use.line,
        message=f"{printable(message[:200])}, and skill.toml does not declare it.",
        remedy=f"Declare it under [permissions]: {printable(remedy[:200])}; or leave it out.",
    )
