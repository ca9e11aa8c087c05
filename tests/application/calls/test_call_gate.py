"""The gate before each request: permits, waits and refusals, fenced by versions."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from application.suppression_lists.service import ListTerms
from domain.calls.call import Call
from domain.campaigns.campaign_terms import CallingTerms
from domain.gate.decision import CallingHours, HoursRule
from domain.gate.permit import Permit
from domain.gate.rules import CallPurpose, FrequencyCap
from domain.settings import RulesMode
from domain.values import CallStatus, ContactStatus, WaitingCode
from tests.wiring import BY, Clock, Services

NEW_YORK, ORLANDO, LOS_ANGELES = "+12125550143", "+14075550143", "+12135550143"
ONCE_A_DAY = (FrequencyCap(1, 24),)
AFTERNOON = datetime(2026, 3, 2, 19, 5, tzinfo=UTC)  # 14:05 in New York
EVENING = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # 21:00 in New York


@pytest.fixture(autouse=True)
def enforced(services: Services) -> None:
    """Enforce the rules in the middle of the day in New York."""
    change(services, calling_rules=RulesMode.ENFORCED)
    at(services, AFTERNOON)


def change(services: Services, **values: Any) -> None:
    services.settings.amend(values, by=BY)
    services.settle()


def at(services: Services, time: datetime) -> None:
    clock = services.now
    assert isinstance(clock, Clock)
    clock.time = time


def claimed(services: Services, phone: str = NEW_YORK, **wanted: Any) -> UUID:
    return services.claim(services.campaign((phone,), **wanted))[0]


def request(services: Services, call_id: UUID) -> bool:
    soon = services.now() + timedelta(seconds=5)
    return services.calls.request(call_id, dial_before=soon) is not None


def deferral(services: Services, call_id: UUID) -> tuple[WaitingCode | None, datetime]:
    """Return code and time of the call's last event, which defers it."""
    stored = services.app.recorder.select_events(call_id, desc=True, limit=1)
    event: Any = services.app.mapper.to_domain_event(stored[0])
    assert isinstance(event, Call.Deferred)
    return event.code, event.until


def permit_of(services: Services, call_id: UUID) -> Permit:
    permit = services.load_call(call_id).permit
    assert permit is not None
    return permit


# --- The permit ---------------------------------------------------------------------


def test_the_permit_is_stored_with_the_request(services: Services) -> None:
    change(services, frequency_caps=(FrequencyCap(3, 24),))
    call_id = claimed(services)
    assert request(services, call_id)
    permit = permit_of(services, call_id)
    assert permit.places == ("US-NY",)
    assert permit.time_zones == ("America/New_York",)
    assert permit.place_source == "NUMBER"
    assert permit.rule_book == services.rule_book.current().version  # type: ignore[union-attr]  # the shipped rules can be read
    assert any(rule.startswith("US") for rule in permit.rules)
    assert [(one.hours, one.attempts) for one in permit.attempts_before] == [(24, 0)]
    assert permit.waived_by is None


def test_the_permit_counts_the_calls_before(services: Services) -> None:
    change(services, frequency_caps=(FrequencyCap(3, 24),))
    assert request(services, claimed(services))
    again = claimed(services)
    assert request(services, again)
    assert [one.attempts for one in permit_of(services, again).attempts_before] == [1]


# --- Waits --------------------------------------------------------------------------


def test_outside_the_hours_the_call_waits_until_they_open(services: Services) -> None:
    at(services, EVENING)
    call_id = claimed(services)
    assert not request(services, call_id)
    opens = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)  # 8:00 in New York
    assert deferral(services, call_id) == (WaitingCode.OUTSIDE_HOURS, opens)
    assert services.load_call(call_id).contact_status is ContactStatus.PENDING


def test_a_resume_does_not_end_a_wait(services: Services) -> None:
    at(services, EVENING)
    call_id = claimed(services)
    campaign_id = services.load_call(call_id).campaign_id
    assert not request(services, call_id)
    services.campaigns.pause(campaign_id, by=BY)
    services.campaigns.resume(campaign_id, by=BY)
    assert services.candidates(campaign_id) == ()
    at(services, EVENING + timedelta(hours=12))
    [candidate] = services.candidates(campaign_id)
    assert candidate.call_id == call_id


