"""The graph of what was chosen: cycles, and the order in which each comes after what it requires."""

from collections.abc import Iterable, Mapping

from raptorflow.skills.resolving.model import Candidate, DependencyCycle


def refuse_cycles(chosen: Mapping[str, Candidate]) -> None:
    """Refuse skills that require each other in a circle.

    Raises:
        DependencyCycle: names the circle.
    """
    in_order(chosen)


def in_order(chosen: Mapping[str, Candidate]) -> list[str]:
    """Every skill after those that it requires; by name where that leaves a choice.

    Raises:
        DependencyCycle: there is no such order.
    """
    done: dict[str, None] = {}
    for name in sorted(chosen):
        _visit(name, chosen, done)
    return list(done)


def in_plain_order(requires: Mapping[str, Iterable[str]]) -> list[str]:
    """Names without a namespace, each after those that it requires; no matter of whose namespace.

    A skill may build on its namesake of another namespace, which is none of these then.

    Raises:
        DependencyCycle: there is no such order.
    """
    plain = {name: {other.rpartition("/")[2] for other in each} for name, each in requires.items()}
    return in_order({name: Candidate("", dict.fromkeys(each - {name}, "")) for name, each in plain.items()})


def _visit(start: str, chosen: Mapping[str, Candidate], done: dict[str, None]) -> None:
    """Depth first, without recursion: a chain of requirements may be long."""
    path: dict[str, None] = {start: None}
    waiting = [(start, iter(sorted(chosen[start].requires)))]
    while waiting:
        name, others = waiting[-1]
        other = next((each for each in others if each in chosen and each not in done), None)
        if other is None:
            waiting.pop()
            path.pop(name)
            done[name] = None
        elif other in path:
            circle = [*path][[*path].index(other) :]
            raise DependencyCycle(f"These skills require each other: {' -> '.join([*circle, other])}.")
        else:
            path[other] = None
            waiting.append((other, iter(sorted(chosen[other].requires))))
