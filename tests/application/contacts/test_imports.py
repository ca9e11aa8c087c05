import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.campaigns import CampaignChange
from application.contacts import list_import
from application.contacts.imports import NewCampaign
from application.errors import ReadModelBehind
from domain.campaigns.campaign import Campaign
from domain.contacts.contact_list import ContactList
from domain.errors import Conflict, Invalid, NotFound, WrongState
from domain.values import CampaignState, SkipReason, campaign_id_of
from projections.contacts import contact_import, contact_log
from projections.contacts.contact_row import ContactRow
from tests.wiring import BY, NOON, House, phones

MANY = 5
"""Contacts, which are more than a fact and a transaction hold in these tests."""


class Crash(Exception):
    """The process is gone."""


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_import, "ROWS_PER_EVENT", 1)
    monkeypatch.setattr(list_import, "ROWS_PER_TRANSACTION", 2)


def people_of(house: House, campaign_id: UUID) -> list[ContactRow]:
    house.settle()
    with house.reading.connection() as conn:
        return list(contact_log.page(conn, campaign_id, first=100).nodes)


def numbers_of(house: House, campaign_id: UUID) -> list[str]:
    return [person.phone for person in people_of(house, campaign_id)]


def asked(house: House, people: int = MANY, **wanted: Any) -> NewCampaign:
    return house.new_campaign(house.staged.stage(phones(people)), **wanted)


def create(house: House, new: NewCampaign) -> UUID:
    return house.imports.create_campaign(new, default_cap=8, by=BY).campaign_id


def add(house: House, campaign_id: UUID, people: list[str]) -> UUID:
    """Import more people; return the list."""
    upload_id = house.staged.stage(people)
    house.imports.import_contacts(campaign_id, upload_id, by=BY)
    return upload_id


def crash_at(
    house: House, step: int, *, stored: bool, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], int]:
    """End the process at that append, before or after it is stored; count appends."""
    append, seen = house.app.append, 0

    def crashing(*changed: Any, **rest: Any) -> int | None:
        nonlocal seen
        seen += 1
        if seen == step and not stored:
            raise Crash
        position = append(*changed, **rest)
        if seen == step:
            raise Crash
        return position

    monkeypatch.setattr(house.app, "append", crashing)
    return lambda: seen


# --- A campaign from a file -------------------------------------------------------


def test_every_accepted_row_becomes_a_contact_in_the_files_order(
    house: House, small_steps: None
) -> None:
    campaign_id = create(house, asked(house))
    people = people_of(house, campaign_id)
    assert [person.phone for person in people] == phones(MANY)
    assert people[0].name == "Person 1"
    assert people[0].variables == {"plan": "gold"}
    assert house.board(campaign_id).pending == MANY
    assert house.board(campaign_id).state is CampaignState.CREATED


def test_an_import_reports_its_progress(house: House, small_steps: None) -> None:
    told: list[int] = []
    house.imports.create_campaign(
        asked(house), default_cap=8, by=BY, on_progress=told.append
    )
    assert told == [2, 4, MANY]


def test_every_rejected_row_is_kept_with_its_number_and_reason(
    house: House, small_steps: None
) -> None:
    upload_id = house.staged.stage(phones(2), rejects=(4, 7, 9))
    create(house, house.new_campaign(upload_id))
    house.settle()
    with house.reading.connection() as conn:
        skipped = contact_import.skipped_rows(conn, upload_id)
    assert [row.row for row in skipped] == [4, 7, 9]
    assert {row.reason for row in skipped} == {SkipReason.MISSING_NAME}
    assert {row.message for row in skipped} == {"The name is missing."}


def test_rejects_that_are_only_counted_are_skipped_rows_of_the_import(
    house: House, small_steps: None
) -> None:
    upload_id = house.staged.stage(phones(2), rejects=(4, 7, 9), not_kept=40)
    create(house, house.new_campaign(upload_id))
    house.settle()
    with house.reading.connection() as conn:
        imported = contact_import.get(conn, upload_id)
        assert imported is not None
        assert (imported.accepted, imported.skipped) == (2, 43)
        assert contact_import.rejects_not_kept(conn, imported) == 40


