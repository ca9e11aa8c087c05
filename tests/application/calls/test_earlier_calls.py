"""After an upgrade the calls of release 1 count for the frequency caps, once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from application.calls import earlier_calls
from application.calls.earlier_calls import EarlierCalls
from domain.gate.rules import FrequencyCap
from domain.numbers.number import Number, number_id_of
from domain.settings import RulesMode
from projections import alerts
from scheduler.maintenance import upgrade
from tests.wiring import BY, NOON, Clock, House

PHONE, OTHER = "+12125550143", "+12125550144"
ONCE_A_DAY = (FrequencyCap(1, 24),)


class Died(Exception):
    """The process was killed."""


def earlier(house: House) -> EarlierCalls:
    return upgrade.earlier_calls(house)


def clock_of(house: House) -> Clock:
    assert isinstance(house.now, Clock)
    return house.now


def change(house: House, **values: Any) -> None:
    house.settings.amend(values, by=BY)
    house.settle()


def requested_by_release_1(
    house: House, phone: str = PHONE, *, placed: bool = True
) -> UUID:
    """Return a call whose request names no number, as release 1 stored it."""
    [call_id] = house.claim(house.campaign((phone,)))
    call, now = house.load_call(call_id), house.now()
    call.request(dial_before=now + timedelta(seconds=5), at=now, by="scheduler")
    if placed:
        call.place(
            provider_call_id=f"vapi-{call_id}", placed_at=now, at=now, by="scheduler"
        )
    else:
        call.defer(reason="unreachable", until=now, at=now, by="scheduler")
    house.app.append(call)
    house.settle()
    return call_id


def counted(house: House, phone: str = PHONE) -> dict[UUID, Any]:
    number_id = number_id_of(house.installation_key.of_number(phone))
    number = house.app.find(Number, number_id)
    return dict(number.requested) if number else {}


def alerted_campaigns(house: House) -> set[UUID | None]:
    house.settle()
    with house.reading.connection() as conn:
        found = alerts.after(conn, 0)
    return {
        one.campaign_id for one in found if one.kind is alerts.AlertKind.RULES_APPLIED
    }


@pytest.fixture(autouse=True)
def capped(house: House) -> None:
    house.installation_key.prepare()
    change(house, frequency_caps=ONCE_A_DAY)


def test_earlier_calls_count_once_at_the_time_of_their_request(house: House) -> None:
    first = requested_by_release_1(house)
    clock_of(house).pass_(minutes=1)
    second = requested_by_release_1(house)
    assert earlier(house).count() == 2
    times = {first: NOON, second: NOON + timedelta(minutes=1)}
    assert counted(house) == times
    assert earlier(house).count() == 0
    assert counted(house) == times


def test_a_call_after_the_upgrade_waits_until_the_earlier_one_leaves_the_window(
    house: House,
) -> None:
    requested_by_release_1(house)
    earlier(house).count()
    campaign_id = house.campaign((PHONE,))
    [call_id] = house.claim(campaign_id)
    soon = house.now() + timedelta(seconds=5)
    assert house.calls.request(call_id, dial_before=soon) is None
    clock_of(house).pass_(hours=24)
    assert house.claim(campaign_id) == [call_id]
    soon = house.now() + timedelta(seconds=5)
    assert house.calls.request(call_id, dial_before=soon) is not None


def test_only_calls_that_may_have_rung_within_the_longest_window_count(
    house: House,
) -> None:
    requested_by_release_1(house, placed=False)
    requested_by_release_1(house, OTHER)
    clock_of(house).pass_(hours=25)
    inside = requested_by_release_1(house, OTHER)
    # Nothing else restricts calls, so the longest window is that of the cap.
    house.rule_book.current = lambda: None  # type: ignore[method-assign]  # no rules
    assert earlier(house).count() == 1
    assert counted(house) == {}
    assert set(counted(house, OTHER)) == {inside}


def test_counting_goes_on_after_a_crash_between_its_appends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {requested_by_release_1(house, phone) for phone in (PHONE, OTHER)}
    monkeypatch.setattr(earlier_calls, "BATCH", 1)
    append, done = house.app.append, list[Any]()

    def die_second(*changed: Any, **how: Any) -> int | None:
        if done:
            raise Died
        done.append(changed)
        return append(*changed, **how)

    monkeypatch.setattr(house.app, "append", die_second)
    with pytest.raises(Died):
        earlier(house).count()
    monkeypatch.setattr(house.app, "append", append)
    assert not earlier(house).are_counted()
    assert earlier(house).count() == 2
    assert counted(house).keys() | counted(house, OTHER).keys() == calls
    versions = [
        house.app.highest_version(number_id_of(house.installation_key.of_number(one)))
        for one in (PHONE, OTHER)
    ]
    assert versions == [1, 1]


def test_an_alert_names_each_running_campaign_that_obeys_the_rules_now(
    house: House,
) -> None:
    change(house, calling_rules=RulesMode.ENFORCED)
    running, paused = house.campaign(), house.campaign()
    house.campaign(start=False)
    house.campaigns.pause(paused, by=BY)
    house.settle()
    earlier(house).count()
    assert alerted_campaigns(house) == {running}
    earlier(house).count()
    assert len(alerted_campaigns(house)) == 1


def test_without_rules_no_campaign_is_named(house: House) -> None:
    house.campaign()
    earlier(house).count()
    assert alerted_campaigns(house) == set()
