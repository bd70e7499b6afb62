"""Puts a registry together from settings, for the server and for the worker."""

from pathlib import Path

from raptorflow.core.blobs import BlobStore
from raptorflow.core.db import Database
from raptorflow.registry.embeddings import Embedder
from raptorflow.registry.environments import Environments
from raptorflow.registry.library import Library
from raptorflow.registry.search.service import SkillSearch
from raptorflow.registry.service import SkillsRegistry
from raptorflow.registry.settings import RegistrySettings


def build_registry(
    database: Database,
    blobs: BlobStore,
    embedder: Embedder,
    settings: RegistrySettings,
    places: tuple[Path, Path],
) -> SkillsRegistry:
    """A registry.

    Args:
        database: where everything but the files is.
        blobs: where the files are.
        embedder: makes the vectors of search.
        settings: limits.
        places: the data folder, and the interpreter that environments are built for.
    """
    data_dir, python = places
    folder = settings.data_dir or data_dir / "registry"
    return SkillsRegistry(
        database,
        blobs,
        SkillSearch(database, embedder, settings.suggestions),
        Library(blobs, folder / "skills"),
        Environments(folder / "environments", settings.python or python, settings.build_seconds),
        settings,
    )