def test_the_hours_must_be_open_until_the_request_has_arrived(
    services: Services,
) -> None:
    """The margin before the end of the hours is waived, the request's time is not."""
    hours = CallingHours(last_start_minutes=0)
    call_id = claimed(services, terms=CallingTerms(calling_hours=hours))
    at(services, EVENING - timedelta(seconds=25))
    assert not request(services, call_id)
    assert deferral(services, call_id)[0] is WaitingCode.OUTSIDE_HOURS


def test_a_request_in_time_is_allowed(services: Services) -> None:
    hours = CallingHours(last_start_minutes=0)
    call_id = claimed(services, terms=CallingTerms(calling_hours=hours))
    at(services, EVENING - timedelta(seconds=26))
    assert request(services, call_id)


def test_a_cap_makes_calls_of_every_campaign_wait(services: Services) -> None:
    change(services, frequency_caps=ONCE_A_DAY)
    assert request(services, claimed(services))
    other = claimed(services)
    assert not request(services, other)
    code, until = deferral(services, other)
    assert code is WaitingCode.FREQUENCY_CAP
    assert until == AFTERNOON + timedelta(hours=24)
    at(services, until)
    services.claim_again(other)
    assert request(services, other)


def test_a_call_does_not_count_against_its_own_repetition(services: Services) -> None:
    change(services, frequency_caps=ONCE_A_DAY)
    call_id = claimed(services)
    assert request(services, call_id)
    soon = services.now() + timedelta(seconds=5)
    assert services.calls.renew_request(call_id, dial_before=soon)


def test_a_request_that_never_left_is_released_if_the_hours_end(
    services: Services,
) -> None:
    change(services, frequency_caps=ONCE_A_DAY)
    call_id = claimed(services)
    assert request(services, call_id)
    at(services, EVENING)
    soon = services.now() + timedelta(seconds=5)
    assert services.calls.renew_request(call_id, dial_before=soon) is None
    assert deferral(services, call_id)[0] is WaitingCode.OUTSIDE_HOURS
    number_id = services.numbers.id_of(NEW_YORK)
    assert services.topics(number_id) == ["requested", "released"]


def test_two_campaigns_that_race_for_the_last_call_make_one(services: Services) -> None:
    change(services, frequency_caps=ONCE_A_DAY)
    calls = [claimed(services), claimed(services)]
    with ThreadPoolExecutor(2) as pool:
        granted = list(pool.map(lambda call_id: request(services, call_id), calls))
    assert sorted(granted) == [False, True]


