"""The accounts' branch of the settings."""

from pydantic import BaseModel, Field, SecretStr


class AccountsSettings(BaseModel):
    """Sign-in and tokens."""

    secret: SecretStr | None = None
    """Encrypts signing keys at rest; `raptorflow run` generates one into the data folder."""
    public_url: str | None = None
    """How browsers reach the server; the issuer of its tokens."""
    access_seconds: int = Field(default=600, ge=60, le=3600)
    refresh_seconds: int = Field(default=30 * 86_400, ge=3600)
    link_seconds: int = Field(default=15 * 60, ge=60, le=86_400)
    refresh_grace_seconds: int = Field(default=20, ge=0, le=120)
    """How long the refresh token before the newest is still taken: an answer may have been lost."""
    sign_in_attempts: int = Field(default=10, ge=1)
    """Failed sign-ins allowed for an address within `sign_in_window_seconds`."""
    sign_in_window_seconds: int = Field(default=300, ge=10)
