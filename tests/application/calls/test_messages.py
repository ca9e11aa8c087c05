"""Messages of the provider, in any order, as they are stored."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import permutations
from uuid import uuid4

import pytest

from domain.calls.reports import ReportGrade
from domain.calls.unmatched_message import UnmatchedMessage, unmatched_id_of
from domain.values import CallStatus, CampaignState, PauseCause
from provider.vapi.messages.reading import read_message
from storage.database import connect
from tests.application.calls.messages import (
    PROVIDER_ID,
    documents,
    message,
    place,
    record_message,
    report,
    requested,
    seen,
    status,
)
from tests.wiring import BY, NOON, Services

# --- Messages of the provider ---------------------------------------------------


def test_every_order_of_messages_gives_the_same_call(services: Services) -> None:
    outcomes = set()
    for order in permutations(range(4)):
        call_id = requested(services)
        told = {"provider_id": str(call_id)}
        steps: list[Callable[[], object]] = [
            partial(place, services, call_id, str(call_id)),
            partial(record_message, services, status(call_id, "ringing", **told)),
            partial(record_message, services, status(call_id, "ended", **told)),
            partial(record_message, services, report(call_id, **told)),
        ]
        for step in order:
            steps[step]()
        call = services.load_call(call_id)
        outcomes.add(
            (
                call.status,
                call.ended_reason,
                call.cost,
                call.grade,
                call.duration_seconds,
            )
        )
    assert len(outcomes) == 1
    assert outcomes.pop()[0] is CallStatus.ENDED


def test_a_repeated_message_records_nothing(services: Services) -> None:
    call_id = requested(services)
    bodies = [status(call_id, "ringing"), report(call_id), message(call_id, "hang")]
    assert record_message(services, *bodies) == [False] * 3
    events = services.app.recorder.max_notification_id()
    assert record_message(services, *bodies) == [True] * 3
    assert services.app.recorder.max_notification_id() == events
    assert len(documents(services, call_id)) == 3


def test_a_message_before_the_answer_places_the_call(services: Services) -> None:
    call_id = requested(services)
    record_message(services, status(call_id, "ringing"))
    call = services.load_call(call_id)
    campaign = services.load_campaign(call.campaign_id)
    assert call.provider_call_id == PROVIDER_ID
    assert (campaign.state, campaign.started_at) == (CampaignState.RUNNING, NOON)
    events = services.app.recorder.max_notification_id()
    place(services, call_id)
    assert services.app.recorder.max_notification_id() == events


def test_a_message_that_says_nothing_new_is_kept(services: Services) -> None:
    call_id = requested(services)
    place(services, call_id)
    record_message(services, message(call_id, "speech-update"))
    assert services.topics(call_id)[-1] == "message_received"
    [document] = documents(services, call_id)
    assert document["message"]["type"] == "speech-update"


# --- Of no call that is known --------------------------------------------------------


def test_a_message_without_our_id_is_kept_until_its_call_is_known(
    services: Services,
) -> None:
    call_id = requested(services)
    assert record_message(services, status(None, "ringing"), report(None)) == [
        False,
        False,
    ]
    assert record_message(services, report(None)) == [True]
    assert services.topics(call_id) == ["created", "requested"]
    place(services, call_id)
    call = services.load_call(call_id)
    assert (call.status, call.ended_reason) == (CallStatus.ENDED, "customer-ended-call")
    kept = services.app.load(UnmatchedMessage, unmatched_id_of(PROVIDER_ID))
    assert kept.call_id == call_id


def test_a_stored_message_is_attached_when_a_look_up_finds_its_call(
    services: Services,
) -> None:
    call_id = requested(services)
    record_message(services, report(None))
    services.calls.record_lookup(call_id, seen(call_id), grade=ReportGrade.NONE)
    assert services.load_call(call_id).grade is ReportGrade.DELIVERED


def test_a_message_after_the_attachment_reaches_its_call(services: Services) -> None:
    """The read model does not show the provider's id yet."""
    call_id = requested(services)
    services.settle()
    services.read_model.held = True
    record_message(services, status(None, "ringing"))
    place(services, call_id)
    record_message(services, report(None))
    assert services.load_call(call_id).status is CallStatus.ENDED


def test_a_call_known_by_its_provider_s_id_needs_no_other_name(
    services: Services,
) -> None:
    call_id = requested(services)
    place(services, call_id)
    services.settle()
    assert services.calls.record_message(read_message(report(None))).call_id == call_id


def test_a_message_for_an_unknown_call_of_ours_is_kept(services: Services) -> None:
    stranger = uuid4()
    assert services.calls.record_message(read_message(report(stranger))).call_id is None
    [document] = documents(services, unmatched_id_of(PROVIDER_ID))
    assert document["message"]["type"] == "end-of-call-report"


def test_one_message_delivered_many_times_at_once_is_stored_once(
    services: Services,
) -> None:
    call_id = requested(services)
    with ThreadPoolExecutor(6) as threads:
        bodies = [status(call_id, "ringing")] * 6
        list(threads.map(partial(record_message, services), bodies))
    assert len(documents(services, call_id)) == 1
    assert services.topics(call_id).count("ringing") == 1


