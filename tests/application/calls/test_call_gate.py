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
from tests.wiring import BY, Clock, House

NEW_YORK, ORLANDO, LOS_ANGELES = "+12125550143", "+14075550143", "+12135550143"
ONCE_A_DAY = (FrequencyCap(1, 24),)
AFTERNOON = datetime(2026, 3, 2, 19, 5, tzinfo=UTC)  # 14:05 in New York
EVENING = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # 21:00 in New York


@pytest.fixture(autouse=True)
def enforced(house: House) -> None:
    """Enforce the rules in the middle of the day in New York."""
    change(house, calling_rules=RulesMode.ENFORCED)
    at(house, AFTERNOON)


def change(house: House, **values: Any) -> None:
    house.settings.amend(values, by=BY)
    house.settle()


def at(house: House, time: datetime) -> None:
    clock = house.now
    assert isinstance(clock, Clock)
    clock.time = time


def claimed(house: House, phone: str = NEW_YORK, **wanted: Any) -> UUID:
    return house.claim(house.campaign((phone,), **wanted))[0]


def request(house: House, call_id: UUID) -> bool:
    soon = house.now() + timedelta(seconds=5)
    return house.calls.request(call_id, dial_before=soon) is not None


def deferral(house: House, call_id: UUID) -> tuple[WaitingCode | None, datetime]:
    """Return code and time of the call's last event, which defers it."""
    stored = house.app.recorder.select_events(call_id, desc=True, limit=1)
    event: Any = house.app.mapper.to_domain_event(stored[0])
    assert isinstance(event, Call.Deferred)
    return event.code, event.until


def permit_of(house: House, call_id: UUID) -> Permit:
    permit = house.load_call(call_id).permit
    assert permit is not None
    return permit


# --- The permit ---------------------------------------------------------------------


def test_the_permit_is_stored_with_the_request(house: House) -> None:
    change(house, frequency_caps=(FrequencyCap(3, 24),))
    call_id = claimed(house)
    assert request(house, call_id)
    permit = permit_of(house, call_id)
    assert permit.places == ("US-NY",)
    assert permit.time_zones == ("America/New_York",)
    assert permit.place_source == "NUMBER"
    assert permit.rule_book == house.rule_book.current().version  # type: ignore[union-attr]  # the shipped rules can be read
    assert any(rule.startswith("US") for rule in permit.rules)
    assert [(one.hours, one.attempts) for one in permit.attempts_before] == [(24, 0)]
    assert permit.waived_by is None


def test_the_permit_counts_the_calls_before(house: House) -> None:
    change(house, frequency_caps=(FrequencyCap(3, 24),))
    assert request(house, claimed(house))
    again = claimed(house)
    assert request(house, again)
    assert [one.attempts for one in permit_of(house, again).attempts_before] == [1]


# --- Waits --------------------------------------------------------------------------


def test_outside_the_hours_the_call_waits_until_they_open(house: House) -> None:
    at(house, EVENING)
    call_id = claimed(house)
    assert not request(house, call_id)
    opens = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)  # 8:00 in New York
    assert deferral(house, call_id) == (WaitingCode.OUTSIDE_HOURS, opens)
    assert house.load_call(call_id).standing is ContactStatus.PENDING


def test_a_resume_does_not_end_a_wait(house: House) -> None:
    at(house, EVENING)
    call_id = claimed(house)
    campaign_id = house.load_call(call_id).campaign_id
    assert not request(house, call_id)
    house.campaigns.pause(campaign_id, by=BY)
    house.campaigns.resume(campaign_id, by=BY)
    assert house.candidates(campaign_id) == ()
    at(house, EVENING + timedelta(hours=12))
    [candidate] = house.candidates(campaign_id)
    assert candidate.call_id == call_id


def test_the_hours_must_be_open_until_the_request_has_arrived(house: House) -> None:
    """The margin before the end of the hours is waived, the request's time is not."""
    hours = CallingHours(last_start_minutes=0)
    call_id = claimed(house, terms=CallingTerms(calling_hours=hours))
    at(house, EVENING - timedelta(seconds=25))
    assert not request(house, call_id)
    assert deferral(house, call_id)[0] is WaitingCode.OUTSIDE_HOURS