def test_an_import_that_broke_off_counts_its_rejects_once(
    house: House, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = house.new_campaign(house.staged.stage(phones(3), (5, 6, 7), not_kept=40))
    for step in range(1, 8):
        with monkeypatch.context() as patched, suppress(Crash):
            crash_at(house, step, stored=True, monkeypatch=patched)
            create(house, new)
    create(house, new)
    contacts = house.app.load(ContactList, new.upload_id)
    assert (contacts.accepted, contacts.skipped) == (3, 43)


def test_the_same_request_again_answers_the_same_campaign(house: House) -> None:
    new = asked(house)
    first = create(house, new)
    events = house.app.recorder.max_notification_id()
    assert create(house, new) == first
    assert house.app.recorder.max_notification_id() == events


def test_the_same_file_does_not_become_another_campaign(house: House) -> None:
    new = asked(house)
    create(house, new)
    with pytest.raises(Conflict):
        create(house, replace(new, budget=Decimal(9)))


def test_the_same_request_is_the_same_after_the_campaign_was_changed(
    house: House,
) -> None:
    """A click whose answer was lost is repeated whenever the network is back."""
    new = asked(house, cap=None)
    campaign_id = create(house, new)
    house.campaigns.change(campaign_id, CampaignChange(cap=2), by=BY)
    assert create(house, new) == campaign_id


def test_two_requests_at_once_make_one_campaign(house: House) -> None:
    new = asked(house)
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: create(house, new), range(4)))
    assert len(made) == 1
    assert numbers_of(house, made.pop()) == phones(MANY)


def test_a_file_with_no_row_to_call_is_refused(house: House) -> None:
    with pytest.raises(Invalid):
        create(house, house.new_campaign(house.staged.stage([], rejects=(2,))))


def test_an_upload_that_expired_is_not_found(house: House) -> None:
    new = asked(house)
    upload = house.staged.files[new.upload_id]
    house.staged.files[new.upload_id] = replace(upload, expires_at=NOON)
    with pytest.raises(NotFound):
        create(house, new)


def test_an_unknown_assistant_is_refused_before_anything_is_stored(
    house: House,
) -> None:
    new = replace(asked(house), assistant_id=uuid4())
    events = house.app.recorder.max_notification_id()
    with pytest.raises(Invalid):
        create(house, new)
    assert house.app.recorder.max_notification_id() == events


