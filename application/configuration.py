"""What the environment configures: AUTOLYNX_ and the name of the field."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from domain.settings import SettingsValues


class FirstSettings(BaseSettings):
    """First values of the settings, until an admin changes them."""

    model_config = SettingsConfigDict(
        env_prefix="AUTOLYNX_SETTINGS_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
    )

    default_cap: int = 8
    global_cap: int = 10
    tick_seconds: int = 60
    silence_timeout_seconds: int = 600
    dials_per_second: float = 1.0
    refill_immediately: bool = True
    default_region: str = "US"
    daily_budget: Decimal | None = None
    spend_alert_threshold: Decimal = Decimal("0.8")
    alert_webhook_url: str | None = None
    retention_days: int | None = None

    def values(self) -> SettingsValues:
        first = SettingsValues(**self.model_dump())
        first.check()
        return first


class Configuration(BaseSettings):
    """How this process finds its database, its provider and its callers.

    Read once by a composition root; what is empty counts as not set. Raises
    pydantic's ValidationError, which names each variable that makes no sense, and
    NotADirectoryError where the folder of secrets is missing.
    """

    model_config = SettingsConfigDict(
        env_prefix="AUTOLYNX_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
    )

    database_url: str | None = None
    data_dir: Path = Path(".autolynx")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65_535)
    public_url: str | None = None

    vapi_base_url: str = "https://api.vapi.ai"
    vapi_api_key: SecretStr | None = None
    vapi_timeout_seconds: float = Field(default=20, ge=1)
    vapi_credential_id: str | None = None
    reconcile_seconds: float = Field(default=30, ge=1)
    ghost_grace_seconds: float = Field(default=900, ge=0)
    longest_queued_seconds: float = Field(default=3600, ge=60)

    webhook_secret: SecretStr | None = None
    webhook_auth: Literal["secret", "bearer", "hmac"] = "secret"
    webhook_auth_header: str | None = None
    webhook_auth_timestamp_header: str = "x-timestamp"
    webhook_auth_algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    webhook_auth_encoding: Literal["hex", "base64"] = "hex"
    webhook_auth_tolerance_seconds: float = 300
    webhook_auth_prefix: str = ""
    webhook_auth_message_id_header: str = "webhook-id"
    webhook_auth_payload_format: str | None = None

    admin_email: str | None = None
    development: bool = False
    alert_any_address: bool = False
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_trust_email: bool = False
    """Accept addresses from an issuer that does not send `email_verified`."""

    metrics_port: int | None = Field(default=None, ge=1, le=65_535)
    """Where a scheduler answers Prometheus; the API does so at /metrics."""

    log_level: str = "info"
    log_format: Literal["console", "json"] | None = None

    @field_validator(
        "database_url",
        "vapi_api_key",
        "webhook_secret",
        "oidc_client_secret",
        mode="before",
    )
    @classmethod
    def _said_or_none(cls, value: object) -> object:
        """Take what was pasted without its blanks; an empty file says nothing."""
        said = value.strip() if isinstance(value, str) else value
        return None if said in ("", SecretStr("")) else said

    @field_validator("webhook_auth_payload_format")
    @classmethod
    def _signs_the_body(cls, value: str | None) -> str | None:
        """Refuse a format under which any body would pass."""
        if value is not None and "{body}" not in value:
            raise ValueError("must contain {body}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let files named like the variables, in AUTOLYNX_SECRETS_DIR, stand last."""
        given = (init_settings, env_settings, dotenv_settings)
        folder = os.environ.get("AUTOLYNX_SECRETS_DIR")
        if not folder:
            return (*given, file_secret_settings)
        if not Path(folder).is_dir():
            message = f"AUTOLYNX_SECRETS_DIR: there is no folder {folder}."
            raise NotADirectoryError(message)
        return (*given, SecretsSettingsSource(settings_cls, secrets_dir=folder))

    @property
    def own_url(self) -> str:
        """How browsers and the provider reach the API, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
