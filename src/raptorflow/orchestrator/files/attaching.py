"""A message's files become the session's."""

from collections.abc import Sequence
from uuid import UUID

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.errors import no_file
from raptorflow.orchestrator.files.repository import FilesRepository
from raptorflow.orchestrator.files.store import unused_name


async def attach(repository: FilesRepository, session_id: UUID, file_ids: Sequence[UUID]) -> list[JsonObject]:
    """Put files into a session, each under a name of its own; what the transcript tells of them.

    Raises:
        FileNotFound: a file is not the caller's.
    """
    if not file_ids:
        return []
    files = {file.id: file for file in await repository.files(file_ids)}
    for file_id in file_ids:
        if file_id not in files:
            raise no_file(file_id)
    names = {file.id: name for file, name in await repository.session_files(session_id)}
    fresh: dict[UUID, str] = {}
    for file_id in file_ids:
        if file_id not in names:
            names[file_id] = fresh[file_id] = unused_name(files[file_id].name, set(names.values()))
    if fresh:
        await repository.attach(session_id, fresh)
    return [{"id": str(file_id), "name": names[file_id], "size": files[file_id].size} for file_id in file_ids]
