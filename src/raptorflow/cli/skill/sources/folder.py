"""Skills in a folder, whether it was given or cloned: all below it, or those that its marketplace lists."""

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from raptorflow.base.errors import RaptorFlowError
from raptorflow.cli.question import FileUnusable
from raptorflow.cli.skill.sources.git import cloned
from raptorflow.skills.folders import skill_folders
from raptorflow.skills.frontmatter import FILE as SKILL_MD
from raptorflow.skills.sources.addresses import Repository, is_local
from raptorflow.skills.sources.basket import MAX_SKILLS, Basket
from raptorflow.skills.sources.errors import ImportTooLarge, SourceInvalid, SourceTooLarge
from raptorflow.skills.sources.marketplace import (
    FILE,
    MAX_BYTES,
    PLACES,
    PLUGIN_FILE,
    USUAL,
    Plugin,
    read_marketplace,
    read_plugin_skills,
)


@dataclass(frozen=True)
class Origin:
    """Where a folder's files come from.

    Attributes:
        prefix: what stands before a path inside: `folder/`, or `https://...@commit#`.
        is_local: whether it is on this machine, so that it may lead to more that is.
    """

    prefix: str
    is_local: bool

    def of(self, folder: Path, root: Path) -> str:
        """The source of a folder inside, as it is told and kept."""
        inside = folder.relative_to(root).as_posix()
        return self.prefix.rstrip("#/") or "/" if inside == "." else f"{self.prefix}{inside}"


def gather_repository(repository: Repository, basket: Basket) -> None:
    """The skills of a repository."""
    with cloned(repository) as clone:
        basket.spend(clone.size)
        gather_folder(clone.folder, basket, Origin(clone.prefix, is_local(repository)))


def gather_folder(root: Path, basket: Basket, origin: Origin) -> None:
    """The skills of a folder."""
    root = root.resolve()
    if os.path.isfile(root / FILE):
        gather_marketplace(root, root / FILE, basket, origin)
    else:
        _gather_below(root, root, basket, origin)


def marketplace_root(file: Path) -> Path:
    """The folder that a marketplace's paths start from: the one that its usual place is in, or its own."""
    absolute = file.resolve()
    for place in PLACES:
        if absolute.as_posix().endswith(f"/{place}"):
            return absolute.parents[place.count("/")]
    return absolute.parent


def gather_marketplace(root: Path, file: Path, basket: Basket, origin: Origin) -> None:
    """The skills of the plugins that a marketplace lists."""
    marketplace = read_marketplace(_content(file, root))
    named = {plugin.name for plugin in marketplace.plugins}
    for label, reason in marketplace.refused.items():
        if basket.wants(label.partition(" ")[0]):
            basket.skip(label, SourceInvalid(reason))
    for plugin in sorted(marketplace.plugins, key=lambda each: isinstance(each.source, Repository)):
        # A name that is no plugin's may be a skill's of any of them, those at hand first.
        if basket.wants(plugin.name) or not named.issuperset(basket.missed()):
            try:
                _gather_plugin(root, plugin, basket, origin)
            except ImportTooLarge:
                raise
            except RaptorFlowError as error:
                basket.skip(plugin.name, error)


def _gather_plugin(root: Path, plugin: Plugin, basket: Basket, origin: Origin) -> None:
    if isinstance(plugin.source, Repository):
        if is_local(plugin.source) and not origin.is_local:
            raise SourceInvalid(
                f"{plugin.source.url} is on this machine; a marketplace elsewhere cannot mean it."
            )
        with cloned(plugin.source) as clone:
            basket.spend(clone.size)
            folder = clone.folder.resolve()
            _gather_skills(folder, folder, plugin, basket, Origin(clone.prefix, is_local=False))
        return
    folders = [_inside(root, root, place) for place in plugin.source]
    folder = next(filter(None, folders), None)
    if folder is None:
        raise SourceInvalid(f"There is no folder {plugin.source[-1]} in it.")
    _gather_skills(root, folder, plugin, basket, origin)


def _gather_skills(root: Path, folder: Path, plugin: Plugin, basket: Basket, origin: Origin) -> None:
    """A plugin's skills: those that are listed for it; by its own list and in the usual folder otherwise."""
    if (folder / SKILL_MD).is_file() and not plugin.skills:
        _take(root, folder, basket, origin, plugin.name)
        return
    listed = dict.fromkeys(plugin.skills or (USUAL,))
    if plugin.strict and (folder / PLUGIN_FILE).is_file():
        listed |= dict.fromkeys(read_plugin_skills(_content(folder / PLUGIN_FILE, root)))
    for place in listed:
        found = _inside(root, folder, place)
        if found is not None:
            _gather_below(root, found, basket, origin, plugin.name)
        elif place != USUAL:
            label = f"{plugin.name}/{place}"
            basket.skip(label, SourceInvalid(f"There is no folder {place} in the plugin {plugin.name}."))


def _gather_below(root: Path, folder: Path, basket: Basket, origin: Origin, group: str = "") -> None:
    folders = list(islice(skill_folders([folder]), MAX_SKILLS + 1))
    if len(folders) > MAX_SKILLS:
        raise SourceTooLarge(f"{origin.prefix} has over {MAX_SKILLS} skills.")
    for each in folders:
        # What cannot be read is said to be so, not to be empty.
        if os.path.isfile(each / SKILL_MD) or not os.access(each, os.R_OK | os.X_OK):
            _take(root, each, basket, origin, group)


def _take(root: Path, folder: Path, basket: Basket, origin: Origin, group: str) -> None:
    source = origin.of(folder, root)
    basket.take_folder(folder, source, source, group)


def _inside(root: Path, folder: Path, place: str) -> Path | None:
    """A folder that a document names, where it is one and no link leads it out of the source."""
    found = (folder / place).resolve()
    return found if found.is_dir() and found.is_relative_to(root) else None


def _content(file: Path, root: Path) -> bytes:
    """A list's content, not through a link that leads outside."""
    if not file.resolve().is_relative_to(root):
        raise SourceInvalid(f"{file.name} is a link to somewhere else.")
    try:
        with file.open("rb") as content:
            return content.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileUnusable(
            f"{file} cannot be read: {error.strerror}.", hint="Check its permissions."
        ) from error
