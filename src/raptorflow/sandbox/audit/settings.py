"""The audit log's branch of the sandbox settings."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr

MIB = 1024 * 1024


class AuditSettings(BaseModel):
    """What is written down about sandboxes, outside of them."""

    dir: Path | None = None
    """Where; `audit` in the data folder when not given."""
    key: SecretStr | None = Field(default=None, min_length=16)
    """Seals each record, so that nobody without it can write the log anew; kept away from this machine's
    backups of the log."""
    max_file_bytes: int = Field(default=16 * MIB, ge=4096)
    """A file that is larger is followed by the next one."""
    queue: int = Field(default=1024, ge=1)
    """Records that wait to be written at most; whoever brings one more waits."""
    egress_in_full: int = Field(default=100, ge=1)
    """Allowed, and denied, connections of a sandbox that are written one by one; the rest is counted."""
    retry_seconds: float = Field(default=1.0, gt=0)
    """The pause after the log could not be written."""
    close_seconds: float = Field(default=5.0, ge=0)
    """What is left to write gets this long when the program ends."""

    def folder(self, data_dir: Path) -> Path:
        """Where it is written."""
        return self.dir or data_dir / "audit"

    def key_bytes(self) -> bytes | None:
        """The key as it seals; None without one."""
        return self.key.get_secret_value().encode() if self.key else None
