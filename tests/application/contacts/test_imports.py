import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.campaigns.campaigns import CampaignChange
from application.contacts import list_import
from application.contacts.imports import NewCampaign
from application.errors import ReadModelBehind
from domain.campaigns.campaign import Campaign
from domain.contacts.contact_list import ContactList
from domain.errors import Conflict, Invalid, NotFound, WrongState
from domain.values import CampaignState, SkipReason, campaign_id_of
from projections.contacts import contact_import, contact_log
from projections.contacts.contact_row import ContactRow
from tests.wiring import BY, NOON, Services, phones

MANY = 5
"""Contacts, which are more than a fact and a transaction hold in these tests."""


class Crash(Exception):
    """The process is gone."""


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_import, "ROWS_PER_EVENT", 1)
    monkeypatch.setattr(list_import, "ROWS_PER_TRANSACTION", 2)


def people_of(services: Services, campaign_id: UUID) -> list[ContactRow]:
    services.settle()
    with services.reading.connection() as conn:
        return list(contact_log.page(conn, campaign_id, first=100).nodes)


def numbers_of(services: Services, campaign_id: UUID) -> list[str]:
    return [person.phone for person in people_of(services, campaign_id)]


def asked(services: Services, people: int = MANY, **wanted: Any) -> NewCampaign:
    return services.new_campaign(services.staged.stage(phones(people)), **wanted)


def create(services: Services, new: NewCampaign) -> UUID:
    return services.imports.create_campaign(new, default_cap=8, by=BY).campaign_id


def add(services: Services, campaign_id: UUID, people: list[str]) -> UUID:
    """Import more people; return the list."""
    upload_id = services.staged.stage(people)
    services.imports.import_contacts(campaign_id, upload_id, by=BY)
    return upload_id


def crash_at(
    services: Services, step: int, *, stored: bool, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], int]:
    """End the process at that append, before or after it is stored; count appends."""
    append, seen = services.app.append, 0

    def crashing(*changed: Any, **rest: Any) -> int | None:
        nonlocal seen
        seen += 1
        if seen == step and not stored:
            raise Crash
        position = append(*changed, **rest)
        if seen == step:
            raise Crash
        return position

    monkeypatch.setattr(services.app, "append", crashing)
    return lambda: seen


# --- A campaign from a file -------------------------------------------------------


def test_every_accepted_row_becomes_a_contact_in_the_files_order(
    services: Services, small_steps: None
) -> None:
    campaign_id = create(services, asked(services))
    people = people_of(services, campaign_id)
    assert [person.phone for person in people] == phones(MANY)
    assert people[0].name == "Person 1"
    assert people[0].variables == {"plan": "gold"}
    assert services.board(campaign_id).pending == MANY
    assert services.board(campaign_id).state is CampaignState.CREATED


def test_an_import_reports_its_progress(services: Services, small_steps: None) -> None:
    progress: list[int] = []
    services.imports.create_campaign(
        asked(services), default_cap=8, by=BY, on_progress=progress.append
    )
    assert progress == [2, 4, MANY]


def test_every_rejected_row_is_kept_with_its_number_and_reason(
    services: Services, small_steps: None
) -> None:
    upload_id = services.staged.stage(phones(2), rejects=(4, 7, 9))
    create(services, services.new_campaign(upload_id))
    services.settle()
    with services.reading.connection() as conn:
        skipped = contact_import.skipped_rows(conn, upload_id)
    assert [row.row for row in skipped] == [4, 7, 9]
    assert {row.reason for row in skipped} == {SkipReason.MISSING_NAME}
    assert {row.message for row in skipped} == {"The name is missing."}


def test_rejects_that_are_only_counted_are_skipped_rows_of_the_import(
    services: Services, small_steps: None
) -> None:
    upload_id = services.staged.stage(phones(2), rejects=(4, 7, 9), not_kept=40)
    create(services, services.new_campaign(upload_id))
    services.settle()
    with services.reading.connection() as conn:
        imported = contact_import.get(conn, upload_id)
        assert imported is not None
        assert (imported.accepted, imported.skipped) == (2, 43)
        assert contact_import.rejects_not_kept(conn, imported) == 40


