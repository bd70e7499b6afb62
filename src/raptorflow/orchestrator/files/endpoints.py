"""Uploads and downloads."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from python_multipart.multipart import parse_options_header

from raptorflow.orchestrator.errors import InvalidUpload
from raptorflow.orchestrator.files.store import too_large
from raptorflow.orchestrator.files.uploads import multipart_file
from raptorflow.orchestrator.permissions import Orchestrator, Reads, Writes
from raptorflow.orchestrator.schemas import FileView

router = APIRouter()
# What the API's document says of bytes, which no schema describes.
BYTES = {"schema": {"type": "string", "format": "binary"}}
FILE_SENT = {"requestBody": {"required": True, "content": {"application/octet-stream": BYTES}}}
FILE_GIVEN: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": BYTES}}}


@router.post("/files", status_code=201, openapi_extra=FILE_SENT)
async def upload_file(
    request: Request,
    caller: Writes,
    orchestrator: Orchestrator,
    name: Annotated[str | None, Query(max_length=1024)] = None,
) -> FileView:
    """Upload a file: raw bytes with `?name=`, or a multipart form with one file."""
    limit = orchestrator.settings.max_file_bytes
    sent = request.headers.get("content-length", "")
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data":
        file_name, chunks = await multipart_file(request.stream(), options.get(b"boundary", b""))
        return await orchestrator.files.add(caller, name or file_name, chunks)
    if not name:
        raise InvalidUpload("The upload has no name.", hint="Add ?name=data.csv, or send a multipart form.")
    if sent.isdigit() and int(sent) > limit:
        raise too_large(name, int(sent), limit)
    return await orchestrator.files.add(caller, name, request.stream())


@router.get("/files/{file_id}", summary="A file's record")
async def get_file(caller: Reads, orchestrator: Orchestrator, file_id: UUID) -> FileView:
    """A file's record."""
    return await orchestrator.files.record(caller, file_id)


@router.get("/files/{file_id}/content", response_class=Response, responses=FILE_GIVEN)
async def get_file_content(caller: Reads, orchestrator: Orchestrator, file_id: UUID) -> Response:
    """A file's bytes, always as a download: what people upload is not ours to show as a page."""
    view, content = await orchestrator.files.content(caller, file_id)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(view.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=view.media_type, headers=headers)
