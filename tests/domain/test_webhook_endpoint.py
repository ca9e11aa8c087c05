"""Endpoints of outgoing webhooks: given a past and a command, exactly these events."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.errors import Invalid, WrongState
from domain.webhook_endpoint import MessageType, Secret, WebhookEndpoint, known_types

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BY = "ann@example.com"
URL = "https://crm.example.com/hook"
FIRST, SECOND = Secret(UUID(int=1), "first"), Secret(UUID(int=2), "second")


def an_endpoint(types: tuple[str, ...] = ()) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.add(
        UUID(int=9), url=URL, types=types, secret=FIRST, at=NOON, by=BY
    )
    endpoint.collect_events()
    return endpoint


def facts(endpoint: WebhookEndpoint) -> list[str]:
    return [type(one).__name__ for one in endpoint.collect_events()]


def test_types_are_stored_once_and_in_the_order_of_the_contract() -> None:
    types = known_types(["spend.alert", "call.finished", "spend.alert"])
    assert types == ("call.finished", "spend.alert")


def test_an_unknown_type_is_refused_with_the_list_of_types() -> None:
    with pytest.raises(Invalid, match=r"There is no type call\.ended") as refused:
        known_types(["call.ended"])
    assert all(known in refused.value.fields["types"] for known in MessageType)


def test_a_change_that_changes_nothing_is_not_recorded() -> None:
    endpoint = an_endpoint(("call.finished",))
    endpoint.change(url=URL, types=["call.finished"], at=NOON, by=BY)
    endpoint.enable(at=NOON, by=BY)
    assert facts(endpoint) == []


def test_a_rotation_keeps_the_previous_secret_valid_for_a_day() -> None:
    endpoint = an_endpoint()
    endpoint.rotate(SECOND, at=NOON, by=BY)
    [rotated] = endpoint.collect_events()
    assert isinstance(rotated, WebhookEndpoint.SecretRotated)
    assert (rotated.secret_id, rotated.old_secret_id) == (SECOND.id, FIRST.id)
    assert rotated.old_valid_until == NOON + timedelta(days=1)
    assert endpoint.secret == SECOND


def test_an_endpoint_that_fails_for_too_long_is_disabled_once() -> None:
    endpoint = an_endpoint()
    for _ in range(2):
        endpoint.give_up(failing_since=NOON, at=NOON + timedelta(days=3), by=BY)
    assert facts(endpoint) == ["GivenUp"]
    assert (endpoint.enabled, endpoint.failing_since) == (False, NOON)


def test_enabling_forgets_why_the_endpoint_was_disabled() -> None:
    endpoint = an_endpoint()
    endpoint.give_up(failing_since=NOON, at=NOON, by=BY)
    endpoint.enable(at=NOON, by=BY)
    assert (endpoint.enabled, endpoint.failing_since) == (True, None)


def test_nothing_is_sent_again_while_the_endpoint_is_disabled() -> None:
    endpoint = an_endpoint()
    endpoint.disable(at=NOON, by=BY)
    with pytest.raises(WrongState, match="enable it first"):
        endpoint.resend(UUID(int=5), at=NOON, by=BY)
    assert facts(endpoint) == ["Disabled"]


def test_a_removed_endpoint_stays_removed() -> None:
    endpoint = an_endpoint()
    endpoint.remove(at=NOON, by=BY)
    endpoint.remove(at=NOON, by=BY)
    endpoint.give_up(failing_since=NOON, at=NOON, by=BY)
    with pytest.raises(WrongState, match="was removed"):
        endpoint.enable(at=NOON, by=BY)
    with pytest.raises(WrongState, match="was removed"):
        endpoint.rotate(SECOND, at=NOON, by=BY)
    assert facts(endpoint) == ["Removed"]