def test_an_import_that_broke_off_counts_its_rejects_once(
    services: Services, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = services.new_campaign(
        services.staged.stage(phones(3), (5, 6, 7), not_kept=40)
    )
    for step in range(1, 8):
        with monkeypatch.context() as patched, suppress(Crash):
            crash_at(services, step, stored=True, monkeypatch=patched)
            create(services, new)
    create(services, new)
    contacts = services.app.load(ContactList, new.upload_id)
    assert (contacts.accepted, contacts.skipped) == (3, 43)


def test_the_same_request_again_answers_the_same_campaign(services: Services) -> None:
    new = asked(services)
    first = create(services, new)
    events = services.app.recorder.max_notification_id()
    assert create(services, new) == first
    assert services.app.recorder.max_notification_id() == events


def test_the_same_file_does_not_become_another_campaign(services: Services) -> None:
    new = asked(services)
    create(services, new)
    with pytest.raises(Conflict):
        create(services, replace(new, budget=Decimal(9)))


def test_the_same_request_is_the_same_after_the_campaign_was_changed(
    services: Services,
) -> None:
    """A click whose answer was lost is repeated whenever the network is back."""
    new = asked(services, cap=None)
    campaign_id = create(services, new)
    services.campaigns.change(campaign_id, CampaignChange(cap=2), by=BY)
    assert create(services, new) == campaign_id


def test_two_requests_at_once_make_one_campaign(services: Services) -> None:
    new = asked(services)
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: create(services, new), range(4)))
    assert len(made) == 1
    assert numbers_of(services, made.pop()) == phones(MANY)


def test_a_file_with_no_row_to_call_is_refused(services: Services) -> None:
    with pytest.raises(Invalid):
        create(services, services.new_campaign(services.staged.stage([], rejects=(2,))))


def test_an_upload_that_expired_is_not_found(services: Services) -> None:
    new = asked(services)
    upload = services.staged.files[new.upload_id]
    services.staged.files[new.upload_id] = replace(upload, expires_at=NOON)
    with pytest.raises(NotFound):
        create(services, new)


def test_an_unknown_assistant_is_refused_before_anything_is_stored(
    services: Services,
) -> None:
    new = replace(asked(services), assistant_id=uuid4())
    events = services.app.recorder.max_notification_id()
    with pytest.raises(Invalid):
        create(services, new)
    assert services.app.recorder.max_notification_id() == events