def test_a_message_without_any_call_is_kept(services: Services) -> None:
    record_message(services, {"message": {"type": "something-new"}})
    assert len(documents(services, unmatched_id_of("none"))) == 1


# --- A second call at the provider ---------------------------------------------------


def test_a_webhook_that_names_a_second_call_is_kept_and_raises_a_suspicion(
    services: Services,
) -> None:
    call_id = requested(services)
    place(services, call_id)
    record_message(services, status(call_id, "ended", provider_id="other"))
    call = services.load_call(call_id)
    campaign = services.load_campaign(call.campaign_id)
    assert (call.status, call.provider_call_id) == (CallStatus.QUEUED, PROVIDER_ID)
    assert call.suspected_provider_call_ids == {"other"}
    assert call.other_provider_call_ids == frozenset()
    assert campaign.pause_cause is PauseCause.DUPLICATE_DETECTED
    assert services.topics(call_id)[-2:] == ["duplicate_suspected", "message_received"]
    assert len(documents(services, call_id)) == 1


def test_more_messages_of_a_second_call_pause_nobody_again(services: Services) -> None:
    call_id = requested(services)
    place(services, call_id)
    record_message(services, status(call_id, "ringing", provider_id="other"))
    campaign_id = services.load_call(call_id).campaign_id
    services.campaigns.resume(campaign_id, by=BY)
    record_message(services, status(call_id, "ended", provider_id="other"))
    assert services.load_campaign(campaign_id).may_dial
    assert len(documents(services, call_id)) == 2


# --- Trouble with the account ---------------------------------------------------------

FROZEN = "call.start.error-subscription-frozen"


def test_an_end_about_the_account_pauses_the_campaign_in_the_same_save(
    services: Services,
) -> None:
    call_id = requested(services, people=2)
    place(services, call_id)
    position = services.app.recorder.max_notification_id() or 0
    record_message(services, status(call_id, "ended", endedReason=FROZEN))
    campaign = services.load_campaign(services.load_call(call_id).campaign_id)
    assert campaign.pause_cause is PauseCause.ACCOUNT
    row = services.board(campaign.id)
    assert row.reason_words_id is not None
    said = services.vault.words(row.reason_words_id)
    assert said == f"A call ended with {FROZEN}."
    stored = services.app.recorder.select_notifications(position + 1, 10)
    assert [one.topic for one in stored] == [
        "call.ended",
        "campaign.paused",
        "number.released",
    ]
    assert [one.attempt for one in services.candidates(campaign.id)] == []


def test_the_pause_and_the_call_have_the_providers_explanation_without_secrets(
    services: Services,
) -> None:
    call_id = requested(services)
    place(services, call_id)
    told = "20003: Authenticate +1 202 555 0171 with token=abcdef123456"
    end = status(call_id, "ended", endedReason=FROZEN, endedMessage=told)
    record_message(services, end)
    [call] = services.call_rows(services.load_call(call_id).campaign_id)
    row = services.board(call.campaign_id)
    assert call.ended_words_id is not None
    assert row.reason_words_id is not None
    explained = "20003: Authenticate ...71 with [redacted]"
    assert services.vault.words(call.ended_words_id) == explained
    said = services.vault.words(row.reason_words_id)
    assert said == f"A call ended with {FROZEN}: {explained}"
    assert "abcdef123456" not in str(services.vault.messages_of(call_id)[0].document)


def test_an_explanation_to_which_no_event_refers_is_not_stored(
    services: Services,
) -> None:
    call_id = requested(services)
    place(services, call_id)
    end = {"endedReason": "customer-busy", "endedMessage": "Busy here"}
    record_message(services, status(call_id, "ended", **end))
    record_message(services, report(call_id, startedAt=None, **end))
    count = "select count(*) from words_vault where subject_id = %s"
    with connect(services.url, name="test") as connection:
        assert connection.execute(count, (call_id,)).fetchone() == (1,)


def test_a_repeated_account_fault_does_not_pause_a_resumed_campaign(
    services: Services,
) -> None:
    call_id = requested(services)
    place(services, call_id)
    record_message(services, status(call_id, "ended", endedReason=FROZEN))
    campaign_id = services.load_call(call_id).campaign_id
    services.campaigns.resume(campaign_id, by=BY)
    record_message(services, report(call_id, endedReason=FROZEN, startedAt=None))
    assert services.load_campaign(campaign_id).may_dial
    assert [one.attempt for one in services.candidates(campaign_id)] == [2]


@pytest.mark.parametrize(
    "reason", ["customer-busy", "call.start.error-vapifault-get-org", "assistant-error"]
)
def test_no_other_end_pauses_anybody_at_once(services: Services, reason: str) -> None:
    call_id = requested(services)
    place(services, call_id)
    record_message(services, status(call_id, "ended", endedReason=reason))
    assert services.load_campaign(services.load_call(call_id).campaign_id).may_dial


def test_an_assistant_that_is_gone_in_the_middle_of_a_call_pauses_nobody(
    services: Services,
) -> None:
    call_id = requested(services)
    place(services, call_id)
    record_message(services, status(call_id, "in-progress"))
    record_message(
        services, status(call_id, "ended", endedReason="assistant-not-found")
    )
    assert services.load_campaign(services.load_call(call_id).campaign_id).may_dial
