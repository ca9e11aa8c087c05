"""Dispositions and notes that members enter about a contact."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.contacts.contact import Contact, PlannedAttempt
from domain.contacts.contact_history import ContactHistory, PlanKind
from domain.errors import Invalid, NotFound, WrongState
from domain.numbers.number import SuppressionSource
from domain.outcomes import CallOutcome, Disposition
from domain.values import ContactStatus
from projections.contacts import contact_results
from projections.contacts.contact_results import ContactResult
from projections.registers import suppression_board
from projections.registers.suppression_board import SuppressionRow
from tests.application.calls.messages import record_message, report, requested
from tests.application.contacts.erasing import erase, problems
from tests.database_dump import dumped
from tests.wiring import BY, NOON, Services

GOAL, OPTED_OUT = Disposition.GOAL_REACHED, Disposition.OPTED_OUT
NOTE = "Wants the blue one."


def contact_of(services: Services, call_id: UUID) -> UUID:
    return services.load_call(call_id).contact_id


def result(services: Services, contact_id: UUID) -> ContactResult:
    services.settle()
    with services.reading.connection() as conn:
        return contact_results.of_contacts(conn, [contact_id])[contact_id]


def set_disposition(
    services: Services,
    contact_id: UUID,
    to: Disposition | None,
    note: str | None = None,
) -> int | None:
    return services.contacts.set_disposition(contact_id, to, note, by=BY)


def test_a_member_sets_a_disposition_with_a_note_once(services: Services) -> None:
    call_id = requested(services)
    contact_id = contact_of(services, call_id)
    assert set_disposition(services, contact_id, GOAL, f" {NOTE} ") is not None
    assert set_disposition(services, contact_id, GOAL, NOTE) is None
    assert services.topics(contact_id) == ["disposed"]
    found = result(services, contact_id)
    assert found.disposition is GOAL
    assert found.note_words_id is not None
    assert services.vault.words(found.note_words_id) == NOTE


def test_a_cleared_disposition_has_no_note(services: Services) -> None:
    contact_id = contact_of(services, requested(services))
    set_disposition(services, contact_id, GOAL, NOTE)
    set_disposition(services, contact_id, None)
    found = result(services, contact_id)
    assert (found.disposition, found.note_words_id) == (None, None)


def test_the_status_and_the_counters_stay_when_a_disposition_is_set(
    services: Services,
) -> None:
    call_id = requested(services)
    record_message(services, report(call_id))
    call = services.load_call(call_id)
    before = services.board(call.campaign_id)
    set_disposition(services, call.contact_id, GOAL)
    after = services.board(call.campaign_id)
    assert replace(after, position=before.position) == before
    assert after.ended == 1


@pytest.mark.parametrize(
    ("kind", "leaves_it", "ends_it"),
    [
        (PlanKind.RETRY, Disposition.NOT_INTERESTED, GOAL),
        (PlanKind.RETRY, Disposition.OTHER, Disposition.WRONG_PERSON),
        (PlanKind.CALLBACK, GOAL, OPTED_OUT),
    ],
)
def test_a_planned_call_is_withdrawn_by_a_disposition_that_makes_it_needless(
    services: Services, kind: PlanKind, leaves_it: Disposition, ends_it: Disposition
) -> None:
    call_id = requested(services)
    record_message(services, report(call_id, endedReason="customer-busy"))
    call = services.load_call(call_id)
    contact = Contact.unrecorded(call.contact_id, call.campaign_id, NOON)
    plan = PlannedAttempt(
        kind=kind,
        call_id=call_id,
        attempt=2,
        due_at=NOON + timedelta(hours=1),
        expires_at=None,
        because=CallOutcome.BUSY,
        terms_version=1,
        history=ContactHistory(),
        finished_as=ContactStatus.ENDED,
    )
    contact.plan_call(plan, was=ContactStatus.ENDED, at=NOON, by=BY)
    services.app.append(contact)
    assert services.board(call.campaign_id).pending == 1
    set_disposition(services, call.contact_id, leaves_it)
    assert services.topics(call.contact_id) == ["call_planned", "disposed"]
    set_disposition(services, call.contact_id, ends_it)
    board = services.board(call.campaign_id)
    assert (board.pending, board.ended) == (0, 1)
    assert services.topics(call.contact_id)[2:] == ["disposed", "finished"]


def test_an_unknown_contact_is_not_found(services: Services) -> None:
    with pytest.raises(NotFound):
        set_disposition(services, uuid4(), GOAL)


def test_a_note_that_is_too_long_is_refused_with_the_limit(services: Services) -> None:
    contact_id = contact_of(services, requested(services))
    with pytest.raises(Invalid, match="2,000 characters") as caught:
        set_disposition(services, contact_id, GOAL, "x" * 2_001)
    assert "note" in caught.value.fields
    assert services.topics(contact_id) == []


def test_an_erasure_empties_the_note_and_ends_dispositions(services: Services) -> None:
    call_id = requested(services)
    contact_id = contact_of(services, call_id)
    set_disposition(services, contact_id, GOAL, NOTE)
    assert erase(services).contacts == (contact_id,)
    assert NOTE.encode() not in dumped(services.url)
    assert problems(services) == []
    with pytest.raises(WrongState, match="erased"):
        set_disposition(services, contact_id, OPTED_OUT)


def test_the_analysis_of_a_call_is_stored_with_its_message_and_erased_with_it(
    services: Services,
) -> None:
    call_id = requested(services)
    output = {"o-1": {"name": "wish", "result": "A secret wish"}}
    analysis = {"summary": "A secret summary", "successEvaluation": "secretly"}
    artifact = {"structuredOutputs": output}
    record_message(services, report(call_id, artifact=artifact, analysis=analysis))
    [row] = services.vault.messages_of(call_id)
    assert row.structured_outputs == {"wish": "A secret wish"}
    assert (row.summary, row.success_evaluation) == ("A secret summary", "secretly")
    assert problems(services) == []
    erase(services)
    assert b"ecret" not in dumped(services.url)
    assert problems(services) == []


# --- Opt-outs -------------------------------------------------------------------------


def suppressions(services: Services) -> list[SuppressionRow]:
    services.settle()
    with services.reading.connection() as conn:
        return list(suppression_board.page(conn, first=5).nodes)


def test_an_opt_out_by_a_member_suppresses_the_number_in_the_same_append(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact_id = contact_of(services, requested(services))
    appended: list[set[str]] = []
    append = services.app.append

    def noting(*changed: Any, **how: Any) -> int | None:
        appended.append({type(each).__name__ for each in changed if each is not None})
        return append(*changed, **how)

    monkeypatch.setattr(services.app, "append", noting)
    assert set_disposition(services, contact_id, OPTED_OUT) is not None
    assert appended == [{"Contact", "Number"}]
    person = services.lookups.contact(contact_id)
    assert person is not None
    [row] = suppressions(services)
    assert row.id == services.numbers.id_of(person.phone)
    assert (row.source, row.added_by) == (SuppressionSource.PERSON, BY)
    assert services.vault.words(row.phone_id or uuid4()) == person.phone


def test_a_contact_that_was_never_called_opts_out_with_its_number(
    services: Services,
) -> None:
    campaign_id = services.campaign(["+12025550143"])
    [candidate] = services.candidates(campaign_id)
    set_disposition(services, candidate.contact_id, OPTED_OUT)
    [row] = suppressions(services)
    assert row.id == services.numbers.id_of("+12025550143")


@pytest.mark.parametrize("later", [None, GOAL])
def test_a_later_disposition_leaves_the_number_suppressed(
    services: Services, later: Disposition | None
) -> None:
    contact_id = contact_of(services, requested(services))
    set_disposition(services, contact_id, OPTED_OUT)
    set_disposition(services, contact_id, later)
    assert len(suppressions(services)) == 1


def test_an_opt_out_that_is_set_twice_suppresses_once(services: Services) -> None:
    contact_id = contact_of(services, requested(services))
    set_disposition(services, contact_id, OPTED_OUT)
    [row] = suppressions(services)
    assert set_disposition(services, contact_id, OPTED_OUT) is None
    assert services.topics(row.id).count("suppressed") == 1
    services.numbers.lift(row.id, reason="a mistake", by=BY)
    assert set_disposition(services, contact_id, OPTED_OUT) is not None
    assert len(suppressions(services)) == 1


def test_other_dispositions_do_not_suppress_the_number(services: Services) -> None:
    set_disposition(services, contact_of(services, requested(services)), GOAL)
    assert suppressions(services) == []


def test_an_erasure_empties_the_number_of_an_opt_out_and_keeps_it_suppressed(
    services: Services,
) -> None:
    contact_id = contact_of(services, requested(services))
    set_disposition(services, contact_id, OPTED_OUT)
    erase(services)
    [row] = suppressions(services)
    assert services.vault.words(row.phone_id or uuid4()) is None
    assert problems(services) == []
