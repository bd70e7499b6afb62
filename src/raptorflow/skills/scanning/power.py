"""What a skill could do once it is trusted: its uses of power on one scale of three."""

from collections.abc import Collection, Mapping

from raptorflow.skills.scanning.model import Power, Use, UseKind

_LEVELS: tuple[Power, ...] = ("low", "medium", "high")
# Reading a variable that is no secret, or needing a package, is what every script does.
_WEIGHTS: Mapping[UseKind, int] = {
    "environment": 0,
    "package": 0,
    "network": 1,
    "service": 1,
    "file-outside": 1,
    "process": 1,
    "secret": 1,
}
# A secret beside the network, or a program beside it, can do what neither can alone.
_TOGETHER: tuple[set[UseKind], ...] = (
    {"secret", "network"},
    {"process", "network"},
    {"file-outside", "network"},
)


def power_of(uses: Collection[Use]) -> Power:
    """`low` for none, `medium` for one kind of reach, `high` for kinds that multiply each other."""
    kinds: set[UseKind] = {use.kind for use in uses}
    level = max((_WEIGHTS[kind] for kind in kinds), default=0)
    if any(pair <= kinds for pair in _TOGETHER):
        level = 2
    return _LEVELS[level]
