import base64
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers

from application.configuration import Configuration
from interfaces.webhooks.authentication import Authenticate, authenticator
from provider.simulator.settings import WebhookCredential
from provider.simulator.webhooks import authenticated

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
SECRET = "a shared secret"
BODY = b'{"message": {"type": "hang"}}'


def configured(**settings: Any) -> Authenticate:
    configuration = Configuration(webhook_secret=SecretStr(SECRET), **settings)
    made = authenticator(configuration, lambda: NOW)
    assert made is not None
    return made


def signed(
    body: bytes = BODY,
    *,
    at: datetime = NOW,
    secret: str = SECRET,
    algorithm: str = "sha256",
    per_second: int = 1000,
    written: Callable[[bytes], str] = bytes.hex,
) -> Headers:
    moment = str(int(at.timestamp() * per_second))
    digest = hmac.digest(secret.encode(), f"{moment}.".encode() + body, algorithm)
    return Headers({"X-Signature": written(digest), "X-Timestamp": moment})


@pytest.mark.parametrize("secret", [None, SecretStr("")])
def test_without_a_secret_there_is_no_authentication(secret: SecretStr | None) -> None:
    assert authenticator(Configuration(webhook_secret=secret), lambda: NOW) is None


@pytest.mark.parametrize(
    ("settings", "headers", "passes"),
    [
        ({}, {"x-vapi-secret": SECRET}, True),
        ({}, {"X-Vapi-Secret": "another"}, False),
        ({}, {"X-Vapi-Secret": ""}, False),
        ({}, {"X-Vapi-Secret": "schl\u00fcssel"}, False),
        ({}, {"Authorization": f"Bearer {SECRET}"}, False),
        ({}, {}, False),
        ({"webhook_auth_header": "X-Ours"}, {"X-Ours": SECRET}, True),
        ({"webhook_auth_header": "X-Ours"}, {"X-Vapi-Secret": SECRET}, False),
    ],
)
def test_a_shared_secret_must_be_the_same(
    settings: dict[str, Any], headers: dict[str, str], passes: bool
) -> None:
    assert configured(**settings)(Headers(headers), BODY) is passes


@pytest.mark.parametrize(
    ("settings", "headers", "passes"),
    [
        ({}, {"Authorization": f"Bearer {SECRET}"}, True),
        ({}, {"authorization": f"bearer {SECRET}"}, True),
        ({}, {"Authorization": SECRET}, False),
        ({}, {"Authorization": "Bearer another"}, False),
        ({}, {"Authorization": f"Basic {SECRET}"}, False),
        ({}, {}, False),
        ({"webhook_auth_header": "X-Token"}, {"X-Token": SECRET}, True),
        ({"webhook_auth_header": "X-Token"}, {"X-Token": f"Bearer {SECRET}"}, True),
    ],
)
def test_a_bearer_token_must_be_the_same(
    settings: dict[str, Any], headers: dict[str, str], passes: bool
) -> None:
    judge = configured(webhook_auth="bearer", **settings)
    assert judge(Headers(headers), BODY) is passes


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("per_second", [1, 1000])
@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("hex", bytes.hex),
        ("hex", lambda digest: digest.hex().upper()),
        ("base64", lambda digest: base64.b64encode(digest).decode()),
    ],
)
def test_a_true_signature_passes_as_it_is_configured(
    algorithm: str, per_second: int, encoding: str, written: Callable[[bytes], str]
) -> None:
    judge = configured(
        webhook_auth="hmac",
        webhook_auth_algorithm=algorithm,
        webhook_auth_encoding=encoding,
    )
    headers = signed(algorithm=algorithm, per_second=per_second, written=written)
    assert judge(headers, BODY)
    assert not judge(headers, BODY + b" ")


def test_a_signature_may_name_its_algorithm() -> None:
    headers = signed(written=lambda digest: f"sha256={digest.hex()}")
    assert configured(webhook_auth="hmac")(headers, BODY)


@pytest.mark.parametrize(
    ("age", "passes"), [(299, True), (301, False), (-299, True), (-301, False)]
)
def test_a_signature_is_good_for_a_while(age: int, passes: bool) -> None:
    headers = signed(at=NOW - timedelta(seconds=age))
    assert configured(webhook_auth="hmac")(headers, BODY) is passes


@pytest.mark.parametrize(
    "headers",
    [
        signed(secret="another"),
        Headers({}),
        Headers({"x-signature": signed()["x-signature"]}),
        Headers({"x-timestamp": signed()["x-timestamp"]}),
        Headers({"x-signature": "zz", "x-timestamp": signed()["x-timestamp"]}),
        Headers({**signed(), "x-timestamp": "1.795e12"}),
        Headers({**signed(), "x-timestamp": "9" * 500}),
        Headers({**signed(), "x-timestamp": "\u00b9\u00b2"}),
    ],
)
def test_what_is_not_signed_does_not_pass(headers: Headers) -> None:
    assert not configured(webhook_auth="hmac")(headers, BODY)


def test_the_names_of_the_headers_can_be_chosen() -> None:
    judge = configured(
        webhook_auth="hmac",
        webhook_auth_header="X-Mark",
        webhook_auth_timestamp_header="X-When",
    )
    given = signed()
    renamed = {"x-mark": given["x-signature"], "x-when": given["x-timestamp"]}
    assert judge(Headers(renamed), BODY)
    assert not judge(given, BODY)


def test_a_signature_without_a_timestamp_is_over_the_body() -> None:
    judge = configured(webhook_auth="hmac", webhook_auth_timestamp_header="")
    digest = hmac.digest(SECRET.encode(), BODY, "sha256").hex()
    assert judge(Headers({"x-signature": digest}), BODY)


@pytest.mark.parametrize(
    ("settings", "credential"),
    [
        ({"webhook_auth": "bearer"}, WebhookCredential("bearer", SECRET)),
        (
            {"webhook_auth": "hmac", "webhook_auth_encoding": "base64"},
            WebhookCredential(
                "hmac", SECRET, signature_encoding="base64", signature_prefix="sha256="
            ),
        ),
    ],
)
def test_what_the_provider_proves_by_a_credential_passes(
    settings: dict[str, Any], credential: WebhookCredential
) -> None:
    headers = authenticated(
        {"url": "https://dialer.example.com", "credentialId": "c"},
        BODY,
        {"c": credential},
    )
    configuration = Configuration(webhook_secret=SecretStr(SECRET), **settings)
    judge = authenticator(configuration, lambda: datetime.now(UTC))
    assert judge is not None
    assert judge(Headers(headers), BODY)
