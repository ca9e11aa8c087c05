"""The acceptance tests of the gate, each as a test or as the name of its test.

test_689: 20:30 in Chicago is 21:30 in Orlando, where the area code is.
test_850: a number of Florida without a state is in both time zones.
test_an_unknown_area_code: its place is unknown, so it is not called.
test_connecticut: 20:01 is refused from 2023-10-01 on.
test_races, test_a_crash: two campaigns want the third call in 24 hours.
test_an_expired_list: a list expires while it is in use, and is replaced.
test_an_opt_out: it stops the contact that another campaign has queued.
test_an_erased_number: it stays suppressed when it is imported again.

`tests/domain/gate/test_decision.py` has the others: a rule that flips a running
campaign at midnight, daylight saving time and Lord Howe Island, and the property that
no permit lies outside any single rule or zone.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from application.calling_rules.loader import SHIPPED, load_rule_book
from application.places.resolver import StatedPlace, resolve
from application.suppression_lists.service import ListTerms
from domain.gate.decision import CallingHours, Gate, Numbers, Terms
from domain.gate.permit import Decision, Granted, Wait
from domain.gate.rules import CallPurpose, FrequencyCap, RuleBook
from domain.numbers.number import SuppressionSource
from domain.settings import FIRST_CAPS, RulesMode
from domain.values import CallStatus, ContactStatus, WaitingCode
from provider.vapi.messages.reading import read_message
from tests.application.calls.messages import message, place, record_message, status
from tests.application.contacts.erasing import erase, problems
from tests.wiring import BY, Clock, Services

ORLANDO, CONNECTICUT, NOWHERE = "+16892550143", "+18605550143", "+17292550143"
PENSACOLA, TALLAHASSEE = "+18504320143", "+18502220143"
NEW_YORK = "+12125550143"
AFTERNOON = datetime(2026, 3, 2, 19, 5, tzinfo=UTC)
"""14:05 in New York, a Monday."""


@pytest.fixture(scope="module")
def shipped() -> RuleBook:
    return load_rule_book((SHIPPED,))


def decided(book: RuleBook, phone: str, at: datetime) -> Decision:
    """Decide by the shipped rules, without a margin before the hours end."""
    hours = CallingHours(last_start_minutes=0)
    terms = Terms(CallPurpose.TELEMARKETING, hours, book)
    gate = Gate(terms, resolve(phone, StatedPlace()), computed_at=at)
    return gate.decide(Numbers(), has_consent=False, now=at)


def local(zone: str, day: date, hour: int, minute: int) -> datetime:
    wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone))
    return wall.astimezone(UTC)


# --- By the shipped rules -----------------------------------------------------------


def test_689_is_refused_when_it_is_half_past_eight_in_chicago(
    shipped: RuleBook,
) -> None:
    day = date(2026, 3, 3)
    late = decided(shipped, ORLANDO, local("America/Chicago", day, 20, 30))
    opens = local("America/New_York", date(2026, 3, 4), 8, 0)
    assert late == Wait(WaitingCode.OUTSIDE_HOURS, opens)
    # Florida ends at 20:00, although the federal hours last until 21:00.
    just_late = decided(shipped, ORLANDO, local("America/New_York", day, 20, 0))
    assert just_late == Wait(WaitingCode.OUTSIDE_HOURS, opens)
    in_time = decided(shipped, ORLANDO, local("America/New_York", day, 19, 59))
    assert isinstance(in_time, Granted)


@pytest.mark.parametrize("phone", [PENSACOLA, TALLAHASSEE])
def test_850_without_a_state_is_in_both_time_zones(
    shipped: RuleBook, phone: str
) -> None:
    zones = resolve(phone, StatedPlace()).time_zones
    assert set(zones) == {"America/New_York", "America/Chicago"}
    day = date(2026, 3, 3)
    early = decided(shipped, phone, local("America/New_York", day, 8, 30))
    opens = local("America/Chicago", day, 8, 0)
    assert early == Wait(WaitingCode.OUTSIDE_HOURS, opens)
    late = decided(shipped, phone, local("America/Chicago", day, 19, 30))
    assert isinstance(late, Wait)


@pytest.mark.parametrize(
    ("day", "may_call"), [(date(2023, 9, 29), True), (date(2023, 10, 2), False)]
)
def test_connecticut_ends_at_eight_from_the_first_of_october_2023_on(
    shipped: RuleBook, day: date, *, may_call: bool
) -> None:
    found = decided(shipped, CONNECTICUT, local("America/New_York", day, 20, 1))
    assert isinstance(found, Granted) is may_call


def test_connecticut_changes_at_its_own_midnight(shipped: RuleBook) -> None:
    last, first = date(2023, 9, 30), date(2023, 10, 1)
    before = decided(shipped, CONNECTICUT, local("America/New_York", last, 20, 1))
    after = decided(shipped, CONNECTICUT, local("America/New_York", first, 20, 1))
    assert isinstance(before, Granted)
    assert isinstance(after, Wait)


# --- Over the whole application -----------------------------------------------------


@pytest.fixture
def prepared(services: Services) -> Services:
    """Enforce rules and the first frequency caps, at 14:05 in New York."""
    services.settings.amend(
        {"calling_rules": RulesMode.ENFORCED, "frequency_caps": FIRST_CAPS}, by=BY
    )
    set_time(services, AFTERNOON)
    services.settle()
    return services


def set_time(services: Services, at: datetime) -> None:
    assert isinstance(services.now, Clock)
    services.now.time = at


def claimed(services: Services, phone: str = NEW_YORK) -> UUID:
    return services.claim(services.campaign((phone,)))[0]


def request(services: Services, call_id: UUID) -> bool:
    soon = services.now() + timedelta(seconds=5)
    return services.calls.request(call_id, dial_before=soon) is not None


def test_an_unknown_area_code_is_not_called(prepared: Services) -> None:
    # No upload accepts such a number; it may come from an import of an earlier release.
    call_id = claimed(prepared, NOWHERE)
    assert not request(prepared, call_id)
    assert prepared.load_call(call_id).status is CallStatus.CANCELED
    assert prepared.topics(prepared.load_call(call_id).contact_id) == ["withheld"]


def test_races_for_the_third_call_in_a_day_have_one_winner(prepared: Services) -> None:
    assert FrequencyCap(3, 24) in FIRST_CAPS
    for _ in range(2):
        assert request(prepared, claimed(prepared))
    racing = [claimed(prepared) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        granted = list(pool.map(lambda call_id: request(prepared, call_id), racing))
    assert sorted(granted) == [False, False, False, True]


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_crash_while_the_third_call_is_requested_leaves_one_call(
    prepared: Services, monkeypatch: pytest.MonkeyPatch, *, is_stored: bool
) -> None:
    """The process dies before the append, or after it and before the request."""

    class Died(Exception):
        pass

    for _ in range(2):
        assert request(prepared, claimed(prepared))
    dying, other = claimed(prepared), claimed(prepared)
    append = prepared.app.append

    def die(*changed: object, **how: object) -> int | None:
        if is_stored:
            append(*changed, **how)  # type: ignore[arg-type]  # passed on unchanged
        raise Died

    monkeypatch.setattr(prepared.app, "append", die)
    with pytest.raises(Died):
        request(prepared, dying)
    monkeypatch.setattr(prepared.app, "append", append)
    assert request(prepared, other) is not is_stored
    if not is_stored:
        assert not request(prepared, dying)


def test_an_expired_list_holds_its_numbers_until_it_is_replaced(
    prepared: Services,
) -> None:
    def import_list(as_of: date) -> None:
        terms = ListTerms("Registry", as_of, max_age_days=31, covers=("+1212",))
        prepared.suppression_lists.receive(terms, [b"+12125550999\n"], by=BY)

    import_list(date(2026, 3, 1))
    assert request(prepared, claimed(prepared))
    set_time(prepared, AFTERNOON + timedelta(days=40))
    waiting = claimed(prepared)
    assert not request(prepared, waiting)
    assert prepared.load_call(waiting).contact_status is ContactStatus.PENDING
    import_list(date(2026, 4, 10))
    set_time(prepared, AFTERNOON + timedelta(days=40, minutes=10))
    prepared.claim_again(waiting)
    assert request(prepared, waiting)


def test_an_opt_out_stops_the_contact_that_another_campaign_has_queued(
    prepared: Services,
) -> None:
    talking, queued = claimed(prepared), claimed(prepared)
    assert request(prepared, talking)
    place(prepared, talking)
    record_message(prepared, status(talking, "in-progress"))
    tool = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "record_opt_out", "arguments": {}},
    }
    body = message(
        talking,
        "tool-calls",
        toolCallList=[tool],
        toolCalls=[tool],
        customer={"number": NEW_YORK},
    )
    [answer] = prepared.calls.record_message(read_message(body)).answers
    assert answer.result.startswith("Recorded")
    assert not request(prepared, queued)
    assert prepared.load_call(queued).status is CallStatus.CANCELED


def test_an_erased_number_that_is_imported_again_stays_suppressed(
    prepared: Services,
) -> None:
    person = SuppressionSource.PERSON
    prepared.campaign((NEW_YORK,))
    prepared.numbers.suppress(NEW_YORK, source=person, reason=None, by=BY)
    erase(prepared, NEW_YORK)
    call_id = claimed(prepared)
    assert not request(prepared, call_id)
    assert prepared.load_call(call_id).status is CallStatus.CANCELED


def test_a_changed_permit_is_detected_by_verify(prepared: Services) -> None:
    assert request(prepared, claimed(prepared))
    prepared.settle()
    assert problems(prepared) == []
    with prepared.writing.connection() as conn:
        changed = conn.execute("""
            update autolynx_events set state = convert_to(
                replace(convert_from(state, 'UTF8'), 'US-NY', 'US-NJ'), 'UTF8')
            where topic = 'call.requested'
        """)
        assert changed.rowcount == 1
    assert problems(prepared) != []
