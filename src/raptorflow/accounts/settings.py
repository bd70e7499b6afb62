"""The accounts' branch of the settings."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr


class AccountsSettings(BaseModel):
    """Sign-in and tokens."""

    secret: SecretStr | None = None
    """Encrypts signing keys and models' keys at rest; `raptorflow run` makes one in the data folder."""
    public_url: str | None = None
    """How browsers reach the server; the issuer of its tokens."""
    access_seconds: int = Field(default=600, ge=60, le=3600)
    refresh_seconds: int = Field(default=30 * 86_400, ge=3600)
    link_seconds: int = Field(default=15 * 60, ge=60, le=86_400)
    invitation_seconds: int = Field(default=7 * 86_400, ge=60, le=30 * 86_400)
    refresh_grace_seconds: int = Field(default=20, ge=0, le=120)
    """How long a refresh token is taken again when its answer may have been lost."""
    key_days: int = Field(default=90, ge=1)
    """The age at which a signing key makes room for a new one."""
    ci_issuers: dict[str, Literal["github", "gitlab"]] = {
        "https://token.actions.githubusercontent.com": "github",
        "https://gitlab.com": "gitlab",
    }
    """CI providers whose builds may be trusted to publish, as JSON: an issuer's URL, its kind of claims."""
    ci_local_issuers: bool = False
    """Whether issuers may be in the server's own network, and without TLS."""
    sign_in_attempts: int = Field(default=10, ge=1)
    """Sign-ins that may fail for one account within `sign_in_window_seconds`."""
    sign_in_attempts_per_address: int = Field(default=60, ge=1)
    """The same for one network address (an IPv6 network), behind which many people may be."""
    sign_in_window_seconds: int = Field(default=300, ge=10)