def test_a_request_in_time_is_allowed(house: House) -> None:
    hours = CallingHours(last_start_minutes=0)
    call_id = claimed(house, terms=CallingTerms(calling_hours=hours))
    at(house, EVENING - timedelta(seconds=26))
    assert request(house, call_id)


def test_a_cap_makes_calls_of_every_campaign_wait(house: House) -> None:
    change(house, frequency_caps=ONCE_A_DAY)
    assert request(house, claimed(house))
    other = claimed(house)
    assert not request(house, other)
    code, until = deferral(house, other)
    assert code is WaitingCode.FREQUENCY_CAP
    assert until == AFTERNOON + timedelta(hours=24)
    at(house, until)
    house.claim_again(other)
    assert request(house, other)


def test_a_call_does_not_count_against_its_own_repetition(house: House) -> None:
    change(house, frequency_caps=ONCE_A_DAY)
    call_id = claimed(house)
    assert request(house, call_id)
    soon = house.now() + timedelta(seconds=5)
    assert house.calls.renew_request(call_id, dial_before=soon)


def test_a_request_that_never_left_is_released_if_the_hours_end(house: House) -> None:
    change(house, frequency_caps=ONCE_A_DAY)
    call_id = claimed(house)
    assert request(house, call_id)
    at(house, EVENING)
    soon = house.now() + timedelta(seconds=5)
    assert house.calls.renew_request(call_id, dial_before=soon) is None
    assert deferral(house, call_id)[0] is WaitingCode.OUTSIDE_HOURS
    number_id = house.numbers.id_of(NEW_YORK)
    assert house.topics(number_id) == ["requested", "released"]


def test_two_campaigns_that_race_for_the_last_call_make_one(house: House) -> None:
    change(house, frequency_caps=ONCE_A_DAY)
    calls = [claimed(house), claimed(house)]
    with ThreadPoolExecutor(2) as pool:
        granted = list(pool.map(lambda call_id: request(house, call_id), calls))
    assert sorted(granted) == [False, True]