@pytest.mark.parametrize("stored", [False, True])
def test_a_crash_at_any_step_is_made_good_by_trying_again(
    house: House, small_steps: None, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    step, crashed = 0, True
    while crashed:
        step += 1
        crashed = _crash_then_try_again(house, step, stored)
    assert step > 5, "every step was broken once"


def _crash_then_try_again(house: House, step: int, stored: bool) -> bool:
    upload_id = house.staged.stage(phones(MANY), rejects=(4, 9))
    new = house.new_campaign(upload_id)
    with pytest.MonkeyPatch.context() as monkeypatch:
        count = crash_at(house, step, stored=stored, monkeypatch=monkeypatch)
        with suppress(Crash):
            create(house, new)
        crashed = count() >= step
    campaign_id = create(house, new)
    assert numbers_of(house, campaign_id) == phones(MANY)
    campaign = house.load_campaign(campaign_id)
    assert campaign.contacts == MANY
    assert campaign.lists == frozenset({upload_id})
    assert house.app.load(ContactList, upload_id).skipped == 2
    return crashed


def test_an_import_that_broke_off_counts_nowhere(
    house: House, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = house.campaign(phones(2))
    with monkeypatch.context() as patched:
        crash_at(house, 3, stored=True, monkeypatch=patched)
        with pytest.raises(Crash):
            add(house, campaign_id, phones(4, first=100))
    assert numbers_of(house, campaign_id) == phones(2)
    assert house.board(campaign_id).contacts == 2
    assert len(house.candidates(campaign_id)) == 2


def test_the_caller_gets_an_error_if_the_read_model_is_behind(house: House) -> None:
    new = asked(house)
    house.read_model.held = True
    with pytest.raises(ReadModelBehind):
        create(house, new)
    house.read_model.held = False
    assert numbers_of(house, create(house, new)) == phones(MANY)


# --- More people for a campaign -------------------------------------------------


def test_added_contacts_come_after_the_earlier_ones(house: House) -> None:
    campaign_id = house.campaign(phones(2))
    add(house, campaign_id, phones(2, first=50))
    assert numbers_of(house, campaign_id) == phones(2) + phones(2, first=50)
    assert house.board(campaign_id).pending == 4


def test_a_row_of_a_number_already_in_the_campaign_is_skipped(
    house: House,
) -> None:
    campaign_id = house.campaign(phones(3))
    list_id = add(house, campaign_id, [*phones(1, first=50), *phones(2, first=1)])
    house.settle()
    with house.reading.connection() as conn:
        skipped = contact_import.skipped_rows(conn, list_id)
    assert [(row.row, row.reason) for row in skipped] == [
        (3, SkipReason.DUPLICATE_IN_CAMPAIGN),
        (4, SkipReason.DUPLICATE_IN_CAMPAIGN),
    ]
    assert numbers_of(house, campaign_id) == phones(3) + phones(1, first=50)


def test_each_extension_of_a_number_is_a_contact_of_its_own(house: House) -> None:
    number = "+12025550140"
    people = [number, f"{number} ext. 1", f"{number} ext. 2"]
    campaign_id = house.campaign(people)
    list_id = add(house, campaign_id, [f"{number} ext. 2", f"{number} ext. 3"])
    shown = [(one.phone, one.extension) for one in people_of(house, campaign_id)]
    assert shown == [(number, None), (number, "1"), (number, "2"), (number, "3")]
    [reject] = house.vault.rejects(list_id)
    assert reject.reason == SkipReason.DUPLICATE_IN_CAMPAIGN
    assert f"{number} ext. 2" in reject.cells


def test_a_contact_without_extension_has_the_id_that_release_1_gave_it(
    house: House,
) -> None:
    campaign_id = house.campaign(["+12025550140", "+12025550140 ext. 1"])
    key = house.vault.campaign_key(campaign_id)
    assert key is not None
    plain, extended = people_of(house, campaign_id)
    hashed = hmac.digest(key, b"+12025550140", "sha256")
    assert plain.id == UUID(bytes=hashed[:16])
    assert extended.id != plain.id


def test_the_same_import_again_adds_nobody(house: House) -> None:
    campaign_id = house.campaign(phones(2))
    list_id = add(house, campaign_id, phones(2, first=50))
    house.imports.import_contacts(campaign_id, list_id, by=BY)
    assert house.board(campaign_id).contacts == 4


def test_a_finished_campaign_refuses_contacts(house: House) -> None:
    campaign_id = house.campaign(phones(2))
    house.campaigns.cancel(campaign_id, hang_up=False, by=BY)
    with pytest.raises(WrongState):
        add(house, campaign_id, phones(2, first=50))


def test_a_file_of_another_campaign_is_refused(house: House) -> None:
    new = asked(house)
    create(house, new)
    other = house.campaign(phones(2))
    with pytest.raises(Conflict):
        house.imports.import_contacts(other, new.upload_id, by=BY)


def test_a_list_that_is_never_imported_takes_nobody_from_another_list(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows name the same people; only one of the two lists was counted in."""
    campaign_id, both = house.campaign(phones(2)), phones(2, first=50)
    append, overtaken = house.app.append, house.staged.stage(both)

    def overtake(*changed: Any, **rest: Any) -> int | None:
        if any(isinstance(one, ContactList) and one.accepted for one in changed):
            monkeypatch.setattr(house.app, "append", append)
            add(house, campaign_id, both)
        return append(*changed, **rest)

    monkeypatch.setattr(house.app, "append", overtake)
    with pytest.raises(Conflict):
        house.imports.import_contacts(campaign_id, overtaken, by=BY)

    assert numbers_of(house, campaign_id) == phones(2) + both
    assert len(house.candidates(campaign_id)) == 4
    person = people_of(house, campaign_id)[2]
    assert house.lookups.known(campaign_id, [person.id]) == {person.id}
    found = house.lookups.contact(person.id)
    assert found is not None
    assert found.phone == both[0]


def test_an_import_beside_another_is_refused_and_can_be_uploaded_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = house.campaign(phones(2))
    slow = house.staged.stage(phones(1, first=50))
    count_in = house.imports._count_in

    def overtaken(*args: Any) -> None:
        monkeypatch.setattr(house.imports, "_count_in", count_in)
        add(house, campaign_id, phones(1, first=60))
        count_in(*args)

    monkeypatch.setattr(house.imports, "_count_in", overtaken)
    with pytest.raises(Conflict):
        house.imports.import_contacts(campaign_id, slow, by=BY)
    add(house, campaign_id, phones(1, first=50))
    assert house.board(campaign_id).contacts == 4


def test_a_campaign_is_named_by_its_upload(house: House) -> None:
    new = asked(house)
    assert create(house, new) == campaign_id_of(new.upload_id)
    assert isinstance(house.app.find(Campaign, campaign_id_of(new.upload_id)), Campaign)
