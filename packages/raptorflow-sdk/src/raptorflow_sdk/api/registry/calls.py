"""The calls of the registry API. Written by `make api` from the API's document."""

from types import NoneType
from typing import Literal
from uuid import UUID

from raptorflow_sdk.api.registry import models
from raptorflow_sdk.transport import AsyncTransport, Request, Transport


class Registry:
    """The registry API."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def installations(self) -> list[models.Installation]:
        """What the organisation has installed."""
        request = Request("GET", "/api/v1/registry/installations")
        return self._transport.call(request, list[models.Installation])

    def uninstall(self, namespace: str, name: str) -> None:
        """Remove an installation."""
        request = Request(
            "DELETE",
            "/api/v1/registry/installations/{namespace}/{name}",
            path={"namespace": namespace, "name": name},
        )
        return self._transport.call(request, NoneType)

    def install(self, namespace: str, name: str, body: models.InstallRequest) -> models.Installation:
        """Install a version, or move the installation to it, with what is granted.

        With the `digest` of the page that was read, nothing else than what was read is installed.
        """
        request = Request(
            "PUT",
            "/api/v1/registry/installations/{namespace}/{name}",
            path={"namespace": namespace, "name": name},
            body=body,
        )
        return self._transport.call(request, models.Installation)

    def namespace_of_caller(self) -> models.Namespace:
        """The namespace that the caller publishes into."""
        request = Request("GET", "/api/v1/registry/namespace")
        return self._transport.call(request, models.Namespace)

    def publish(
        self,
        body: bytes,
        *,
        visibility: Literal["public", "org"] = "org",
        install: bool = False,
        idempotency_key: str | None = None,
    ) -> models.PublishReceipt:
        """Publish the archive in the body into the namespace of the caller's organisation."""
        request = Request(
            "POST",
            "/api/v1/registry/publishes",
            query={"visibility": visibility, "install": install},
            header={"idempotency-key": idempotency_key},
            body=body,
        )
        return self._transport.call(request, models.PublishReceipt)

    def publish_status(self, publish_id: UUID) -> models.PublishReceipt:
        """How far a publish has come."""
        request = Request("GET", "/api/v1/registry/publishes/{publish_id}", path={"publish_id": publish_id})
        return self._transport.call(request, models.PublishReceipt)

    def search(
        self, query: str, *, limit: int = 5, prefix: bool = False, suggestions: int | None = None
    ) -> models.SearchResult:
        """The skills that fit a question: installed ones, then `suggestions` (a few, when not given).

        With `prefix` the last word is still being typed: `anal` finds analytics, `goog` google-ads.
        """
        request = Request(
            "GET",
            "/api/v1/registry/search",
            query={"query": query, "limit": limit, "prefix": prefix, "suggestions": suggestions},
        )
        return self._transport.call(request, models.SearchResult)

    def skills(self, *, cursor: str | None = None, limit: int = 50) -> models.SkillPage:
        """The skills the caller may see, by `namespace/name`."""
        request = Request("GET", "/api/v1/registry/skills", query={"cursor": cursor, "limit": limit})
        return self._transport.call(request, models.SkillPage)

    def skill(self, namespace: str, name: str, *, version: str = "latest") -> models.SkillVersion:
        """The highest version in a range (`latest`, `^1.2`, `1.2.3`)."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}",
            path={"namespace": namespace, "name": name},
            query={"version": version},
        )
        return self._transport.call(request, models.SkillVersion)

    def versions(self, namespace: str, name: str) -> models.VersionList:
        """All versions, the newest first."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}/versions",
            path={"namespace": namespace, "name": name},
        )
        return self._transport.call(request, models.VersionList)

    def archive(self, namespace: str, name: str, version: str) -> bytes:
        """The version's archive, the same bytes every time."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}/versions/{version}/archive",
            path={"namespace": namespace, "name": name, "version": version},
        )
        return self._transport.call(request, bytes)

    def consent(self, namespace: str, name: str, version: str) -> models.Consent:
        """What to agree to before a version is used: what it asks for beyond what is granted now."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}/versions/{version}/consent",
            path={"namespace": namespace, "name": name, "version": version},
        )
        return self._transport.call(request, models.Consent)

    def file(self, namespace: str, name: str, version: str, path: str) -> bytes:
        """One file of a version, as a download: a skill's files are never shown as pages of ours."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}/versions/{version}/files/{path}",
            path={"namespace": namespace, "name": name, "version": version, "path": path},
        )
        return self._transport.call(request, bytes)

    def page(self, namespace: str, name: str, version: str) -> models.SkillDetail:
        """Everything about a version; the text of its `SKILL.md` as it was published, not interpreted."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}/versions/{version}/page",
            path={"namespace": namespace, "name": name, "version": version},
        )
        return self._transport.call(request, models.SkillDetail)


