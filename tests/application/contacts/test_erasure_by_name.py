"""An erasure also finds texts with the name, or the number in another spelling."""

import re
from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from application.contacts.files.contact_rows import AcceptedRow, SkippedRow
from application.contacts.files.findings import Findings
from application.contacts.files.uploads import RejectedRow
from domain.calls.unmatched_message import unmatched_id_of
from domain.values import SkipReason
from projections.calls.message_retention import MessageRetention
from provider.vapi.messages.reading import read_message
from storage.database import connect
from storage.process.alert_outbox import AlertOutbox, OutgoingAlert
from storage.process.decisions import Decision, Reason
from storage.vault.erasure import ErasureStore, any_spelling, distinctive_digits
from storage.vault.uploads import NewUpload, UploadStore
from tests.application.contacts.erasing import (
    FIRST,
    SECOND,
    erase,
    problems,
    waits_for_its_turn,
)
from tests.child_process import join
from tests.database_dump import dumped, relation_files, statistics
from tests.support import eventually
from tests.wiring import BY, NOON, Services

PHONE, OTHER = FIRST, SECOND
NAME = "Person 1"
SPELLINGS = [
    "+12025550000",
    "12025550000",
    "(202) 555-0000",
    "202.555.0000",
    "001 202 555 00 00",
    "call me at 202-555-0000, please",
    "tel:+1-202-555-0000;ext=12",
    "202 \u2013 555 \u2013 0000",
    "\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff10\uff10\uff10",
    "\u0662\u0660\u0662\u0665\u0665\u0665\u0660\u0660\u0660\u0660",
]


def stray(provider_id: str = "unknown", **customer: Any) -> Any:
    """Return a message about a call that the log does not know."""
    call = {"id": provider_id, "customer": customer}
    fields = {"type": "status-update", "status": "ringing", "timestamp": 1}
    return read_message({"message": {**fields, "call": call}})


def kept(services: Services, provider_id: str = "unknown") -> bool:
    return bool(services.vault.messages_of(unmatched_id_of(provider_id)))


def skip(services: Services, *rows: tuple[SkipReason, tuple[str, ...]]) -> None:
    """Import a file with one contact, PHONE, and these skipped rows."""
    upload = services.staged.stage([PHONE])
    services.staged.rejected[upload] = [
        RejectedRow(number, reason, "It is wrong.", cells)
        for number, (reason, cells) in enumerate(rows, start=10)
    ]
    made = services.imports.create_campaign(
        services.new_campaign(upload), default_cap=8, by=BY
    )
    assert len(services.vault.rejects(upload)) == len(rows)
    services.settle()
    erase(services)
    assert services.load_campaign(made.campaign_id).id == made.campaign_id


@pytest.mark.parametrize(
    "cells",
    [
        ("Person 1", "", "gold"),
        ("1, PERSON", "", "gold"),
        ("person", "1", "n/a"),
        ("Person  1", "20255500", ""),
        ("Nobody", "202/555-0000 x3", ""),
    ],
    ids=["name", "turned round", "two cells", "short number", "own number"],
)
def test_a_skipped_row_with_name_or_number_is_emptied(
    services: Services, cells: tuple[str, ...]
) -> None:
    skip(services, (SkipReason.INVALID_PHONE, cells))
    left = dumped(services.url)
    for cell in cells:
        assert not cell or f'"{cell}"'.encode() not in left
    assert problems(services) == []


def test_skipped_rows_of_other_people_are_kept(services: Services) -> None:
    others = (
        (SkipReason.DUPLICATE_IN_FILE, ("Person 1", OTHER)),
        (SkipReason.INVALID_PHONE, ("Person 11", "20255")),
        (SkipReason.MISSING_PHONE, ("Person", "")),
    )
    skip(services, *others)
    left = dumped(services.url)
    for cell in (OTHER, "Person 11", '"Person"'):
        assert cell.encode() in left


def test_messages_about_an_unknown_call_are_removed_in_every_spelling(
    services: Services,
) -> None:
    services.campaign(1)
    for n, spelling in enumerate(SPELLINGS):
        services.calls.record_message(stray(f"id {n}", number=spelling))
        assert kept(services, f"id {n}")
    erase(services)
    assert [s for n, s in enumerate(SPELLINGS) if kept(services, f"id {n}")] == []
    left = dumped(services.url)
    assert [text for text in SPELLINGS if text.encode() in left] == []
    assert problems(services) == []