@pytest.mark.parametrize("stored", [False, True])
def test_a_crash_at_any_step_is_made_good_by_trying_again(
    services: Services, small_steps: None, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    step, crashed = 0, True
    while crashed:
        step += 1
        crashed = _crash_then_try_again(services, step, stored)
    assert step > 5, "every step was broken once"


def _crash_then_try_again(services: Services, step: int, stored: bool) -> bool:
    upload_id = services.staged.stage(phones(MANY), rejects=(4, 9))
    new = services.new_campaign(upload_id)
    with pytest.MonkeyPatch.context() as monkeypatch:
        count = crash_at(services, step, stored=stored, monkeypatch=monkeypatch)
        with suppress(Crash):
            create(services, new)
        crashed = count() >= step
    campaign_id = create(services, new)
    assert numbers_of(services, campaign_id) == phones(MANY)
    campaign = services.load_campaign(campaign_id)
    assert campaign.contacts == MANY
    assert campaign.lists == frozenset({upload_id})
    assert services.app.load(ContactList, upload_id).skipped == 2
    return crashed


def test_an_import_that_broke_off_counts_nowhere(
    services: Services, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = services.campaign(phones(2))
    with monkeypatch.context() as patched:
        crash_at(services, 3, stored=True, monkeypatch=patched)
        with pytest.raises(Crash):
            add(services, campaign_id, phones(4, first=100))
    assert numbers_of(services, campaign_id) == phones(2)
    assert services.board(campaign_id).contacts == 2
    assert len(services.candidates(campaign_id)) == 2


def test_a_campaign_is_created_while_the_read_model_is_behind(
    services: Services,
) -> None:
    new = asked(services)
    services.read_model.held = True
    campaign_id = create(services, new)
    assert services.load_campaign(campaign_id).contacts == MANY
    services.read_model.held = False
    assert numbers_of(services, campaign_id) == phones(MANY)


def test_contacts_are_not_added_while_the_read_model_is_behind(
    services: Services,
) -> None:
    """Duplicates of the campaign's contacts are found in the read model."""
    campaign_id = services.campaign(phones(2))
    services.read_model.held = True
    with pytest.raises(ReadModelBehind):
        add(services, campaign_id, phones(4))
    services.read_model.held = False
    add(services, campaign_id, phones(4))
    assert numbers_of(services, campaign_id) == phones(4)


# --- More people for a campaign -------------------------------------------------


def test_added_contacts_come_after_the_earlier_ones(services: Services) -> None:
    campaign_id = services.campaign(phones(2))
    add(services, campaign_id, phones(2, first=50))
    assert numbers_of(services, campaign_id) == phones(2) + phones(2, first=50)
    assert services.board(campaign_id).pending == 4


def test_a_row_of_a_number_already_in_the_campaign_is_skipped(
    services: Services,
) -> None:
    campaign_id = services.campaign(phones(3))
    list_id = add(services, campaign_id, [*phones(1, first=50), *phones(2, first=1)])
    services.settle()
    with services.reading.connection() as conn:
        skipped = contact_import.skipped_rows(conn, list_id)
    assert [(row.row, row.reason) for row in skipped] == [
        (3, SkipReason.DUPLICATE_IN_CAMPAIGN),
        (4, SkipReason.DUPLICATE_IN_CAMPAIGN),
    ]
    assert numbers_of(services, campaign_id) == phones(3) + phones(1, first=50)


def test_each_extension_of_a_number_is_a_contact_of_its_own(services: Services) -> None:
    number = "+12025550140"
    people = [number, f"{number} ext. 1", f"{number} ext. 2"]
    campaign_id = services.campaign(people)
    list_id = add(services, campaign_id, [f"{number} ext. 2", f"{number} ext. 3"])
    shown = [(one.phone, one.extension) for one in people_of(services, campaign_id)]
    assert shown == [(number, None), (number, "1"), (number, "2"), (number, "3")]
    [reject] = services.vault.rejects(list_id)
    assert reject.reason == SkipReason.DUPLICATE_IN_CAMPAIGN
    assert f"{number} ext. 2" in reject.cells


def test_a_contact_without_extension_has_the_id_that_release_1_gave_it(
    services: Services,
) -> None:
    campaign_id = services.campaign(["+12025550140", "+12025550140 ext. 1"])
    key = services.vault.campaign_key(campaign_id)
    assert key is not None
    plain, extended = people_of(services, campaign_id)
    hashed = hmac.digest(key, b"+12025550140", "sha256")
    assert plain.id == UUID(bytes=hashed[:16])
    assert extended.id != plain.id


def test_the_same_import_again_adds_nobody(services: Services) -> None:
    campaign_id = services.campaign(phones(2))
    list_id = add(services, campaign_id, phones(2, first=50))
    services.imports.import_contacts(campaign_id, list_id, by=BY)
    assert services.board(campaign_id).contacts == 4


def test_a_finished_campaign_refuses_contacts(services: Services) -> None:
    campaign_id = services.campaign(phones(2))
    services.campaigns.cancel(campaign_id, hang_up=False, by=BY)
    with pytest.raises(WrongState):
        add(services, campaign_id, phones(2, first=50))


def test_a_file_of_another_campaign_is_refused(services: Services) -> None:
    new = asked(services)
    create(services, new)
    other = services.campaign(phones(2))
    with pytest.raises(Conflict):
        services.imports.import_contacts(other, new.upload_id, by=BY)


def test_a_list_that_is_never_imported_takes_nobody_from_another_list(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows name the same people; only one of the two lists was counted in."""
    campaign_id, both = services.campaign(phones(2)), phones(2, first=50)
    append, overtaken = services.app.append, services.staged.stage(both)

    def overtake(*changed: Any, **rest: Any) -> int | None:
        if any(isinstance(one, ContactList) and one.accepted for one in changed):
            monkeypatch.setattr(services.app, "append", append)
            add(services, campaign_id, both)
        return append(*changed, **rest)

    monkeypatch.setattr(services.app, "append", overtake)
    with pytest.raises(Conflict):
        services.imports.import_contacts(campaign_id, overtaken, by=BY)

    assert numbers_of(services, campaign_id) == phones(2) + both
    assert len(services.candidates(campaign_id)) == 4
    person = people_of(services, campaign_id)[2]
    assert services.lookups.known(campaign_id, [person.id]) == {person.id}
    found = services.lookups.contact(person.id)
    assert found is not None
    assert found.phone == both[0]


def test_an_import_beside_another_is_refused_and_can_be_uploaded_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = services.campaign(phones(2))
    slow = services.staged.stage(phones(1, first=50))
    count_in = services.imports._count_in

    def overtaken(*args: Any) -> None:
        monkeypatch.setattr(services.imports, "_count_in", count_in)
        add(services, campaign_id, phones(1, first=60))
        count_in(*args)

    monkeypatch.setattr(services.imports, "_count_in", overtaken)
    with pytest.raises(Conflict):
        services.imports.import_contacts(campaign_id, slow, by=BY)
    add(services, campaign_id, phones(1, first=50))
    assert services.board(campaign_id).contacts == 4


def test_a_campaign_is_named_by_its_upload(services: Services) -> None:
    new = asked(services)
    assert create(services, new) == campaign_id_of(new.upload_id)
    assert isinstance(
        services.app.find(Campaign, campaign_id_of(new.upload_id)), Campaign
    )
