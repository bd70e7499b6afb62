"""What a source is, and what is in it: the one place where that is decided."""

import os
from collections.abc import Sequence
from pathlib import Path

from raptorflow.cli.skill.sources.errors import NothingOffered
from raptorflow.cli.skill.sources.exports import gather_file
from raptorflow.cli.skill.sources.folder import (
    Origin,
    gather_folder,
    gather_marketplace,
    gather_repository,
    marketplace_root,
)
from raptorflow.cli.skill.sources.server import gather_server
from raptorflow.cli.skill.sources.site import gather_site
from raptorflow.skills.sources.addresses import GITHUB, read_repository
from raptorflow.skills.sources.basket import Basket
from raptorflow.skills.sources.errors import SourceUnknown
from raptorflow.skills.text import printable

WEB = ("https://", "http://")


def gather(source: str, skills: Sequence[str], select: Sequence[str]) -> Basket:
    """The skills of a source.

    Args:
        source: a path, or the address of a repository, a site or another RaptorFlow.
        skills: what to take from another RaptorFlow.
        select: names of skills, or of a marketplace's plugins; everything when empty.

    Raises:
        SourceUnknown: it is none.
        NothingOffered: there are no skills in it, or not those that were asked for.
    """
    basket = Basket(select)
    _gather(source, skills, basket)
    for name in basket.missed():
        basket.skip(name, NothingOffered(f"{source} has no {name}.", hint="`--dry-run` lists what it has."))
    if not basket.skills and not basket.skipped:
        raise NothingOffered(f"{source} has no skills.")
    return basket


def _gather(source: str, skills: Sequence[str], basket: Basket) -> None:
    path, repository = Path(source), read_repository(source)
    if skills and (repository or not source.startswith(WEB)):
        hint = "Use `--select NAME` for other sources."
        raise SourceUnknown(f"`--skill` is for another RaptorFlow, and {source} is none.", hint=hint)
    if repository:
        gather_repository(repository, basket)
    elif source.startswith(WEB):
        gather_server(source, skills, basket) if skills else gather_site(source, basket)
    elif os.path.isdir(source):
        gather_folder(path, basket, Origin(f"{source.rstrip('/')}/", is_local=True))
    elif path.name == "marketplace.json" and os.path.isfile(source):
        root = marketplace_root(path)
        gather_marketplace(root, path, basket, Origin(f"{root}/", is_local=True))
    elif os.path.isfile(source):
        gather_file(path, basket)
    else:
        raise _unknown(source)


def _unknown(source: str) -> SourceUnknown:
    hint = f"A repository? Write `github:{source}`." if GITHUB.fullmatch(source) else None
    return SourceUnknown(
        f"There is no file and no folder {printable(source) or 'without a name'}.", hint=hint
    )
