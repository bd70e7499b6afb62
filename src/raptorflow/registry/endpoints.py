"""The registry's API."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from raptorflow.accounts.identity import Caller, Role
from raptorflow.accounts.permissions import Accounts, Requires
from raptorflow.base.errors import TooLarge
from raptorflow.registry.schemas import (
    Consent,
    Installation,
    InstallRequest,
    Namespace,
    PublishReceipt,
    SearchResult,
    SkillDetail,
    SkillPage,
    SkillVersion,
    VersionList,
    Visibility,
)
from raptorflow.registry.service import SkillsRegistry

router = APIRouter(prefix="/api/v1/registry", tags=["registry"])
NO_CONTENT, ACCEPTED = 204, 202
DOWNLOAD = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}


def registry_of(request: Request) -> SkillsRegistry:
    """The registry facade of the running application."""
    return request.app.state.registry


Registry = Annotated[SkillsRegistry, Depends(registry_of)]
Reader = Annotated[Caller, Depends(Requires("registry:read"))]
Writer = Annotated[Caller, Depends(Requires("registry:write"))]
Publisher = Annotated[Caller, Depends(Requires("registry:write", publishes=True))]
Installer = Annotated[Caller, Depends(Requires("registry:write", Role.ADMIN))]
MAX_KEY = 200
# What the API's document says of bytes, which no schema describes.
BYTES = {"schema": {"type": "string", "format": "binary"}}
ARCHIVE_SENT = {"requestBody": {"required": True, "content": {"application/zip": BYTES}}}
ARCHIVE_GIVEN: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": BYTES}}}
FILE_GIVEN: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": BYTES}}}
# PostgreSQL's text holds no NUL.
NO_NUL = r"^[^\x00]*$"
Name = Annotated[str, Path(pattern=NO_NUL)]


@router.post("/publishes", status_code=ACCEPTED, openapi_extra=ARCHIVE_SENT)
async def publish(
    request: Request,
    caller: Publisher,
    registry: Registry,
    accounts: Accounts,
    visibility: Visibility = "org",
    install: bool = False,
    idempotency_key: Annotated[str | None, Header(max_length=MAX_KEY)] = None,
) -> PublishReceipt:
    """Publish the archive in the body into the namespace of the caller's organisation."""
    archive = await _read_body(request, registry.max_archive_bytes)
    namespace = await accounts.slug_of(caller.org_id)
    return await registry.publish(
        (caller.org_id, namespace),
        caller.user_id,
        archive,
        build=caller.build,
        visibility=visibility,
        install=install and caller.role.at_least(Role.ADMIN),
        key=idempotency_key,
    )


@router.get("/namespace")
async def namespace_of_caller(caller: Reader, accounts: Accounts) -> Namespace:
    """The namespace that the caller publishes into."""
    return Namespace(namespace=await accounts.slug_of(caller.org_id))


@router.get("/publishes/{publish_id}")
async def publish_status(publish_id: UUID, caller: Reader, registry: Registry) -> PublishReceipt:
    """How far a publish has come."""
    return await registry.publish_status(caller.org_id, publish_id)


@router.get("/search")
async def search(
    caller: Reader,
    registry: Registry,
    query: Annotated[str, Query(min_length=1, max_length=2000, pattern=NO_NUL)],
    limit: Annotated[int, Query(ge=1, le=50)] = 5,
    prefix: bool = False,
    suggestions: Annotated[int | None, Query(ge=0, le=50)] = None,
) -> SearchResult:
    """The skills that fit a question: installed ones, then `suggestions` (a few, when not given).

    With `prefix` the last word is still being typed: `anal` finds analytics, `goog` google-ads.
    """
    return await registry.search(caller.org_id, query, limit, typing=prefix, suggestions=suggestions)


@router.get("/skills")
async def skills(
    caller: Reader,
    registry: Registry,
    cursor: Annotated[str | None, Query(pattern=NO_NUL)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SkillPage:
    """The skills the caller may see, by `namespace/name`."""
    return await registry.list(caller.org_id, cursor=cursor, limit=limit)


@router.get("/skills/{namespace}/{name}")
async def skill(
    namespace: Name, name: Name, caller: Reader, registry: Registry, version: str = "latest"
) -> SkillVersion:
    """The highest version in a range (`latest`, `^1.2`, `1.2.3`)."""
    return await registry.resolve(caller.org_id, f"{namespace}/{name}", version)


@router.get("/skills/{namespace}/{name}/versions")
async def versions(namespace: Name, name: Name, caller: Reader, registry: Registry) -> VersionList:
    """All versions, the newest first."""
    return await registry.versions(caller.org_id, f"{namespace}/{name}")


@router.get("/skills/{namespace}/{name}/versions/{version}/page")
async def page(
    namespace: Name, name: Name, version: str, caller: Reader, registry: Registry, accounts: Accounts
) -> SkillDetail:
    """Everything about a version; the text of its `SKILL.md` as it was published, not interpreted."""
    ref = f"{namespace}/{name}"
    return await registry.page(caller.org_id, ref, version, name_of=accounts.name_of)


@router.get("/skills/{namespace}/{name}/versions/{version}/consent")
async def consent(namespace: Name, name: Name, version: str, caller: Reader, registry: Registry) -> Consent:
    """What to agree to before a version is used: what it asks for beyond what is granted now."""
    return await registry.consent(caller.org_id, f"{namespace}/{name}", version)


@router.get(
    "/skills/{namespace}/{name}/versions/{version}/archive",
    response_class=Response,
    responses=ARCHIVE_GIVEN,
)
async def archive(namespace: Name, name: Name, version: str, caller: Reader, registry: Registry) -> Response:
    """The version's archive, the same bytes every time."""
    content = await registry.archive(caller.org_id, f"{namespace}/{name}", version)
    return Response(content, media_type="application/zip", headers=DOWNLOAD)


@router.get(
    "/skills/{namespace}/{name}/versions/{version}/files/{path:path}",
    response_class=Response,
    responses=FILE_GIVEN,
)
async def file(
    caller: Reader, registry: Registry, namespace: Name, name: Name, version: str, path: str
) -> Response:
    """One file of a version, as a download: a skill's files are never shown as pages of ours."""
    content = await registry.file(caller.org_id, f"{namespace}/{name}", version, path)
    return Response(content, media_type="application/octet-stream", headers=DOWNLOAD)


@router.get("/installations")
async def installations(caller: Reader, registry: Registry) -> list[Installation]:
    """What the organisation has installed."""
    return list(await registry.installations(caller.org_id))


@router.put("/installations/{namespace}/{name}")
async def install(
    namespace: Name, name: Name, wanted: InstallRequest, caller: Installer, registry: Registry
) -> Installation:
    """Install a version, or move the installation to it, with what is granted.

    With the `digest` of the page that was read, nothing else than what was read is installed.
    """
    return await registry.install(
        caller.org_id, caller.user_id, f"{namespace}/{name}", wanted.version, wanted.granted, wanted.digest
    )


@router.delete("/installations/{namespace}/{name}", status_code=NO_CONTENT)
async def uninstall(namespace: Name, name: Name, caller: Installer, registry: Registry) -> None:
    """Remove an installation."""
    await registry.uninstall(caller.org_id, f"{namespace}/{name}")


async def _read_body(request: Request, limit: int) -> bytes:
    """The body, read no further than the limit."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise TooLarge(f"The archive has more than {limit:,} bytes.", hint="Leave out large files.")
    return bytes(content)
