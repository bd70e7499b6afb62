"""A CI provider on loopback: it publishes real keys over HTTP and signs tokens with them."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from tests.serving import served

from raptorflow.accounts.identity import Provenance
from raptorflow.base.json import JsonObject

AUDIENCE = "https://skills.example"
BUILT = Provenance(
    issuer="https://ci.example",
    repository="octo/skills",
    workflow="publish.yml",
    environment=None,
    ref="refs/tags/v1.0.0",
    commit="a" * 40,
    run_url="https://ci.example/octo/skills/actions/runs/7/attempts/1",
)


@dataclass
class CiIssuer:
    """Signs as GitHub Actions does; what its documents say can be changed by a test."""

    url: str
    keys: list[RSAKey | ECKey] = field(default_factory=list[RSAKey | ECKey])
    documents: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: list[str] = field(default_factory=list[str])

    def rotate(self, kind: str = "RSA") -> None:
        """Another key, and only that one."""
        named = uuid4().hex
        if kind == "RSA":
            self.keys[:] = [RSAKey.generate_key(2048, {"kid": named})]
        else:
            self.keys[:] = [ECKey.generate_key("P-256", {"kid": named})]

    def claims(self, **other: Any) -> JsonObject:
        now = int(time.time())
        repository = other.get("repository", "octo/skills")
        plain: JsonObject = {
            "iss": self.url,
            "aud": AUDIENCE,
            "jti": uuid4().hex,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "repository": repository,
            "repository_owner_id": "4242",
            "workflow_ref": f"{repository}/.github/workflows/publish.yml@refs/heads/main",
            "event_name": "push",
            "ref": "refs/heads/main",
            "sha": "a" * 40,
            "run_id": "77",
            "run_attempt": "1",
        }
        return {name: value for name, value in (plain | other).items() if value is not None}

    def token(self, **other: Any) -> str:
        key = self.keys[-1]
        algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
        header = {"alg": algorithm, "kid": key.kid, "typ": "JWT"}
        return jwt.encode(header, self.claims(**other), key, algorithms=[algorithm])

    def answer(self, path: str) -> Response:
        self.asked.append(path)
        if path in self.documents:
            told = self.documents[path]
            return told if isinstance(told, Response) else JSONResponse(told)
        if path == ".well-known/openid-configuration":
            return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"})
        return JSONResponse({"keys": [key.as_dict(private=False, use="sig") for key in self.keys]})


@asynccontextmanager
async def ci_issuer() -> AsyncGenerator[CiIssuer]:
    """One that runs."""
    app = FastAPI()
    issuer = CiIssuer("")

    @app.get("/{path:path}")
    async def answer(path: str) -> Response:
        return issuer.answer(path)

    async with served(app) as issuer.url:
        issuer.rotate()
        yield issuer