def test_an_unmatched_message_with_only_the_name_is_emptied(
    services: Services,
) -> None:
    services.campaign(1)
    services.calls.record_message(stray("theirs", name="PERSON  1 (office)"))
    services.calls.record_message(stray("another's", name="Person 2"))
    erase(services)
    assert not kept(services, "theirs")
    assert kept(services, "another's")
    assert problems(services) == []


def test_later_messages_about_an_erased_number_are_not_stored(
    services: Services,
) -> None:
    services.campaign(1)
    erase(services)
    for n, spelling in enumerate(SPELLINGS):
        services.calls.record_message(
            stray(f"{n}", number=spelling, name="A later name")
        )
    services.calls.record_message(stray("another's", number=OTHER, name="Someone else"))
    left = dumped(services.url)
    assert [text for text in SPELLINGS if text.encode() in left] == []
    assert b"A later name" not in left
    assert b"Someone else" in left
    services.settle()
    assert problems(services) == []


def test_a_message_that_is_stored_during_the_erasure_is_emptied(
    services: Services,
) -> None:
    """The message waits for the append lock until the erasure is stored."""
    services.campaign(1)
    storing = Thread(
        target=lambda: services.calls.record_message(stray(number=PHONE)), daemon=True
    )
    with connect(services.url, name="test") as conn:
        with conn.transaction():
            conn.execute("select autolynx_append_lock('{}', '{}')")
            storing.start()
            eventually(lambda: waits_for_its_turn(conn), what="the append")
            digits = distinctive_digits(PHONE)
            conn.execute(
                "insert into erased_number values (autolynx_number_digest(%s), %s)",
                (digits, len(digits)),
            )
        join(storing)
    assert not kept(services)
    services.settle()
    assert problems(services) == []


def test_only_a_digest_of_the_erased_number_is_stored(services: Services) -> None:
    services.campaign(1)
    erase(services)
    with connect(services.url, name="test") as conn:
        [(digest, digits)] = conn.execute("select * from erased_number").fetchall()
    assert digits == len("2025550000")
    assert len(digest) == 32


def test_a_name_without_letters_matches_nothing(services: Services) -> None:
    upload = services.staged.stage([PHONE])
    [row] = services.staged.staged[upload]
    services.staged.staged[upload] = [row._replace(name="-")]
    services.staged.rejected[upload] = [
        RejectedRow(
            10, SkipReason.MISSING_PHONE, "No phone.", ("Somebody Else", "", "-")
        )
    ]
    services.imports.create_campaign(
        services.new_campaign(upload), default_cap=8, by=BY
    )
    services.calls.record_message(stray(name="-", number=""))
    services.settle()
    erase(services)
    assert kept(services)
    assert b"Somebody Else" in dumped(services.url)
    assert problems(services) == []


def test_reasons_of_members_that_mention_the_person_are_emptied(
    services: Services,
) -> None:
    campaign_id = services.campaign([PHONE, OTHER])
    services.campaigns.pause(campaign_id, by=BY, reason="person 1 complains")
    services.campaigns.resume(campaign_id, by=BY)
    services.campaigns.pause(campaign_id, by=BY, reason="(202) 555 0000 complains")
    services.campaigns.resume(campaign_id, by=BY)
    services.campaigns.pause(campaign_id, by=BY, reason="lunch")
    erase(services)
    left = dumped(services.url)
    assert b"complains" not in left
    assert b"lunch" in left
    assert problems(services) == []


def fill_all_tables(services: Services) -> None:
    """Store the person in each table that can contain personal data."""
    campaign_id = services.campaign([PHONE, OTHER])
    services.calls.record_message(stray(number="(202) 555-0000", name=NAME))
    store = UploadStore(services.writing)
    for name, life in (("waits.csv", timedelta(days=1)), ("over.csv", timedelta(0))):
        upload = NewUpload(uuid4(), name, "US", BY, NOON, NOON + life)
        with store.receive(upload) as reception:
            reception.write(
                [
                    AcceptedRow(2, NAME, "", PHONE, {"plan": "gold"}),
                    SkippedRow(3, SkipReason.MISSING_PHONE, "No phone.", (NAME, "")),
                ]
            )
            reception.complete(Findings(("name", "phone")))
    alerts = [
        OutgoingAlert(1, {"message": f"{NAME} was called twice."}),
        OutgoingAlert(2, {"message": "The budget is spent."}),
    ]
    AlertOutbox(services.writing).keep(alerts, wanted=True)
    AlertOutbox(services.writing).failed(
        1, error=f"no {PHONE}", wait=0, give_up_after=60
    )
    reason = Reason("PAUSED", "202-555-0000 complains", 1)
    services.process_records.write_decisions(
        [Decision(campaign_id, NOON, 1, 0, (reason,))]
    )
    with connect(services.url, name="test") as conn:
        conn.execute("analyze")


