"""Commands on webhook endpoints: secrets go to the vault and are returned once."""

from base64 import b64decode
from uuid import UUID, uuid4

import pytest

from application.webhook_endpoints import WebhookEndpointService
from domain.errors import Invalid, NotFound, WrongState
from domain.webhook_endpoint import MOST_ENDPOINTS
from projections.engine.verify import verify
from tests.wiring import BY, House

URL = "https://crm.example.com/hook"


def keys(house: House) -> dict[UUID, bytes]:
    with house.writing.connection() as conn:
        rows = conn.execute("select campaign_id, key from key_vault").fetchall()
    return {id_: bytes(key) for id_, key in rows}


def test_a_secret_is_returned_once_and_stored_in_the_vault_only(house: House) -> None:
    endpoint, secret, _ = house.webhook_endpoints.add(URL, [], by=BY)
    assert secret.startswith("whsec_")
    key = b64decode(secret.removeprefix("whsec_"))
    assert len(key) == 32
    assert keys(house)[endpoint.secret.id] == key
    for stored in house.app.recorder.select_events(endpoint.id):
        assert secret.encode() not in stored.state
        assert key.hex().encode() not in stored.state


def test_a_changed_secret_is_named_by_the_verification(house: House) -> None:
    endpoint, _, _ = house.webhook_endpoints.add(URL, [], by=BY)
    house.settle()
    with house.writing.connection() as conn:
        conn.execute(
            "update key_vault set key = %s where campaign_id = %s",
            (bytes(32), endpoint.secret.id),
        )
    problems: list[str] = []
    verify(house.url, now=house.now, on_problem=lambda one: problems.append(str(one)))
    assert len(problems) == 1
    assert "webhook_endpoint.added" in problems[0]
    assert "was changed" in problems[0]


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "ftp://crm.example.com", "crm", ""]
)
def test_a_forbidden_url_is_refused_and_nothing_is_stored(
    house: House, url: str
) -> None:
    with pytest.raises(Invalid) as refused:
        house.webhook_endpoints.add(url, [], by=BY)
    assert set(refused.value.fields) == {"url"}
    endpoint, _, _ = house.webhook_endpoints.add(URL, [], by=BY)
    with pytest.raises(Invalid):
        house.webhook_endpoints.update(endpoint.id, url=url, by=BY)
    assert house.topics(endpoint.id) == ["added"]


def test_an_update_changes_only_what_is_given(house: House) -> None:
    endpoint, _, _ = house.webhook_endpoints.add(URL, ["call.finished"], by=BY)
    changed, _ = house.webhook_endpoints.update(endpoint.id, enabled=False, by=BY)
    assert (changed.url, changed.types, changed.enabled) == (
        URL,
        ("call.finished",),
        False,
    )
    changed, _ = house.webhook_endpoints.update(endpoint.id, types=[], by=BY)
    assert (changed.types, changed.enabled) == ((), False)
    assert house.topics(endpoint.id) == ["added", "disabled", "changed"]


def test_a_removed_endpoint_cannot_be_changed(house: House) -> None:
    endpoint, _, _ = house.webhook_endpoints.add(URL, [], by=BY)
    house.webhook_endpoints.remove(endpoint.id, by=BY)
    assert house.webhook_endpoints.remove(endpoint.id, by=BY)[1] is None
    with pytest.raises(NotFound):
        house.webhook_endpoints.update(endpoint.id, enabled=True, by=BY)
    with pytest.raises(NotFound):
        house.webhook_endpoints.rotate_secret(endpoint.id, by=BY)


def test_an_unknown_delivery_cannot_be_sent_again(house: House) -> None:
    with pytest.raises(NotFound, match="webhook delivery"):
        house.webhook_endpoints.resend(uuid4(), by=BY)


class Full:
    """A lookup of an installation that has all endpoints that it may have."""

    def count_endpoints(self) -> int:
        return MOST_ENDPOINTS

    def endpoint_of_delivery(self, delivery_id: UUID) -> UUID | None:
        return None


def test_the_number_of_endpoints_is_limited(house: House) -> None:
    service = WebhookEndpointService(
        app=house.app, context=house.context, lookup=Full()
    )
    with pytest.raises(WrongState, match="remove one first"):
        service.add(URL, [], by=BY)
