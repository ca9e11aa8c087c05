"""Commands on webhook endpoints: secrets go to the vault and are returned once."""

from base64 import b64decode
from uuid import UUID, uuid4

import pytest

from application.webhook_endpoints import WebhookEndpointService
from domain.errors import Invalid, NotFound, WrongState
from domain.webhook_endpoint import MOST_ENDPOINTS
from projections.engine.verify import verify
from tests.wiring import BY, Services

URL = "https://crm.example.com/hook"


def keys(services: Services) -> dict[UUID, bytes]:
    with services.writing.connection() as conn:
        rows = conn.execute("select campaign_id, key from key_vault").fetchall()
    return {id_: bytes(key) for id_, key in rows}


def test_a_secret_is_returned_once_and_stored_in_the_vault_only(
    services: Services,
) -> None:
    endpoint, secret, _ = services.webhook_endpoints.add(URL, [], by=BY)
    assert secret.startswith("whsec_")
    key = b64decode(secret.removeprefix("whsec_"))
    assert len(key) == 32
    assert keys(services)[endpoint.secret.id] == key
    for stored in services.app.recorder.select_events(endpoint.id):
        assert secret.encode() not in stored.state
        assert key.hex().encode() not in stored.state


def test_a_changed_secret_is_named_by_the_verification(services: Services) -> None:
    endpoint, _, _ = services.webhook_endpoints.add(URL, [], by=BY)
    services.settle()
    with services.writing.connection() as conn:
        conn.execute(
            "update key_vault set key = %s where campaign_id = %s",
            (bytes(32), endpoint.secret.id),
        )
    problems: list[str] = []
    verify(
        services.url, now=services.now, on_problem=lambda one: problems.append(str(one))
    )
    assert len(problems) == 1
    assert "webhook_endpoint.added" in problems[0]
    assert "was changed" in problems[0]


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "ftp://crm.example.com", "crm", ""]
)
def test_a_forbidden_url_is_refused_and_nothing_is_stored(
    services: Services, url: str
) -> None:
    with pytest.raises(Invalid) as refused:
        services.webhook_endpoints.add(url, [], by=BY)
    assert set(refused.value.fields) == {"url"}
    endpoint, _, _ = services.webhook_endpoints.add(URL, [], by=BY)
    with pytest.raises(Invalid):
        services.webhook_endpoints.update(endpoint.id, url=url, by=BY)
    assert services.topics(endpoint.id) == ["added"]


def test_an_update_changes_only_what_is_given(services: Services) -> None:
    endpoint, _, _ = services.webhook_endpoints.add(URL, ["call.finished"], by=BY)
    changed, _ = services.webhook_endpoints.update(endpoint.id, enabled=False, by=BY)
    assert (changed.url, changed.types, changed.enabled) == (
        URL,
        ("call.finished",),
        False,
    )
    changed, _ = services.webhook_endpoints.update(endpoint.id, types=[], by=BY)
    assert (changed.types, changed.enabled) == ((), False)
    assert services.topics(endpoint.id) == ["added", "disabled", "changed"]


def test_a_removed_endpoint_cannot_be_changed(services: Services) -> None:
    endpoint, _, _ = services.webhook_endpoints.add(URL, [], by=BY)
    services.webhook_endpoints.remove(endpoint.id, by=BY)
    assert services.webhook_endpoints.remove(endpoint.id, by=BY)[1] is None
    with pytest.raises(NotFound):
        services.webhook_endpoints.update(endpoint.id, enabled=True, by=BY)
    with pytest.raises(NotFound):
        services.webhook_endpoints.rotate_secret(endpoint.id, by=BY)


def test_an_unknown_delivery_cannot_be_sent_again(services: Services) -> None:
    with pytest.raises(NotFound, match="webhook delivery"):
        services.webhook_endpoints.resend(uuid4(), by=BY)


class Full:
    """A lookup of an installation that has all endpoints that it may have."""

    def count_endpoints(self) -> int:
        return MOST_ENDPOINTS

    def endpoint_of_delivery(self, delivery_id: UUID) -> UUID | None:
        return None


def test_the_number_of_endpoints_is_limited(services: Services) -> None:
    service = WebhookEndpointService(
        app=services.app, context=services.context, lookup=Full()
    )
    with pytest.raises(WrongState, match="remove one first"):
        service.add(URL, [], by=BY)