def test_a_call_counted_meanwhile_is_decided_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other campaign takes the last call between reading and storing."""
    change(services, frequency_caps=ONCE_A_DAY)
    first, second = claimed(services), claimed(services)
    append, done = services.app.append, list[bool]()

    def request_first(*changed: Any, **how: Any) -> int | None:
        if not done and changed[0].id == second:
            done.append(True)
            assert request(services, first)
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", request_first)
    assert not request(services, second)
    assert deferral(services, second)[0] is WaitingCode.FREQUENCY_CAP


def test_the_last_call_stays_taken_after_a_crash_before_the_request_left(
    services: Services,
) -> None:
    """The scheduler dies with the request stored, and the provider lacks the call."""
    change(services, frequency_caps=ONCE_A_DAY)
    lost, other = claimed(services), claimed(services)
    assert request(services, lost)
    services.calls.lose_outcome(lost, reason="no clear answer")
    services.calls.settle_absent(lost)
    assert not request(services, other)
    services.claim_again(lost)
    assert request(services, lost)


# --- Refusals -----------------------------------------------------------------------


def test_without_consent_a_contact_is_withheld_in_one_append(
    services: Services,
) -> None:
    call_id = claimed(services, terms=CallingTerms(require_consent=True))
    assert not request(services, call_id)
    call = services.load_call(call_id)
    assert call.status is CallStatus.CANCELED
    assert services.topics(call.contact_id) == ["withheld"]
    assert not services.candidates(call.campaign_id)


def test_a_change_of_the_settings_is_noticed_before_the_request_is_stored(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert request(services, claimed(services))
    second = claimed(services)
    append, done = services.app.append, list[bool]()

    def tighten_first(*changed: Any, **how: Any) -> int | None:
        if not done and isinstance(changed[0], Call):
            done.append(True)
            change(services, frequency_caps=ONCE_A_DAY)
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", tighten_first)
    assert not request(services, second)
    assert deferral(services, second)[0] is WaitingCode.FREQUENCY_CAP


# --- Lists --------------------------------------------------------------------------


def upload(services: Services, *numbers: str, as_of: date = date(2026, 3, 1)) -> None:
    terms = ListTerms("Registry", as_of, max_age_days=31, covers=("+1212",))
    content = "".join(f"{number}\n" for number in numbers).encode()
    services.suppression_lists.receive(terms, [content], by=BY)


def test_a_number_on_a_list_is_withheld(services: Services) -> None:
    call_id = claimed(services)
    upload(services, NEW_YORK)
    assert not request(services, call_id)
    assert services.topics(services.load_call(call_id).contact_id) == ["withheld"]


def test_the_permit_names_the_lists_that_were_checked(services: Services) -> None:
    upload(services, ORLANDO)
    call_id = claimed(services)
    assert request(services, call_id)
    [consulted] = permit_of(services, call_id).lists
    assert (consulted.name, consulted.as_of) == ("Registry", date(2026, 3, 1))


def test_numbers_that_an_expired_list_covers_wait(services: Services) -> None:
    upload(services, ORLANDO, as_of=date(2025, 12, 1))
    covered, other = claimed(services), claimed(services, LOS_ANGELES)
    assert not request(services, covered)
    assert deferral(services, covered)[0] is WaitingCode.LIST_STALE
    assert request(services, other)


def test_nobody_whom_a_list_covers_is_called_while_its_blocks_are_missing(
    services: Services,
) -> None:
    upload(services, ORLANDO, NEW_YORK)
    with services.writing.connection() as conn:
        conn.execute("delete from suppression_block")
    covered, other = claimed(services), claimed(services, LOS_ANGELES)
    assert not request(services, covered)
    assert deferral(services, covered)[0] is WaitingCode.RULES_UNAVAILABLE
    assert request(services, other)


def test_a_list_that_is_activated_before_the_request_is_stored_is_checked(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = claimed(services)
    append, done = services.app.append, list[bool]()

    def upload_first(*changed: Any, **how: Any) -> int | None:
        if not done and isinstance(changed[0], Call):
            done.append(True)
            upload(services, NEW_YORK)
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", upload_first)
    assert not request(services, call_id)
    assert services.load_call(call_id).status is CallStatus.CANCELED


# --- The rule book and waivers ------------------------------------------------------


def test_nobody_is_called_while_the_rule_book_cannot_be_read(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "US.toml").write_text("not a rule")
    blind = replace(services, rule_folders=(tmp_path,))
    call_id = claimed(services)
    assert not request(blind, call_id)
    assert deferral(services, call_id)[0] is WaitingCode.RULES_UNAVAILABLE


def test_switched_off_rules_are_named_in_the_permit(services: Services) -> None:
    change(services, calling_rules=RulesMode.OFF, calling_rules_reason="a trial")
    at(services, EVENING)
    call_id = claimed(services)
    assert request(services, call_id)
    assert permit_of(services, call_id).waived_by == BY


def test_a_campaign_whose_hours_are_waived_calls_at_any_hour(
    services: Services,
) -> None:
    hours = CallingHours(HoursRule.ANY, waived_by=BY, reason="they asked for it")
    at(services, EVENING)
    call_id = claimed(services, terms=CallingTerms(calling_hours=hours))
    assert request(services, call_id)
    permit = permit_of(services, call_id)
    assert (permit.waived_by, permit.rules) == (BY, ())


def test_the_purpose_of_a_campaign_selects_the_rules(services: Services) -> None:
    """Debt collection has a federal cap in the United States; telemarketing has not."""
    found = []
    for purpose in (CallPurpose.TELEMARKETING, CallPurpose.DEBT_COLLECTION):
        call_id = claimed(services, terms=CallingTerms(purpose=purpose))
        assert request(services, call_id)
        found.append(permit_of(services, call_id).rules)
    assert found[0] != found[1]
