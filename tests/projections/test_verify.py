"""Whatever is changed behind the log's back is named, and restored it is clean."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from projections.engine.chain import Problem
from projections.engine.rebuild import RebuildUnderWay, alone, rebuild
from projections.engine.runner import catch_up
from projections.engine.schema import create_read_model
from projections.engine.verify import CHECK, Verified, verify
from provider.vapi.reading import read_message
from storage.database import Conn, connect
from storage.log.verification_state import Mark, read_mark
from tests.wiring import BY, NOON, House, housed

SOON = NOON + timedelta(seconds=5)


@dataclass
class Ledger:
    """A house in which something happened, and what is found when it is verified."""

    house: House
    conn: Conn
    told: list[Problem] = field(default_factory=list)

    def verify(self, *, incremental: bool = False) -> Verified:
        self.told.clear()
        return verify(
            self.house.url,
            now=lambda: NOON,
            incremental=incremental,
            on_problem=self.told.append,
        )

    def named(self, *, incremental: bool = False) -> list[tuple[int | None, str]]:
        self.verify(incremental=incremental)
        return [(problem.position, problem.message) for problem in self.told]

    def position_of(self, topic: str) -> int:
        query = "select max(notification_id) from autolynx_events where topic = %s"
        return int(self.value(query, topic))

    def value(self, query: str, *values: Any) -> Any:
        row = self.conn.execute(query.encode(), values).fetchone()
        assert row is not None
        return row[0]

    def do(self, statement: str, *values: Any) -> None:
        assert self.conn.execute(statement.encode(), values).rowcount > 0

    def live_on(self, provider_id: str = "p-9") -> None:
        """Let one more call be made, and end."""
        house = self.house
        view = house.snapshot()
        [call_id] = house.claim(view.campaigns[0].id)
        live_through(house, call_id, provider_id)
        house.settle()

    @property
    def last(self) -> int:
        return int(self.value("select max(notification_id) from autolynx_events"))

    @property
    def mark(self) -> Mark:
        mark = read_mark(self.conn)
        assert mark is not None
        return mark


def live_through(house: House, call_id: Any, provider_id: str) -> None:
    house.calls.request(call_id, dial_before=SOON)
    house.calls.place(call_id, provider_call_id=provider_id, placed_at=NOON)
    call = {
        "id": provider_id,
        "createdAt": "2026-03-02T12:00:00Z",
        "assistantOverrides": {"metadata": {"autolynx_call_id": str(call_id)}},
    }
    message = {
        "type": "end-of-call-report",
        "call": call,
        "endedReason": "customer-ended-call",
        "cost": 0.31,
        "startedAt": "2026-03-02T12:00:05Z",
        "endedAt": "2026-03-02T12:01:05Z",
        "artifact": {"messages": [{"role": "user", "message": "Yes, please."}]},
    }
    house.calls.record_message(read_message({"message": message}))


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with housed(database) as house, connect(house.url, name="test") as conn:
        upload = house.staged.stage(["+12025550101", "+12025550102"], rejects=[7])
        new = house.new_campaign(upload)
        made = house.imports.create_campaign(new, default_cap=8, by=BY)
        house.campaigns.start(made.campaign_id, by=BY)
        [call_id] = house.claim(made.campaign_id)
        live_through(house, call_id, "p-1")
        house.campaigns.pause(made.campaign_id, by=BY, reason="lunch")
        house.campaigns.resume(made.campaign_id, by=BY)
        house.settle()
        conn.execute("set search_path = read, public")
        yield Ledger(house, conn)


def test_what_nobody_touched_is_clean(ledger: Ledger) -> None:
    assert ledger.verify() == Verified(after=0, up_to=ledger.last, problems=0)
    assert ledger.told == []
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
        "of event {at} (campaign.paused) is another than it was.",
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
def test_a_change_is_named_with_its_position(ledger: Ledger, what: str) -> None:
    statement, topic, message = CHANGES[what]
    at = ledger.position_of(topic)
    ledger.do(statement)
    named = ledger.named()
    assert any(
        position == at and message.format(at=at) in said for position, said in named
    ), named
    assert (ledger.mark.problem_position, ledger.mark.problem) == named[0]


EMPTIED = {
    "contact_list.created": "update key_vault set salt = null, key = null",
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


def test_a_row_that_was_emptied_without_an_erasure_is_named(ledger: Ledger) -> None:
    for statement in EMPTIED.values():
        ledger.do(statement)
    named = dict(ledger.named())
    for topic in (*EMPTIED, "call.ended"):  # The report is the proof of both.
        said = named.pop(ledger.position_of(topic))
        assert f"({topic}) was emptied, and no erasure accounts for it" in said
    assert named == {}


def test_an_inserted_event_is_named(ledger: Ledger) -> None:
    """In a place that was never used, at the end, and before the beginning."""
    insert = (
        "insert into autolynx_events select %s, 1, topic, state, %s"
        " from autolynx_events where topic = 'campaign.created' limit 1"
    )
    end = ledger.last + 100
    for number, position in enumerate((-5, end)):
        ledger.do(insert, f"00000000-0000-0000-0000-00000000000{number}", position)
    named = ledger.named()
    assert named[0] == (-5, "Event -5 (campaign.created) was inserted.")
    assert named[1][0] == end
    assert "was inserted" in named[1][1]
    assert len(named) == 2


@pytest.mark.parametrize(
    ("version", "topic", "said"),
    [
        (7, "campaign.paused", "is version 7 without the one before it."),
        (1, "campaign.paused", "cannot be version 1 of its stream."),
    ],
)
def test_an_event_put_at_the_end_must_fit_its_stream(
    ledger: Ledger, version: int, topic: str, said: str
) -> None:
    ledger.do(
        "insert into autolynx_events (originator_id, originator_version, topic, state)"
        " select gen_random_uuid(), %s, topic, state from autolynx_events"
        " where topic = %s",
        version,
        topic,
    )
    ledger.house.settle()
    assert ledger.named() == [(ledger.last, f"Event {ledger.last} ({topic}) {said}")]


def test_every_problem_is_named_and_none_hides_another(ledger: Ledger) -> None:
    topics = ("contact_list.closed", "call.placed", "campaign.paused")
    positions = sorted(map(ledger.position_of, topics))
    ledger.do(
        "update autolynx_events set state = state || ' ' where topic = any(%s)",
        list(topics[1:]),
    )
    ledger.do("delete from autolynx_events where topic = %s", topics[0])
    ledger.do("update campaign_board set cap = 77")
    named = ledger.named()
    assert [at for at, _ in named[:3]] == positions
    assert "cap is 77" in named[-1][1]


def test_restored_it_is_clean(ledger: Ledger) -> None:
    ledger.verify()
    restored = ledger.mark
    ledger.do("create table kept as select * from autolynx_events")
    changes: list[Callable[[], None]] = [
        lambda: ledger.do(
            "update autolynx_events set state = state || ' ' where notification_id = 4"
        ),
        lambda: ledger.do("delete from autolynx_events where notification_id = 4"),
    ]
    for change in changes:
        change()
        assert ledger.named()[0][0] == 4
        assert (ledger.mark.up_to, ledger.mark.head) == (restored.up_to, restored.head)
        assert ledger.named(incremental=True)[0][0] == 4, "it did not begin again"
        ledger.do("delete from autolynx_events")
        ledger.do("insert into autolynx_events select * from kept")
        assert ledger.named() == []
    assert ledger.mark == restored


def test_an_event_that_cannot_be_read_is_named_and_ends_the_recount(
    ledger: Ledger,
) -> None:
    ledger.do("update autolynx_events set state = '{' where notification_id = 3")
    named = ledger.named()
    assert [at for at, _ in named] == [3, 3]
    assert "was changed" in named[0][1]
    assert "cannot be projected" in named[1][1]


def test_it_goes_on_from_the_last_clean_run(ledger: Ledger) -> None:
    assert ledger.verify().after == 0
    first = ledger.last
    assert ledger.verify(incremental=True).after == first
    ledger.live_on()
    assert ledger.verify(incremental=True) == Verified(first, ledger.last, 0)
    assert ledger.value(f"select position from {CHECK}.projection_position") == (
        ledger.last
    )


def test_going_on_it_finds_what_was_changed_since(ledger: Ledger) -> None:
    ledger.verify()
    ledger.live_on()
    at = ledger.position_of("call.reported")
    ledger.do(
        "update autolynx_events set state = state || ' ' where notification_id = %s", at
    )
    ledger.do("update campaign_board set ended = 0")
    named = ledger.named(incremental=True)
    assert named[0] == (at, f"Event {at} (call.reported) was changed.")
    assert "ended is 0, the events say 2" in named[-1][1]


def test_going_on_it_begins_again_where_the_tables_have_another_form(
    ledger: Ledger,
) -> None:
    ledger.verify()
    ledger.conn.execute(f"alter table {CHECK}.spend_by_day add column more text")
    assert ledger.verify(incremental=True) == Verified(0, ledger.last, 0)


def test_a_cut_tail_shows_though_the_index_was_cut_too(ledger: Ledger) -> None:
    ledger.verify()
    end = ledger.last
    ledger.do("delete from autolynx_events where notification_id > %s", end - 3)
    made_anew(ledger)
    named = ledger.named()
    assert named[0] == (
        end - 2,
        f"The log ends at event {end - 3}; it was verified up to event {end}.",
    )
    assert ledger.named()[0] == named[0], "the evidence was overwritten"


def test_a_chain_that_was_computed_anew_is_not_the_one_that_was_verified(
    ledger: Ledger,
) -> None:
    ledger.verify()
    end = ledger.last
    ledger.do(
        "update autolynx_events"
        " set state = replace(convert_from(state, 'utf8'), 'ann@', 'bob@')::bytea"
        " where topic = 'campaign.paused'"
    )
    made_anew(ledger)
    assert ledger.named() == [
        (end, f"The chain at event {end} is not the one that was verified.")
    ]
    assert ledger.named() != [], "the evidence was overwritten"


def made_anew(ledger: Ledger) -> None:
    """Make chain and read tables of the log as it is now."""
    ledger.conn.execute("drop schema read cascade")
    with connect(ledger.house.url, name="anew") as conn:
        create_read_model(conn)
        catch_up(conn)


def test_events_may_come_meanwhile(ledger: Ledger) -> None:
    lived: list[int] = []

    def progress(done: int, _of: int) -> None:
        if not lived:
            ledger.live_on()
        lived.append(done)

    before = ledger.last
    verified = verify(ledger.house.url, now=lambda: NOON, progress=progress)
    assert verified == Verified(0, ledger.last, 0)
    assert ledger.last > before
    assert ledger.mark.up_to == ledger.last
    assert lived == sorted(lived)
    assert ledger.verify(incremental=True).after == ledger.last


def test_neither_a_rebuild_nor_another_runs_beside_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.engine.verify.LOCK_SECONDS", 0.1)
    with (
        connect(ledger.house.url, name="other") as conn,
        alone(conn),
        pytest.raises(RebuildUnderWay),
    ):
        ledger.verify()
    rebuild(ledger.house.url)
    assert ledger.named() == []


def test_a_table_of_another_version_is_named_in_one_line_and_not_compared(
    ledger: Ledger,
) -> None:
    ledger.do("update call_log set attempt = attempt + 1")
    ledger.conn.execute("comment on table call_log is 'form of another version'")
    [(position, message)] = ledger.named()
    assert position is None
    assert message == (
        "Not compared: read tables of another version: call_log; a projector of this"
        " version rebuilds them when it starts, or run:"
        " autolynx projections rebuild call_log."
    )


def test_the_result_names_the_projections_to_rebuild(ledger: Ledger) -> None:
    ledger.do("update charged_calls set cost = cost + 1")
    ledger.do("update contact_log set attempt = attempt + 1")
    assert ledger.verify().rebuild == ("contact_log", "spend")
    rebuild(ledger.house.url, name="contact_log")
    assert ledger.verify().rebuild == ("spend",)
    rebuild(ledger.house.url)
    assert ledger.verify().rebuild == ()
