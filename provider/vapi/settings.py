"""Settings of the API client, and the webhook that calls name as their server."""

from dataclasses import dataclass, field
from typing import Any, Literal

from application.configuration import Configuration

SERVER_TIMEOUT_SECONDS = 20
"""How long the provider waits for our answer to a webhook."""

BACKOFF = {"type": "exponential", "maxRetries": 10, "baseDelaySeconds": 1}
"""How the provider repeats a webhook that was not accepted."""


@dataclass(frozen=True, slots=True)
class VapiSettings:
    """Address and key of the API, and the webhook that calls name as their server.

    `timeout_seconds` limits one request. Without `webhook_url`, or without a secret or
    credential, calls name no server, and the assistant's own server applies.
    """

    base_url: str = "https://api.vapi.ai"
    api_key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 20
    webhook_url: str | None = None
    webhook_auth: Literal["secret", "bearer", "hmac"] = "secret"
    webhook_header: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    credential_id: str | None = None


def vapi_settings(configuration: Configuration) -> VapiSettings:
    """Return the settings from the environment's configuration."""
    key, secret = configuration.vapi_api_key, configuration.webhook_secret
    return VapiSettings(
        base_url=configuration.vapi_base_url,
        api_key=key.get_secret_value() if key else None,
        timeout_seconds=configuration.vapi_timeout_seconds,
        webhook_url=f"{configuration.own_url}/webhooks/vapi",
        webhook_auth=configuration.webhook_auth,
        webhook_header=configuration.webhook_auth_header,
        webhook_secret=secret.get_secret_value() if secret else None,
        credential_id=configuration.vapi_credential_id,
    )


def server_of(settings: VapiSettings) -> dict[str, Any]:
    """Return the part of a call request that names our webhook; {} for none."""
    proof = _proof(settings)
    if settings.webhook_url is None or not proof:
        return {}
    server = {
        "url": settings.webhook_url,
        "timeoutSeconds": SERVER_TIMEOUT_SECONDS,
        "backoffPlan": BACKOFF,
    }
    return {"server": server | proof}


def _proof(settings: VapiSettings) -> dict[str, Any]:
    """Return the part of `server` by which webhooks are authenticated; {} for none."""
    if settings.webhook_auth != "secret" and settings.credential_id:
        return {"credentialId": settings.credential_id}
    secret = settings.webhook_secret
    if secret is None or settings.webhook_auth == "hmac":
        return {}
    if settings.webhook_auth == "bearer":
        return {
            "headers": {settings.webhook_header or "Authorization": f"Bearer {secret}"}
        }
    return {"headers": {settings.webhook_header or "X-Vapi-Secret": secret}}
