import base64
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
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
def test_a_valid_signature_of_the_configured_form_is_accepted(
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
def test_a_signature_expires_after_the_tolerance(age: int, passes: bool) -> None:
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
def test_an_unsigned_message_is_refused(headers: Headers) -> None:
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


def test_a_signature_without_a_timestamp_covers_the_body() -> None:
    judge = configured(webhook_auth="hmac", webhook_auth_timestamp_header="")
    digest = hmac.digest(SECRET.encode(), BODY, "sha256").hex()
    assert judge(Headers({"x-signature": digest}), BODY)


KEY = bytes(range(32))
KEY_AS_TEXT = base64.b64encode(KEY).decode()


def in_base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def standard(
    key: bytes = KEY,
    *,
    before: str = "v1,",
    names: str = "webhook",
    at: datetime = NOW,
    body: bytes = BODY,
) -> Headers:
    """Sign as the Standard Webhooks specification describes; written from its text."""
    moment = str(int(at.timestamp()))
    content = b"msg_1." + moment.encode() + b"." + body
    digest = hmac.new(key, content, "sha256").digest()
    return Headers(
        {
            f"{names}-id": "msg_1",
            f"{names}-timestamp": moment,
            f"{names}-signature": before + in_base64(digest),
        }
    )


def judged(secret: str, **settings: Any) -> Authenticate:
    configuration = Configuration(
        webhook_secret=SecretStr(secret), webhook_auth="hmac", **settings
    )
    made = authenticator(configuration, lambda: NOW)
    assert made is not None
    return made


@pytest.mark.parametrize("names", ["webhook", "svix"])
@pytest.mark.parametrize("secret", [f"whsec_{KEY_AS_TEXT}", KEY_AS_TEXT])
def test_a_standard_webhook_is_accepted(secret: str, names: str) -> None:
    judge = judged(secret)
    assert judge(standard(names=names), BODY)
    assert not judge(standard(names=names), BODY + b" ")
    assert not judge(standard(b"another", names=names), BODY)
    assert not judge(standard(names=names, at=NOW - timedelta(minutes=6)), BODY)


def test_the_id_of_a_standard_webhook_is_signed() -> None:
    changed = Headers({**standard(), "webhook-id": "msg_2"})
    assert not judged(KEY_AS_TEXT)(changed, BODY)


def test_the_published_example_of_a_standard_webhook_is_accepted() -> None:
    """The test vector of https://docs.svix.com/receiving/verifying-payloads/how-manual."""
    at = datetime.fromtimestamp(1614265330, UTC)
    secret = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    configuration = Configuration(webhook_secret=secret, webhook_auth="hmac")
    judge = authenticator(configuration, lambda: at)
    assert judge is not None
    headers = {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert judge(Headers(headers), b'{"test": 2432232314}')


@pytest.mark.parametrize(
    "before", ["v1,AAAA v1,", "v1a,b3RoZXI= v1,", "v1=AAAA,v1=", "v1=", "sha256=", ""]
)
def test_one_of_several_signatures_is_enough(before: str) -> None:
    assert judged(KEY_AS_TEXT)(standard(before=before), BODY)


def test_only_the_first_signatures_of_a_long_header_are_checked() -> None:
    assert not judged(KEY_AS_TEXT)(standard(before="v1,AAAA " * 1000 + "v1,"), BODY)


@pytest.mark.parametrize("before", ["v1=", "sha256=", "v0=", "v1,", "v1=00,v1="])
def test_a_hex_signature_may_name_its_version(before: str) -> None:
    headers = signed(written=lambda digest: before + digest.hex())
    assert configured(webhook_auth="hmac")(headers, BODY)


def test_a_prefix_of_any_form_can_be_configured() -> None:
    headers = signed(written=lambda digest: f"HMAC:{digest.hex()}")
    assert not configured(webhook_auth="hmac")(headers, BODY)
    judge = configured(webhook_auth="hmac", webhook_auth_prefix="HMAC:")
    assert judge(headers, BODY)


def test_a_base64_secret_is_accepted_as_text_and_decoded() -> None:
    moment = str(int(NOW.timestamp()))
    for key in (KEY, KEY_AS_TEXT.encode()):
        digest = hmac.digest(key, f"{moment}.".encode() + BODY, "sha256")
        headers = Headers({"x-signature": digest.hex(), "x-timestamp": moment})
        assert judged(KEY_AS_TEXT)(headers, BODY)


@pytest.mark.parametrize(
    ("moment", "passes"),
    [
        ("2026-11-22T12:00:00Z", True),
        ("2026-11-22T12:00:00.123Z", True),
        ("2026-11-22T13:04:00+01:00", True),
        ("2026-11-22T11:54:00Z", False),
        ("2026-11-22T12:00:00", False),
        ("today", False),
    ],
)
def test_a_timestamp_may_be_iso_8601_with_an_offset(moment: str, passes: bool) -> None:
    digest = hmac.digest(SECRET.encode(), f"{moment}.".encode() + BODY, "sha256")
    headers = Headers({"x-signature": digest.hex(), "x-timestamp": moment})
    assert configured(webhook_auth="hmac")(headers, BODY) is passes


def test_the_signed_content_can_be_configured() -> None:
    judge = configured(
        webhook_auth="hmac",
        webhook_auth_payload_format="{method} {url} {svix-id} {timestamp} {body}",
        webhook_auth_message_id_header="x-id",
        public_url="https://dialer.example.com",
    )
    moment = str(int(NOW.timestamp()))
    content = f"POST https://dialer.example.com/webhooks/vapi 7 {moment} ".encode()
    digest = hmac.digest(SECRET.encode(), content + BODY, "sha256").hex()
    headers = {"x-signature": digest, "x-timestamp": moment, "x-id": "7"}
    assert judge(Headers(headers), BODY)
    assert not judge(Headers(headers | {"x-id": "8"}), BODY)


def test_a_placeholder_in_a_header_is_not_expanded() -> None:
    """Otherwise the sender of one message could move parts of it into a header."""
    digest = hmac.digest(KEY, b"{body}." + b"1." + BODY, "sha256")
    headers = {"webhook-id": "{body}", "webhook-timestamp": "1"}
    signature = {"webhook-signature": in_base64(digest)}
    configuration = Configuration(
        webhook_secret=SecretStr(KEY_AS_TEXT), webhook_auth="hmac"
    )
    judge = authenticator(configuration, lambda: datetime.fromtimestamp(1, UTC))
    assert judge is not None
    assert judge(Headers(headers | signature), BODY)


def test_a_format_without_the_body_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"must contain \{body\}"):
        Configuration(webhook_auth_payload_format="{timestamp}")


@pytest.mark.parametrize(
    ("settings", "headers", "admitted"),
    [
        ({}, {"X-Vapi-Secret": SECRET}, True),
        ({}, {"X-Vapi-Secret": "another"}, False),
        ({"webhook_auth": "bearer"}, {"Authorization": f"Bearer {SECRET}"}, True),
        ({"webhook_auth": "bearer"}, {"Authorization": "Bearer another"}, False),
        ({"webhook_auth": "hmac"}, signed(), True),
        ({"webhook_auth": "hmac"}, standard(), True),
        ({"webhook_auth": "hmac"}, signed(at=NOW - timedelta(hours=1)), False),
        ({"webhook_auth": "hmac"}, {}, False),
        ({"webhook_auth": "hmac"}, {**signed(), "x-signature": "none"}, False),
    ],
)
def test_the_body_is_read_only_if_the_headers_suffice(
    settings: dict[str, Any], headers: dict[str, str], admitted: bool
) -> None:
    assert configured(**settings).admits(Headers(headers)) is admitted


VAPI_FORMS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"webhook_auth_algorithm": algorithm, "webhook_auth_encoding": encoding},
        {"algorithm": algorithm, "signature_encoding": encoding, **credential},
    )
    for algorithm in ("sha1", "sha256", "sha512")
    for encoding in ("hex", "base64")
    for credential in (
        {},
        {"timestamp_unit": "s"},
        {"signature_prefix": "v1="},
        {"signature_prefix": f"{algorithm}="},
    )
]


@pytest.mark.parametrize(("settings", "credential"), VAPI_FORMS)
def test_each_form_that_the_provider_offers_is_accepted(
    settings: dict[str, Any], credential: dict[str, Any]
) -> None:
    headers = authenticated(
        {"url": "https://dialer.example.com", "credentialId": "c"},
        BODY,
        {"c": WebhookCredential("hmac", SECRET, **credential)},
    )
    configuration = Configuration(
        webhook_secret=SecretStr(SECRET), webhook_auth="hmac", **settings
    )
    judge = authenticator(configuration, lambda: datetime.now(UTC))
    assert judge is not None
    assert judge(Headers(headers), BODY)


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
def test_a_message_signed_with_the_provider_s_credential_is_accepted(
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