def personal(content: bytes) -> list[str]:
    written = (PHONE[1:], "(202) 555-0000", "202-555-0000", NAME)
    return [text for text in written if text.encode() in content]


def test_no_table_and_no_statistic_contains_the_person_after_an_erasure(
    services: Services,
) -> None:
    fill_all_tables(services)
    assert personal(dumped(services.url))
    assert personal(statistics(services.url))
    erase(services)
    assert ErasureStore(services.writing).compact()
    assert personal(dumped(services.url)) == []
    assert personal(statistics(services.url)) == []
    assert OTHER.encode() in dumped(services.url)
    assert b"The budget is spent." in dumped(services.url)
    assert problems(services) == []


def test_no_file_of_a_rewritten_table_contains_the_person(services: Services) -> None:
    fill_all_tables(services)
    assert PHONE.encode() in relation_files(services.url)
    erase(services)
    written = (PHONE[1:], "(202) 555-0000", "202-555-0000")

    def is_gone() -> bool:
        # An automatic analyze at the same time may keep a page until the next run.
        assert ErasureStore(services.writing).compact(rewrite=True)
        left = relation_files(services.url)
        assert OTHER.encode() in left
        return not any(text.encode() in left for text in written)

    eventually(is_gone, what="no file with the person")


def test_an_older_transaction_that_keeps_row_versions_is_reported(
    services: Services,
) -> None:
    services.campaign(1)
    with connect(services.url, name="dump") as dump, dump.transaction():
        dump.execute("set transaction isolation level repeatable read")
        dump.execute("select count(*) from contact_vault")
        erase(services)
        assert not ErasureStore(services.writing).compact(patience=0.2)
    assert ErasureStore(services.writing).compact()


@given(
    digits=st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True),
    gaps=st.lists(st.sampled_from(["", " ", "-", ". ", ") ", " / "]), min_size=9),
)
def test_a_number_is_found_in_any_spelling(digits: str, gaps: list[str]) -> None:
    spelled = "".join(a + b for a, b in zip(digits, [*gaps[:9], ""], strict=True))
    assert re.search(any_spelling(f"+1{digits}"), f"at {spelled}!")


def test_a_time_is_not_recognised_as_a_number() -> None:
    assert not re.search(any_spelling("+12603021200"), "2026-03-02T12:00:00Z")


@pytest.mark.parametrize(
    ("phone", "digits"),
    [
        ("+12025550000", "2025550000"),
        ("+442079460000", "2079460000"),
        ("+29041234", "29041234"),
    ],
)
def test_a_short_national_number_is_recognised_with_its_country(
    phone: str, digits: str
) -> None:
    assert distinctive_digits(phone) == digits


def test_json_that_is_not_an_object_is_searched_too(database: str) -> None:
    query = "select autolynx_mentions(%s::jsonb, %s, %s::text[])"
    with connect(database, name="test") as conn:
        for document in (12025550000, "2025550000", [{"a": ["202 555 0000"]}]):
            values: tuple[Any, ...] = (Jsonb(document), any_spelling(PHONE), [])
            assert conn.execute(query, values).fetchone() == (True,)


def test_every_personal_column_of_an_erased_contact_is_empty(
    services: Services,
) -> None:
    """A column that is added to the vault later must be emptied too."""
    services.campaign([PHONE, OTHER])
    erase(services)
    query = """
        select key from contact_vault v, jsonb_each(to_jsonb(v)) as cell (key, value)
        where v.salt is null and value <> 'null'::jsonb order by key
    """
    with connect(services.url, name="test") as conn:
        left = [key for (key,) in conn.execute(query)]
    assert left == ["campaign_id", "contact_id", "leaf", "list_id"]


def test_a_call_whose_early_message_was_withheld_can_still_be_placed(
    services: Services,
) -> None:
    [call_id] = services.claim(services.campaign(1))
    assert services.calls.request(call_id, dial_before=NOON + timedelta(seconds=5))
    services.calls.lose_outcome(call_id, reason="time-out")
    erase(services)
    services.calls.record_message(stray("theirs", number=PHONE))
    services.calls.place(call_id, provider_call_id="theirs", placed_at=NOON)
    services.settle()
    assert services.load_call(call_id).provider_call_id == "theirs"
    assert MessageRetention(services.writing).wipe_messages_of_erased() == 0
    assert problems(services) == []