class AsyncRegistry:
    """The registry API, not blocking."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def installations(self) -> list[models.Installation]:
        """What the organisation has installed."""
        request = Request("GET", "/api/v1/registry/installations")
        return await self._transport.call(request, list[models.Installation])

    async def uninstall(self, namespace: str, name: str) -> None:
        """Remove an installation."""
        request = Request(
            "DELETE",
            "/api/v1/registry/installations/{namespace}/{name}",
            path={"namespace": namespace, "name": name},
        )
        return await self._transport.call(request, NoneType)

    async def install(self, namespace: str, name: str, body: models.InstallRequest) -> models.Installation:
        """Install a version, or move the installation to it, with what is granted.

        With the `digest` of the page that was read, nothing else than what was read is installed.
        """
        request = Request(
            "PUT",
            "/api/v1/registry/installations/{namespace}/{name}",
            path={"namespace": namespace, "name": name},
            body=body,
        )
        return await self._transport.call(request, models.Installation)

    async def namespace_of_caller(self) -> models.Namespace:
        """The namespace that the caller publishes into."""
        request = Request("GET", "/api/v1/registry/namespace")
        return await self._transport.call(request, models.Namespace)

    async def publish(
        self,
        body: bytes,
        *,
        visibility: Literal["public", "org"] = "org",
        install: bool = False,
        idempotency_key: str | None = None,
    ) -> models.PublishReceipt:
        """Publish the archive in the body into the namespace of the caller's organisation."""
        request = Request(
            "POST",
            "/api/v1/registry/publishes",
            query={"visibility": visibility, "install": install},
            header={"idempotency-key": idempotency_key},
            body=body,
        )
        return await self._transport.call(request, models.PublishReceipt)

    async def publish_status(self, publish_id: UUID) -> models.PublishReceipt:
        """How far a publish has come."""
        request = Request("GET", "/api/v1/registry/publishes/{publish_id}", path={"publish_id": publish_id})
        return await self._transport.call(request, models.PublishReceipt)

    async def search(
        self, query: str, *, limit: int = 5, prefix: bool = False, suggestions: int | None = None
    ) -> models.SearchResult:
        """The skills that fit a question: installed ones, then `suggestions` (a few, when not given).

        With `prefix` the last word is still being typed: `anal` finds analytics, `goog` google-ads.
        """
        request = Request(
            "GET",
            "/api/v1/registry/search",
            query={"query": query, "limit": limit, "prefix": prefix, "suggestions": suggestions},
        )
        return await self._transport.call(request, models.SearchResult)

    async def skills(self, *, cursor: str | None = None, limit: int = 50) -> models.SkillPage:
        """The skills the caller may see, by `namespace/name`."""
        request = Request("GET", "/api/v1/registry/skills", query={"cursor": cursor, "limit": limit})
        return await self._transport.call(request, models.SkillPage)

    async def skill(self, namespace: str, name: str, *, version: str = "latest") -> models.SkillVersion:
        """The highest version in a range (`latest`, `^1.2`, `1.2.3`)."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}",
            path={"namespace": namespace, "name": name},
            query={"version": version},
        )
        return await self._transport.call(request, models.SkillVersion)

    async def versions(self, namespace: str, name: str) -> models.VersionList:
        """All versions, the newest first."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}/versions",
            path={"namespace": namespace, "name": name},
        )
        return await self._transport.call(request, models.VersionList)

    async def archive(self, namespace: str, name: str, version: str) -> bytes:
        """The version's archive, the same bytes every time."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}/versions/{version}/archive",
            path={"namespace": namespace, "name": name, "version": version},
        )
        return await self._transport.call(request, bytes)

    async def consent(self, namespace: str, name: str, version: str) -> models.Consent:
        """What to agree to before a version is used: what it asks for beyond what is granted now."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}/versions/{version}/consent",
            path={"namespace": namespace, "name": name, "version": version},
        )
        return await self._transport.call(request, models.Consent)

    async def file(self, namespace: str, name: str, version: str, path: str) -> bytes:
        """One file of a version, as a download: a skill's files are never shown as pages of ours."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}/versions/{version}/files/{path}",
            path={"namespace": namespace, "name": name, "version": version, "path": path},
        )
        return await self._transport.call(request, bytes)

    async def page(self, namespace: str, name: str, version: str) -> models.SkillDetail:
        """Everything about a version; the text of its `SKILL.md` as it was published, not interpreted."""
        request = Request(
            "GET",
            "/api/v1/registry/skills/{namespace}/{name}/versions/{version}/page",
            path={"namespace": namespace, "name": name, "version": version},
        )
        return await self._transport.call(request, models.SkillDetail)
