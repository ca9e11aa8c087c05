"""Configuration from the environment; variables are AUTOLYNX_ and the field's name."""

import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    PositiveFloat,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from application.calling_rules.loader import SHIPPED
from domain.gate.caps import caps_text, read_caps
from domain.gate.rules import FrequencyCap
from domain.settings import (
    ENVIRONMENT,
    FIRST_CAPS,
    FIRST_MODE,
    RulesMode,
    SettingsValues,
)

FIRST_PREFIX = "AUTOLYNX_SETTINGS_"


class _FirstCaps(BaseSettings):
    """The frequency caps as text, where an empty variable means that there are none."""

    model_config = SettingsConfigDict(
        env_prefix=FIRST_PREFIX, env_file=".env", extra="ignore"
    )

    frequency_caps: str = caps_text(FIRST_CAPS)


def _first_caps() -> tuple[FrequencyCap, ...]:
    """Return the caps of a variable that is empty or missing."""
    return read_caps(_FirstCaps().frequency_caps)


@dataclass(frozen=True, slots=True)
class Ineffective:
    """A variable with a first value that differs from the stored setting.

    The setting's name is a field of SettingsValues; the values are as in variables.
    """

    variable: str
    configured: str
    setting: str
    stored: str


class FirstSettings(BaseSettings):
    """First values of the settings, until an admin changes them.

    Variables are AUTOLYNX_SETTINGS_ and the field's name.
    """

    model_config = SettingsConfigDict(
        env_prefix=FIRST_PREFIX,
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
    calling_rules: RulesMode = FIRST_MODE
    frequency_caps: Annotated[tuple[FrequencyCap, ...], NoDecode] = Field(
        default_factory=_first_caps
    )

    @field_validator("frequency_caps", mode="before")
    @classmethod
    def _read_caps(cls, value: object) -> object:
        return read_caps(value) if isinstance(value, str) else value

    def values(self) -> SettingsValues:
        """Return the values. Raises Invalid if one is out of bounds."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        first = SettingsValues(**own)
        first = first.with_rules(self.calling_rules, reason=None, by=ENVIRONMENT)
        first.check()
        return first

    def ineffective(self, stored: SettingsValues | None) -> list[Ineffective]:
        """Return the variables that are set but differ from the stored settings.

        The stored settings apply; while there are none, each variable has effect.
        Settings stored by a release that did not know one of them have its shipped
        first value.
        """
        if stored is None:
            return []
        given = self.model_fields_set | _FirstCaps().model_fields_set
        return [
            Ineffective(
                variable=f"{FIRST_PREFIX}{name.upper()}",
                configured=_as_variable(getattr(self, name)),
                setting=name,
                stored=_as_variable(getattr(stored, name)),
            )
            for name in type(self).model_fields
            if name in given and getattr(self, name) != getattr(stored, name)
        ]


def _as_variable(value: Any) -> str:
    match value:
        case None:
            return ""
        case tuple():
            return caps_text(value)
        case bool():
            return str(value).lower()
    return str(value)


class Configuration(BaseSettings):
    """Configuration of a process, read once by its composition root.

    Empty variables count as not set. Raises pydantic's ValidationError, which names
    each invalid variable, and NotADirectoryError if the folder of secrets is missing.
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
    alert_mail_to: Annotated[tuple[str, ...], NoDecode] = ()
    """Recipients of alerts by e-mail, separated by commas."""
    alert_mail_from: str | None = None
    smtp_host: str | None = None
    smtp_port: int | None = Field(default=None, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    delivery_retry_seconds: tuple[PositiveFloat, ...] | None = None
    """Seconds before each repetition of a webhook; the last one applies to the rest."""
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_trust_email: bool = False
    """Accept addresses from an issuer that does not send `email_verified`."""

    rules_dir: Path | None = None
    """Folder of calling rules of one's own, which can only tighten those shipped."""

    metrics_port: int | None = Field(default=None, ge=1, le=65_535)
    """Port of a scheduler's metrics for Prometheus; the API has them at /metrics."""

    rebuild_workers: int | None = Field(default=None, ge=1)
    """Processes that prepare a rebuild or a verification; by default one per core."""

    log_level: str = "info"
    log_format: Literal["console", "json"] | None = None

    @field_validator(
        "database_url",
        "vapi_api_key",
        "webhook_secret",
        "oidc_client_secret",
        "smtp_password",
        mode="before",
    )
    @classmethod
    def _trimmed_or_none(cls, value: object) -> object:
        """Remove surrounding blanks, as pasted; an empty secret file is not set."""
        trimmed = value.strip() if isinstance(value, str) else value
        return None if trimmed in ("", SecretStr("")) else trimmed

    @field_validator("alert_mail_to", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Split a list of addresses at its commas."""
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @model_validator(mode="after")
    def _mail_is_complete(self) -> Self:
        """Refuse recipients without a server or a sender."""
        if self.alert_mail_to and not (self.smtp_host and self.alert_mail_from):
            raise ValueError(
                "AUTOLYNX_ALERT_MAIL_TO needs AUTOLYNX_SMTP_HOST and"
                " AUTOLYNX_ALERT_MAIL_FROM"
            )
        return self

    @property
    def rule_folders(self) -> tuple[Path, ...]:
        """Return the folders of the calling rules: those shipped, then one's own."""
        return (SHIPPED, self.rules_dir) if self.rules_dir else (SHIPPED,)

    @field_validator("webhook_auth_payload_format")
    @classmethod
    def _signs_the_body(cls, value: str | None) -> str | None:
        """Refuse a format without the body, whose signature would fit any body."""
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
        """Read files in AUTOLYNX_SECRETS_DIR, named like the variables, as last source.

        Raises NotADirectoryError if that folder does not exist.
        """
        given = (init_settings, env_settings, dotenv_settings)
        folder = os.environ.get("AUTOLYNX_SECRETS_DIR")
        if not folder:
            return (*given, file_secret_settings)
        if not Path(folder).is_dir():
            message = f"AUTOLYNX_SECRETS_DIR: {folder} is not a folder."
            raise NotADirectoryError(message)
        return (*given, SecretsSettingsSource(settings_cls, secrets_dir=folder))

    @property
    def own_url(self) -> str:
        """URL of the API for browsers and the provider, without a final slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
