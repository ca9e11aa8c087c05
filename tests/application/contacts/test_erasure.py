"""An erased person is removed from the database and is not called again."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.contacts.files.contact_rows import AcceptedRow, SkippedRow
from application.contacts.files.findings import Findings
from application.ports import Origin
from domain.calls.reports import ReportGrade
from domain.contacts.contact import Contact
from domain.values import (
    ContactStatus,
    SkipReason,
    call_id_of,
)
from provider.vapi.messages.reading import read_call, read_message
from storage.database import connect
from storage.vault.uploads import NewUpload, UploadStore
from tests.application.contacts.erasing import (
    CALL,
    FIRST,
    KEPT,
    SECOND,
    SOON,
    body_of,
    called,
    contacts,
    counters,
    erase,
    problems,
    report,
)
from tests.database_dump import dumped
from tests.wiring import BY, NOON, Services, as_chosen


def test_no_personal_data_is_left_in_the_database(services: Services) -> None:
    early = read_message(body_of(None, "status-update", status="ringing", timestamp=1))
    services.calls.record_message(early)
    campaign_id = services.campaign(3)
    services.campaign([SECOND, FIRST])
    call_id = called(services, campaign_id)
    services.calls.record_message(read_message(report(call_id)))
    services.imports.import_contacts(
        services.campaign([KEPT]), services.staged.stage([FIRST, KEPT]), by=BY
    )
    before = counters(services, campaign_id)
    assert dumped(services.url).count(FIRST[1:].encode()) > 3
    done = erase(services)
    assert (len(done.contacts), done.calls, done.live) == (3, 1, 0)
    left = dumped(services.url)
    for personal in (FIRST[1:], "Person 1 speaking", "r.example"):
        assert personal.encode() not in left
    assert KEPT.encode() in left
    assert counters(services, campaign_id) == before == {"ended": 1, "pending": 2}
    assert problems(services) == []


def test_place_consent_and_own_id_of_an_erased_contact_are_removed(
    services: Services,
) -> None:
    services.campaign(2)
    with connect(services.url, name="test") as connection:
        connection.execute(
            "update contact_vault set attributes = json_build_object("
            "'external_id', 'Own-17-' || phone, 'consent_source', 'fair ' || phone)"
        )
    assert f"Own-17-{FIRST}".encode() in dumped(services.url)
    erase(services)
    left = dumped(services.url)
    for erased in (f"Own-17-{FIRST}", f"fair {FIRST}"):
        assert erased.encode() not in left
    assert f"Own-17-{SECOND}".encode() in left


def test_the_log_shows_who_erased_a_contact(services: Services) -> None:
    campaign_id = services.campaign(2)
    [contact_id] = erase(services).contacts
    [event] = services.app.recorder.select_events(contact_id)
    assert event.topic == "contact.erased"
    assert services.app.load(Contact, contact_id).campaign_id == campaign_id
    assert BY.encode() in event.state
    row, other = contacts(services, campaign_id)
    assert (row.id, row.name, row.phone, row.variables) == (contact_id, "", "", {})
    assert row.erased_at == NOON
    assert (other.phone, other.erased_at) == (SECOND, None)


def test_an_erased_contact_that_was_not_called_is_canceled_and_not_claimed(
    services: Services,
) -> None:
    campaign_id = services.campaign(2)
    [contact_id] = erase(services).contacts
    assert counters(services, campaign_id) == {"pending": 1, "canceled": 1}
    found = [candidate.contact_id for candidate in services.candidates(campaign_id)]
    assert contact_id not in found
    assert len(found) == 1
    assert erase(services).contacts == ()
    assert counters(services, campaign_id) == {"pending": 1, "canceled": 1}


def test_a_released_claim_of_an_erased_contact_is_canceled(
    services: Services,
) -> None:
    campaign_id = services.campaign(1)
    [call_id] = services.claim(campaign_id)
    assert erase(services).live == 1
    assert counters(services, campaign_id) == {"queued": 1}
    assert services.calls.request(call_id, dial_before=SOON) is None
    services.calls.release_claim(call_id)
    assert counters(services, campaign_id) == {"canceled": 1}
    assert services.candidates(campaign_id) == ()
    assert problems(services) == []


def test_a_call_that_did_not_ring_has_no_next_attempt_after_an_erasure(
    services: Services,
) -> None:
    campaign_id = services.campaign(1)
    call_id = called(services, campaign_id)
    [contact_id] = erase(services).contacts
    ended = {"status": "ended", "endedReason": "call.start.error-x", "timestamp": 1}
    services.calls.record_message(
        read_message(body_of(call_id, "status-update", **ended))
    )
    assert counters(services, campaign_id) == {"canceled": 1}
    assert services.topics(contact_id) == ["erased", "withdrawn"]
    assert services.candidates(campaign_id) == ()
    assert problems(services) == []


def test_an_erasure_decides_again_if_the_contact_is_claimed_meanwhile(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contact is claimed while the erasure is about to be stored."""
    campaign_id = services.campaign(1)
    append, claimed = services.app.append, list[Any]()

    def later(*changed: Any, **more: Any) -> int | None:
        if not claimed and isinstance(changed[-1], Contact):
            claimed.append(None)
            claimed.extend(services.claim(campaign_id))
        return append(*changed, **more)

    monkeypatch.setattr(services.app, "append", later)
    [contact_id] = erase(services).contacts
    assert claimed[1:] == [call_id_of(contact_id, 1)]
    assert counters(services, campaign_id) == {"queued": 1}
    services.calls.release_claim(claimed[1])
    assert counters(services, campaign_id) == {"canceled": 1}


