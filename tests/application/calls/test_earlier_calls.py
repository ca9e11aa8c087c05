"""After an upgrade the calls of release 1 count for the frequency caps, once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from application.calls import earlier_calls
from application.calls.earlier_calls import EarlierCalls
from domain.calls.deferrals import DeferralReason
from domain.gate.rules import FrequencyCap
from domain.numbers.number import Number, number_id_of
from domain.settings import RulesMode
from projections import alerts
from scheduler.maintenance import upgrade
from tests.wiring import BY, NOON, Clock, Services

PHONE, OTHER = "+12125550143", "+12125550144"
ONCE_A_DAY = (FrequencyCap(1, 24),)


class Died(Exception):
    """The process was killed."""


def earlier(services: Services) -> EarlierCalls:
    return upgrade.earlier_calls(services)


def clock_of(services: Services) -> Clock:
    assert isinstance(services.now, Clock)
    return services.now


def change(services: Services, **values: Any) -> None:
    services.settings.amend(values, by=BY)
    services.settle()


def requested_by_release_1(
    services: Services, phone: str = PHONE, *, placed: bool = True
) -> UUID:
    """Return a call whose request names no number, as release 1 stored it."""
    [call_id] = services.claim(services.campaign((phone,)))
    call, now = services.load_call(call_id), services.now()
    call.request(dial_before=now + timedelta(seconds=5), at=now, by="scheduler")
    if placed:
        call.place(
            provider_call_id=f"vapi-{call_id}", placed_at=now, at=now, by="scheduler"
        )
    else:
        call.defer(reason=DeferralReason.NEVER_LEFT, until=now, at=now, by="scheduler")
    services.app.append(call)
    services.settle()
    return call_id


def counted(services: Services, phone: str = PHONE) -> dict[UUID, Any]:
    number_id = number_id_of(services.installation_key.of_number(phone))
    number = services.app.find(Number, number_id)
    return dict(number.requested) if number else {}


def alerted_campaigns(services: Services) -> set[UUID | None]:
    services.settle()
    with services.reading.connection() as conn:
        found = alerts.after(conn, 0)
    return {
        one.campaign_id for one in found if one.kind is alerts.AlertKind.RULES_APPLIED
    }


@pytest.fixture(autouse=True)
def capped(services: Services) -> None:
    services.installation_key.prepare()
    change(services, frequency_caps=ONCE_A_DAY)


def test_earlier_calls_count_once_at_the_time_of_their_request(
    services: Services,
) -> None:
    first = requested_by_release_1(services)
    clock_of(services).pass_(minutes=1)
    second = requested_by_release_1(services)
    assert earlier(services).count() == 2
    times = {first: NOON, second: NOON + timedelta(minutes=1)}
    assert counted(services) == times
    assert earlier(services).count() == 0
    assert counted(services) == times


def test_a_call_after_the_upgrade_waits_until_the_earlier_one_leaves_the_window(
    services: Services,
) -> None:
    requested_by_release_1(services)
    earlier(services).count()
    campaign_id = services.campaign((PHONE,))
    [call_id] = services.claim(campaign_id)
    soon = services.now() + timedelta(seconds=5)
    assert services.calls.request(call_id, dial_before=soon) is None
    clock_of(services).pass_(hours=24)
    assert services.claim(campaign_id) == [call_id]
    soon = services.now() + timedelta(seconds=5)
    assert services.calls.request(call_id, dial_before=soon) is not None


def test_only_calls_that_may_have_rung_within_the_longest_window_count(
    services: Services,
) -> None:
    requested_by_release_1(services, placed=False)
    requested_by_release_1(services, OTHER)
    clock_of(services).pass_(hours=25)
    inside = requested_by_release_1(services, OTHER)
    # Nothing else restricts calls, so the longest window is that of the cap.
    services.rule_book.current = lambda: None  # type: ignore[method-assign]  # no rules
    assert earlier(services).count() == 1
    assert counted(services) == {}
    assert set(counted(services, OTHER)) == {inside}


def test_counting_goes_on_after_a_crash_between_its_appends(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {requested_by_release_1(services, phone) for phone in (PHONE, OTHER)}
    monkeypatch.setattr(earlier_calls, "BATCH", 1)
    append, done = services.app.append, list[Any]()

    def die_second(*changed: Any, **how: Any) -> int | None:
        if done:
            raise Died
        done.append(changed)
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", die_second)
    with pytest.raises(Died):
        earlier(services).count()
    monkeypatch.setattr(services.app, "append", append)
    assert not earlier(services).are_counted()
    assert earlier(services).count() == 2
    assert counted(services).keys() | counted(services, OTHER).keys() == calls
    versions = [
        services.app.highest_version(
            number_id_of(services.installation_key.of_number(one))
        )
        for one in (PHONE, OTHER)
    ]
    assert versions == [1, 1]


def test_an_alert_names_each_running_campaign_that_obeys_the_rules_now(
    services: Services,
) -> None:
    change(services, calling_rules=RulesMode.ENFORCED)
    running, paused = services.campaign(), services.campaign()
    services.campaign(start=False)
    services.campaigns.pause(paused, by=BY)
    services.settle()
    earlier(services).count()
    assert alerted_campaigns(services) == {running}
    earlier(services).count()
    assert len(alerted_campaigns(services)) == 1


def test_without_rules_no_campaign_is_named(services: Services) -> None:
    services.campaign()
    earlier(services).count()
    assert alerted_campaigns(services) == set()