def test_a_call_counted_meanwhile_is_decided_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other campaign takes the last call between reading and storing."""
    change(house, frequency_caps=ONCE_A_DAY)
    first, second = claimed(house), claimed(house)
    append, done = house.app.append, list[bool]()

    def request_first(*changed: Any, **how: Any) -> int | None:
        if not done and changed[0].id == second:
            done.append(True)
            assert request(house, first)
        return append(*changed, **how)

    monkeypatch.setattr(house.app, "append", request_first)
    assert not request(house, second)
    assert deferral(house, second)[0] is WaitingCode.FREQUENCY_CAP


def test_the_last_call_stays_taken_after_a_crash_before_the_request_left(
    house: House,
) -> None:
    """The scheduler dies with the request stored, and the provider lacks the call."""
    change(house, frequency_caps=ONCE_A_DAY)
    lost, other = claimed(house), claimed(house)
    assert request(house, lost)
    house.calls.lose_outcome(lost, reason="no clear answer")
    house.calls.settle_absent(lost)
    assert not request(house, other)
    house.claim_again(lost)
    assert request(house, lost)


# --- Refusals -----------------------------------------------------------------------


def test_without_consent_a_contact_is_withheld_in_one_append(house: House) -> None:
    call_id = claimed(house, terms=CallingTerms(require_consent=True))
    assert not request(house, call_id)
    call = house.load_call(call_id)
    assert call.status is CallStatus.CANCELED
    assert house.topics(call.contact_id) == ["withheld"]
    assert not house.candidates(call.campaign_id)


def test_a_change_of_the_settings_is_noticed_before_the_request_is_stored(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert request(house, claimed(house))
    second = claimed(house)
    append, done = house.app.append, list[bool]()

    def tighten_first(*changed: Any, **how: Any) -> int | None:
        if not done and isinstance(changed[0], Call):
            done.append(True)
            change(house, frequency_caps=ONCE_A_DAY)
        return append(*changed, **how)

    monkeypatch.setattr(house.app, "append", tighten_first)
    assert not request(house, second)
    assert deferral(house, second)[0] is WaitingCode.FREQUENCY_CAP


# --- Lists --------------------------------------------------------------------------


def upload(house: House, *numbers: str, as_of: date = date(2026, 3, 1)) -> None:
    terms = ListTerms("Registry", as_of, max_age_days=31, covers=("+1212",))
    content = "".join(f"{number}\n" for number in numbers).encode()
    house.suppression_lists.receive(terms, [content], by=BY)


def test_a_number_on_a_list_is_withheld(house: House) -> None:
    call_id = claimed(house)
    upload(house, NEW_YORK)
    assert not request(house, call_id)
    assert house.topics(house.load_call(call_id).contact_id) == ["withheld"]


def test_the_permit_names_the_lists_that_were_checked(house: House) -> None:
    upload(house, ORLANDO)
    call_id = claimed(house)
    assert request(house, call_id)
    [consulted] = permit_of(house, call_id).lists
    assert (consulted.name, consulted.as_of) == ("Registry", date(2026, 3, 1))


def test_numbers_that_an_expired_list_covers_wait(house: House) -> None:
    upload(house, ORLANDO, as_of=date(2025, 12, 1))
    covered, other = claimed(house), claimed(house, LOS_ANGELES)
    assert not request(house, covered)
    assert deferral(house, covered)[0] is WaitingCode.LIST_STALE
    assert request(house, other)


def test_nobody_whom_a_list_covers_is_called_while_its_blocks_are_missing(
    house: House,
) -> None:
    upload(house, ORLANDO, NEW_YORK)
    with house.writing.connection() as conn:
        conn.execute("delete from suppression_block")
    covered, other = claimed(house), claimed(house, LOS_ANGELES)
    assert not request(house, covered)
    assert deferral(house, covered)[0] is WaitingCode.RULES_UNAVAILABLE
    assert request(house, other)


def test_a_list_that_is_activated_before_the_request_is_stored_is_checked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = claimed(house)
    append, done = house.app.append, list[bool]()

    def upload_first(*changed: Any, **how: Any) -> int | None:
        if not done and isinstance(changed[0], Call):
            done.append(True)
            upload(house, NEW_YORK)
        return append(*changed, **how)

    monkeypatch.setattr(house.app, "append", upload_first)
    assert not request(house, call_id)
    assert house.load_call(call_id).status is CallStatus.CANCELED


# --- The rule book and waivers ------------------------------------------------------


def test_nobody_is_called_while_the_rule_book_cannot_be_read(
    house: House, tmp_path: Path
) -> None:
    (tmp_path / "US.toml").write_text("not a rule")
    blind = replace(house, rule_folders=(tmp_path,))
    call_id = claimed(house)
    assert not request(blind, call_id)
    assert deferral(house, call_id)[0] is WaitingCode.RULES_UNAVAILABLE


def test_switched_off_rules_are_named_in_the_permit(house: House) -> None:
    change(house, calling_rules=RulesMode.OFF, calling_rules_reason="a trial")
    at(house, EVENING)
    call_id = claimed(house)
    assert request(house, call_id)
    assert permit_of(house, call_id).waived_by == BY


def test_a_campaign_whose_hours_are_waived_calls_at_any_hour(house: House) -> None:
    hours = CallingHours(HoursRule.ANY, waived_by=BY, reason="they asked for it")
    at(house, EVENING)
    call_id = claimed(house, terms=CallingTerms(calling_hours=hours))
    assert request(house, call_id)
    permit = permit_of(house, call_id)
    assert (permit.waived_by, permit.rules) == (BY, ())


def test_the_purpose_of_a_campaign_selects_the_rules(house: House) -> None:
    """Debt collection has a federal cap in the United States; telemarketing has not."""
    found = []
    for purpose in (CallPurpose.TELEMARKETING, CallPurpose.DEBT_COLLECTION):
        call_id = claimed(house, terms=CallingTerms(purpose=purpose))
        assert request(house, call_id)
        found.append(permit_of(house, call_id).rules)
    assert found[0] != found[1]