def test_a_claim_with_an_older_snapshot_leaves_out_an_erased_contact(
    services: Services,
) -> None:
    campaign_id = services.campaign(2)
    view, found = services.snapshot(), services.candidates(campaign_id)
    [erased] = erase(services).contacts
    chosen = [as_chosen(campaign_id, one) for one in found]
    claimed = services.claims.claim(chosen, seen=view.claims_seen)
    services.settle()
    assert claimed.dropped == (call_id_of(erased, 1),)
    assert len(claimed.calls) == 1
    assert counters(services, campaign_id) == {"queued": 1, "canceled": 1}


def test_a_call_found_after_a_restore_and_an_erasure_is_recorded(
    services: Services,
) -> None:
    """The contact was called after the backup and is erased after the restore."""
    campaign_id = services.campaign(2)
    [contact_id] = erase(services).contacts
    call_id, origin = call_id_of(contact_id, 1), Origin(campaign_id, contact_id, 1)
    assert services.claims.adopt(call_id, origin)
    assert not services.claims.adopt(call_id, origin)
    shown = read_call(report(call_id)["message"] | CALL | {"status": "in-progress"})
    assert shown is not None
    services.calls.record_lookup(call_id, shown, grade=ReportGrade.NONE)
    assert counters(services, campaign_id) == {"pending": 1, "in_progress": 1}
    services.calls.record_message(read_message(report(call_id)))
    assert counters(services, campaign_id) == {"pending": 1, "ended": 1}
    left = dumped(services.url)
    assert FIRST[1:].encode() not in left
    assert b"Person 1 speaking" not in left
    assert problems(services) == []


def test_a_later_import_skips_an_erased_contact_without_its_data(
    services: Services,
) -> None:
    campaign_id = services.campaign(2)
    erase(services)
    upload_id = services.staged.stage([FIRST, SECOND, KEPT])
    services.imports.import_contacts(campaign_id, upload_id, by=BY)
    rejects = [(row.row, row.reason) for row in services.vault.rejects(upload_id)]
    assert rejects == [
        (2, SkipReason.ERASED),
        (3, SkipReason.DUPLICATE_IN_CAMPAIGN),
    ]
    assert FIRST[1:].encode() not in dumped(services.url)
    shown = [(row.phone, row.status) for row in contacts(services, campaign_id)]
    assert shown[0] == ("", ContactStatus.CANCELED)
    assert {phone for phone, _ in shown[1:]} == {SECOND, KEPT}


