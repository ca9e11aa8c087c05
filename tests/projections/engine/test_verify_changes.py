"""Changes of the log, the vault and the read tables that a verification reports."""

from collections.abc import Callable

import pytest

from projections.engine.verify import Verified
from tests.projections.engine.ledger import Ledger


def test_an_unchanged_database_has_no_problems(ledger: Ledger) -> None:
    assert ledger.verify() == Verified(after=0, up_to=ledger.last, problems=0)
    assert ledger.problems == []
    assert (ledger.mark.up_to, ledger.mark.problem) == (ledger.last, None)
    assert ledger.mark.head == ledger.value("select head from projection_position")


CHANGES: dict[str, tuple[str, str, str]] = {
    "one byte of an event": (
        """update autolynx_events set state = set_byte(state, 20, 90)
            where topic = 'campaign.paused'""",
        "campaign.paused",
        "Event {at} (campaign.paused) was changed.",
    ),
    "who did it": (
        """update autolynx_events
            set state = replace(convert_from(state, 'utf8'), 'ann@', 'bob@')::bytea
            where topic = 'campaign.created'""",
        "campaign.created",
        "Event {at} (campaign.created) was changed.",
    ),
    "an event removed": (
        "delete from autolynx_events where topic = 'campaign.paused'",
        "campaign.paused",
        "Event {at} was removed.",
    ),
    "the last event removed": (
        """delete from autolynx_events where notification_id =
            (select max(notification_id) from autolynx_events)""",
        "campaign.resumed",
        "Event {at} was removed.",
    ),
    "a transcript": (
        """update message_vault set transcript = '[{"message": "No."}]'""",
        "call.reported",
        "of event {at} (call.reported) was changed.",
    ),
    "a phone number": (
        "update contact_vault set phone = '+12025550999' where phone = '+12025550102'",
        "contact_list.rows_accepted",
        "of event {at} (contact_list.rows_accepted) was changed.",
    ),
    "an extension": (
        "update contact_vault set extension = '5' where phone = '+12025550102'",
        "contact_list.rows_accepted",
        "of event {at} (contact_list.rows_accepted) was changed.",
    ),
    "a contact removed": (
        "delete from contact_vault where phone = '+12025550102'",
        "contact_list.rows_accepted",
        "of event {at} (contact_list.rows_accepted) is missing in the vault.",
    ),
    "a leaf, with the salt gone": (
        """with noted as (
                insert into erased_row
                select 'words', id from words_vault where words = 'lunch'
            )
            update words_vault set leaf = salt, salt = null, words = null
            where words = 'lunch'""",
        "campaign.paused",
        "of event {at} (campaign.paused) does not match its digest.",
    ),
    "a skipped row": (
        "update reject_vault set message = 'nothing'",
        "contact_list.rows_skipped",
        "of event {at} (contact_list.rows_skipped) was changed.",
    ),
    "a campaign's key": (
        "update key_vault set key = 'k'",
        "contact_list.created",
        "of event {at} (contact_list.created) was changed.",
    ),
    "a counter": (
        "update campaign_board set pending = pending + 1",
        "campaign.resumed",
        "pending is 2, the events say 1 (event {at}).",
    ),
    "a call's cost": (
        "update call_log set cost = 0.01",
        "call.reported",
        "cost is 0.01, the events say 0.31 (event {at}).",
    ),
    "the index": (
        "update event_index set actor = 'nobody' where type = 'campaign.paused'",
        "campaign.paused",
        "actor is nobody, the events say ann@example.com.",
    ),
    "the chain's end": (
        "update projection_position set head = 'x'",
        "campaign.resumed",
        "The chain does not lead to event {at}.",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_reported_with_its_position(ledger: Ledger, what: str) -> None:
    statement, topic, message = CHANGES[what]
    at = ledger.position_of(topic)
    ledger.execute(statement)
    found = ledger.found()
    assert any(
        position == at and message.format(at=at) in message_end
        for position, message_end in found
    ), found
    assert (ledger.mark.problem_position, ledger.mark.problem) == found[0]


EMPTIED = {
    "contact_list.created": """update key_vault set salt = null, key = null
        where campaign_id in (select campaign_id from contact_vault)""",
    "contact_list.rows_skipped": """update reject_vault set salt = null,
        reason = null, message = null, cells = null""",
    "contact_list.rows_accepted": """update contact_vault set salt = null,
        name = null, business_name = null, phone = null, variables = null
        where phone = '+12025550102'""",
    "call.reported": """update message_vault set salt = null, document = null,
        recording_url = null, transcript = null where transcript is not null""",
    "campaign.paused": """update words_vault set salt = null, words = null
        where words = 'lunch'""",
}


def test_a_vault_row_emptied_without_an_erasure_is_reported(
    ledger: Ledger,
) -> None:
    for statement in EMPTIED.values():
        ledger.execute(statement)
    found = dict(ledger.found())
    for topic in (*EMPTIED, "call.ended"):  # The report is the proof of both.
        message_end = found.pop(ledger.position_of(topic))
        assert (
            f"({topic}) is empty, and no erasure or retention explains it"
            in message_end
        )
    assert found == {}


def test_an_inserted_event_is_reported(ledger: Ledger) -> None:
    """At a position never assigned, at the end, and before the first event."""
    insert = (
        "insert into autolynx_events select %s, 1, topic, state, %s"
        " from autolynx_events where topic = 'campaign.created' limit 1"
    )
    end = ledger.last + 100
    for number, position in enumerate((-5, end)):
        ledger.execute(insert, f"00000000-0000-0000-0000-00000000000{number}", position)
    found = ledger.found()
    assert found[0] == (-5, "Event -5 (campaign.created) was inserted.")
    assert found[1][0] == end
    assert "was inserted" in found[1][1]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("version", "topic", "message_end"),
    [
        (7, "campaign.paused", "is version 7 without the one before it."),
        (1, "campaign.paused", "cannot be version 1 of its stream."),
    ],
)
def test_an_appended_event_must_have_the_next_version_of_its_stream(
    ledger: Ledger, version: int, topic: str, message_end: str
) -> None:
    ledger.execute(
        "insert into autolynx_events (originator_id, originator_version, topic, state)"
        " select gen_random_uuid(), %s, topic, state from autolynx_events"
        " where topic = %s",
        version,
        topic,
    )
    ledger.services.settle()
    assert ledger.found() == [
        (ledger.last, f"Event {ledger.last} ({topic}) {message_end}")
    ]


def test_all_problems_are_reported(ledger: Ledger) -> None:
    topics = ("contact_list.closed", "call.placed", "campaign.paused")
    positions = sorted(map(ledger.position_of, topics))
    ledger.execute(
        "update autolynx_events set state = state || ' ' where topic = any(%s)",
        list(topics[1:]),
    )
    ledger.execute("delete from autolynx_events where topic = %s", topics[0])
    ledger.execute("update campaign_board set cap = 77")
    found = ledger.found()
    assert [at for at, _ in found[:3]] == positions
    assert "cap is 77" in found[-1][1]


def test_a_restored_log_has_no_problems(ledger: Ledger) -> None:
    ledger.verify()
    restored = ledger.mark
    ledger.execute("create table kept as select * from autolynx_events")
    changes: list[Callable[[], None]] = [
        lambda: ledger.execute(
            "update autolynx_events set state = state || ' ' where notification_id = 4"
        ),
        lambda: ledger.execute("delete from autolynx_events where notification_id = 4"),
    ]
    for change in changes:
        change()
        assert ledger.found()[0][0] == 4
        assert (ledger.mark.up_to, ledger.mark.head) == (restored.up_to, restored.head)
        assert ledger.found(incremental=True)[0][0] == 4, "it did not begin again"
        ledger.execute("delete from autolynx_events")
        ledger.execute("insert into autolynx_events select * from kept")
        assert ledger.found() == []
    assert ledger.mark == restored


def test_an_unreadable_event_is_reported_and_ends_the_comparison(
    ledger: Ledger,
) -> None:
    ledger.execute("update autolynx_events set state = '{' where notification_id = 3")
    found = ledger.found()
    assert [at for at, _ in found] == [3, 3]
    assert "was changed" in found[0][1]
    assert "cannot be projected" in found[1][1]
