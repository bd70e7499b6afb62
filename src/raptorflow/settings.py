"""The settings tree: `RAPTORFLOW_*` variables over an optional `raptorflow.toml`."""

import tomllib
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.errors import InvalidInput, PartUnavailable
from raptorflow.core.settings import (
    BlobSettings,
    DatabaseSettings,
    DataSettings,
    EngineSettings,
    TelemetrySettings,
    ValkeySettings,
)
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.registry.settings import RegistrySettings
from raptorflow.sandbox.settings import SandboxSettings

PREFIX = "RAPTORFLOW_"
SEPARATOR = "__"
FILE = "raptorflow.toml"


class SettingMissing(PartUnavailable):
    """A part has no address."""

    code = "setting-missing"
    default_hint = "Start with `raptorflow run`, which brings embedded parts, or set the variable."


class SettingInvalid(InvalidInput):
    """A setting has a value that does not fit; the value is not repeated, because it may be a secret."""

    code = "setting-invalid"
    default_hint = (
        "Correct the variable, or the key in raptorflow.toml; docs/reference/settings.md lists all."
    )


class Settings(BaseSettings):
    """Everything that can be set; `RAPTORFLOW_DATABASE__URL` sets `database.url`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=SEPARATOR,
        toml_file=FILE,
        extra="ignore",
    )

    data: DataSettings = Field(default_factory=DataSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    valkey: ValkeySettings = Field(default_factory=ValkeySettings)
    blobs: BlobSettings = Field(default_factory=BlobSettings)
    engine: EngineSettings = Field(default_factory=EngineSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
    accounts: AccountsSettings = Field(default_factory=AccountsSettings)
    registry: RegistrySettings = Field(default_factory=RegistrySettings)
    sandbox: SandboxSettings = Field(default_factory=SandboxSettings)
    orchestrator: OrchestratorSettings = Field(default_factory=OrchestratorSettings)

    def data_dir(self) -> Path:
        """The folder of everything local.

        Raises:
            SettingMissing: none was given.
        """
        if self.data.dir is None:
            raise SettingMissing("RAPTORFLOW_DATA__DIR is not set.")
        return self.data.dir

    def database_url(self) -> str:
        """What the program connects with.

        Raises:
            SettingMissing: none was given.
        """
        return _url(self.database.url, "RAPTORFLOW_DATABASE__URL")

    def valkey_url(self) -> str:
        """Where Valkey answers.

        Raises:
            SettingMissing: none was given.
        """
        return _url(self.valkey.url, "RAPTORFLOW_VALKEY__URL")

    def blobs_url(self) -> str:
        """Where files live; a folder below the data folder by default."""
        return self.blobs.url or str(self.data_dir() / "blobs")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then `raptorflow.toml`."""
        del dotenv_settings, file_secret_settings
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


def load_settings() -> Settings:
    """The settings of the environment and of `raptorflow.toml` in the current folder.

    Raises:
        SettingInvalid: a value does not fit, or the file is not TOML.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = [
            f"{PREFIX}{SEPARATOR.join(map(str, fault['loc'])).upper()}: {fault['msg']}."
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise SettingInvalid(" ".join(faults)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        hint = "See https://toml.io, or remove the file."
        raise SettingInvalid(f"{Path(FILE).absolute()} is not TOML: {error}.", hint=hint) from None
    except SettingsError as error:
        raise SettingInvalid(f"A setting cannot be read: {error}.") from None


def _url(value: SecretStr | None, variable: str) -> str:
    if value is None:
        raise SettingMissing(f"{variable} is not set.")
    return value.get_secret_value()