def test_erasing_a_number_erases_all_its_extensions(services: Services) -> None:
    # Extensions long enough not to occur by chance in an id of the dump.
    first_extension, second_extension = "4711093", "4712093"
    people = [f"{FIRST} ext. {first_extension}", FIRST, SECOND]
    campaign_id = services.campaign(people)
    services.campaign([f"{FIRST} ext. {second_extension}"])
    assert len(erase(services).contacts) == 3
    left = dumped(services.url)
    personal = (FIRST[1:], first_extension, second_extension)
    assert not [part for part in personal if part.encode() in left]
    shown = [(row.phone, row.extension) for row in contacts(services, campaign_id)]
    assert shown == [("", None), ("", None), (SECOND, None)]
    assert problems(services) == []


def test_a_later_import_skips_extensions_of_an_erased_number(
    services: Services,
) -> None:
    campaign_id = services.campaign(2)
    erase(services)
    upload_id = services.staged.stage([f"{FIRST} ext. 5", f"{KEPT} ext. 5"])
    services.imports.import_contacts(campaign_id, upload_id, by=BY)
    rejects = [(row.row, row.reason) for row in services.vault.rejects(upload_id)]
    assert rejects == [(2, SkipReason.ERASED)]
    shown = [(row.phone, row.extension) for row in contacts(services, campaign_id)]
    assert (KEPT, "5") in shown
    assert FIRST[1:].encode() not in dumped(services.url)


def test_rows_that_only_mention_the_person_are_emptied_and_recorded(
    services: Services,
) -> None:
    campaign_id = services.campaign(2)
    again = services.staged.stage([FIRST, KEPT])
    services.imports.import_contacts(campaign_id, again, by=BY)
    services.campaigns.pause(campaign_id, by=BY, reason=f"{FIRST} complains")
    stray = body_of(None, "status-update", status="ringing", timestamp=1)
    services.calls.record_message(read_message(stray))
    erase(services)
    assert FIRST[1:].encode() not in dumped(services.url)
    with connect(services.url, name="test") as conn:
        kinds = conn.execute("select kind from erased_row order by kind").fetchall()
    assert kinds == [("message",), ("reject",), ("words",)]
    assert problems(services) == []


def test_rows_of_the_person_are_removed_from_a_pending_upload(
    services: Services,
) -> None:
    store = UploadStore(services.writing)
    upload = NewUpload(uuid4(), "a.csv", "US", BY, NOON, NOON + timedelta(days=1))
    with store.receive(upload) as reception:
        spelled = ("Person 1", "(202) 555-0000")
        extended = ("Person 1", "(202) 555-0000 ext. 101")
        arabic = ("Person 1", "\u0662\u0660\u0662 \u0665\u0665\u0665 \u0660" * 2)
        message = f"Row 2 has {FIRST} already."
        reception.write(
            [
                AcceptedRow(2, "Person 1", "", FIRST, {}),
                AcceptedRow(3, "Person 2", "", SECOND, {}),
                SkippedRow(4, SkipReason.DUPLICATE_IN_FILE, "Is there.", spelled),
                SkippedRow(5, SkipReason.INVALID_PHONE, "Two.", extended),
                SkippedRow(6, SkipReason.DUPLICATE_IN_FILE, message, arabic),
            ]
        )
        reception.complete(Findings(("name", "phone")))
    erase(services)
    left = dumped(services.url)
    assert b"Person 1" not in left
    assert b"555-0000" not in left
    [row] = store.rows(upload.id, 0, 10)
    assert row.phone == SECOND
    kept = store.get(upload.id, NOON)
    assert kept is not None
    assert kept.accepted == 1
