"""Queries of the read models: order of pages, counts, shown statuses."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from domain.calls.reports import ReportGrade
from domain.campaigns.campaign_events import SpendAlert
from domain.errors import Invalid
from domain.settings import Settings
from domain.values import (
    CallStatus,
    CampaignState,
    ContactStatus,
    Role,
    SkipReason,
)
from projections import alerts, event_index, spend
from projections.alerts import AlertKind
from projections.calls import call_log
from projections.campaigns import campaign_board
from projections.contacts import contact_import, contact_log
from projections.engine.runner import catch_up
from projections.engine.schema import open_read_pool
from projections.registers import directory, settings_board
from projections.tables.pages import as_cursor
from tests.projections.installation import furnish
from tests.projections.lives import Life
from tests.projections.store import Store


@pytest.fixture
def life() -> Life:
    return Life(Random(0))


def show(store: Store, life: Life) -> None:
    store.append(life.events)
    catch_up(store.conn)


def all_pages(query: Any, **asked: Any) -> list[Any]:
    nodes: list[Any] = []
    after: str | None = None
    while True:
        page = query(after=after, **asked)
        nodes += page.nodes
        assert page.total == asked.get("total", page.total)
        if not page.has_next:
            return nodes
        after = page.end_cursor


def test_campaigns_are_listed_newest_first_page_by_page(
    store: Store, life: Life
) -> None:
    made = [life.open_campaign(0).id for _ in range(5)]
    show(store, life)
    found = all_pages(
        lambda after, **_: campaign_board.page(store.conn, first=2, after=after)
    )
    assert [campaign.id for campaign in found] == made[::-1]
    page = campaign_board.page(store.conn, first=2)
    assert (page.total, page.position) == (5, store.position())


def test_campaigns_are_filtered_by_state_and_any_part_of_the_name(
    store: Store, life: Life
) -> None:
    first, _ = life.open_campaign(0), life.open_campaign(0)
    first.change(
        name="50%_off", cap=1, line_quiet_gating=False, budget=None, **life.stamp()
    )
    life.record(first)
    life.start(first)
    show(store, life)
    conn = store.conn
    queued = campaign_board.page(conn, first=9, states=[CampaignState.QUEUED])
    assert [campaign.id for campaign in queued.nodes] == [first.id]
    found = campaign_board.page(conn, first=9, search="0%_O")
    assert ([one.id for one in found.nodes], found.total) == ([first.id], 1)
    assert campaign_board.page(conn, first=9, search="%").total == 1
    assert campaign_board.page(conn, first=9, search="_").total == 1
    assert campaign_board.page(conn, first=9, search="\\").total == 0


@pytest.mark.parametrize("cursor", ["x", "WzFd", as_cursor(1), "é", ""])
def test_an_invalid_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(Invalid):
        campaign_board.page(store.conn, first=1, after=cursor)


@pytest.mark.parametrize(
    "parts", [("no time", "no id"), (1, None), ({}, []), (2**63, -1)]
)
def test_a_cursor_of_another_list_is_refused(
    store: Store, parts: tuple[Any, Any]
) -> None:
    with pytest.raises(Invalid):
        campaign_board.page(store.conn, first=1, after=as_cursor(*parts))
    with pytest.raises(Invalid):
        contact_log.page(
            store.conn, Life(Random(0)).id(), first=1, after=as_cursor(*parts)
        )


def test_contacts_of_all_imports_are_listed_in_the_order_of_the_files(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(3)
    life.fill_list(campaign, [life.id()])
    life.import_list(campaign, [life.id(), life.id()])
    life.claim(campaign, 2)
    show(store, life)
    found = all_pages(
        lambda after, **_: contact_log.page(
            store.conn, campaign.id, first=2, after=after
        )
    )
    assert [contact.id for contact in found] == life.contacts[campaign.id]
    assert contact_log.page(store.conn, campaign.id, first=2).total == 5


def test_contacts_are_filtered_by_status_in_the_order_of_the_file(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(4)
    life.claim(campaign, 2)
    first, second = (life.calls[id_][0] for id_ in life.contacts[campaign.id][:2])
    life.report(second, ReportGrade.DELIVERED, None, None)
    show(store, life)
    wanted = [ContactStatus.ENDED, ContactStatus.QUEUED]
    page = contact_log.page(store.conn, campaign.id, first=9, statuses=wanted)
    assert [(one.id, one.status) for one in page.nodes] == [
        (first.contact_id, ContactStatus.QUEUED),
        (second.contact_id, ContactStatus.ENDED),
    ]
    assert page.total == 2


def test_in_a_canceled_campaign_pending_contacts_are_shown_as_canceled(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(3)
    life.claim(campaign, 1)
    campaign.cancel(hang_up=False, **life.stamp())
    life.record(campaign)
    show(store, life)
    canceled = [ContactStatus.CANCELED]
    page = contact_log.page(store.conn, campaign.id, first=9, statuses=canceled)
    assert [one.status for one in page.nodes] == canceled * 2
    assert page.total == 2
    pending = [ContactStatus.PENDING]
    assert (
        contact_log.page(store.conn, campaign.id, first=9, statuses=pending).total == 0
    )
    progress = campaign_board.progress(store.conn, campaign.id)
    assert progress is not None
    assert (progress.pending, progress.canceled, progress.active) == (0, 2, 1)
    assert progress.contacts == 3


def test_a_contact_is_known_once_its_list_is_imported(store: Store, life: Life) -> None:
    campaign = life.open_campaign(1)
    (there,) = life.contacts[campaign.id]
    not_yet = life.id()
    life.fill_list(campaign, [not_yet])
    show(store, life)
    conn = store.conn
    assert contact_log.known(conn, campaign.id, [there, not_yet]) == {there}
    assert contact_log.known(conn, life.id(), [there]) == set()
    assert contact_log.get(conn, not_yet) is None
    contact = contact_log.get(conn, there)
    assert contact is not None
    assert (contact.status, contact.name) == (ContactStatus.PENDING, "")


def test_the_personal_data_of_contacts_comes_from_the_vault(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(1)
    (contact_id,) = life.contacts[campaign.id]
    show(store, life)
    store.conn.execute(
        "insert into contact_vault select contact_id, list_id, campaign_id, 'Ann',"
        " 'Acme', '+12025550123', '{\"city\": \"Bonn\"}', 'salt', 'leaf'"
        " from contact_log"
    )
    contact = contact_log.get(store.conn, contact_id)
    assert contact is not None
    assert (contact.name, contact.business_name) == ("Ann", "Acme")
    assert (contact.phone, contact.variables) == ("+12025550123", {"city": "Bonn"})


def test_calls_are_found_by_contact_and_by_provider_call_id(
    store: Store, life: Life
) -> None:
    campaign = life.open_campaign(2)
    life.claim(campaign, 1)
    contact_id, other = life.contacts[campaign.id]
    call = life.calls[contact_id][0]
    life.place(call)
    show(store, life)
    conn = store.conn
    found = call_log.get(conn, call.id)
    assert found is not None
    assert (found.status, found.attempt) == (CallStatus.QUEUED, 1)
    assert call_log.by_provider_call_id(conn, f"p-{call.id}") == found
    assert call_log.by_provider_call_id(conn, "p-none") is None
    assert call_log.of_contact(conn, contact_id) == [found]
    assert call_log.of_contacts(conn, [contact_id, other]) == {
        contact_id: [found],
        other: [],
    }
    assert call_log.of_ids(conn, [call.id]) == {call.id: found}


def test_activity_is_counted_by_time_interval(store: Store, life: Life) -> None:
    campaign = life.open_campaign(3)
    life.claim(campaign, 3)
    calls = [life.calls[id_][0] for id_ in life.contacts[campaign.id]]
    life.now += timedelta(minutes=30)
    for call in calls[:2]:
        life.place(call)
        life.report(call, ReportGrade.DELIVERED, Decimal("0.25"), None)
    calls[2].fail(reason="unknown", **life.stamp())
    life.record(calls[2])
    show(store, life)
    buckets = call_log.activity(store.conn, campaign.id, 60)
    assert [bucket.since for bucket in buckets] == sorted(b.since for b in buckets)
    assert {bucket.since.second for bucket in buckets} == {0}
    assert sum(bucket.placed for bucket in buckets) == 2
    assert sum(bucket.ended for bucket in buckets) == 2
    assert sum(bucket.failed for bucket in buckets) == 1
    assert sum(bucket.spend for bucket in buckets) == Decimal("0.50")


def test_imports_are_listed_with_their_rejected_rows(store: Store, life: Life) -> None:
    campaign = life.open_campaign(3)
    life.fill_list(campaign, [life.id()])
    show(store, life)
    (one,) = contact_import.of_campaign(store.conn, campaign.id)
    assert (one.accepted, one.skipped) == (3, 1)
    assert contact_import.get(store.conn, one.list_id) == one
    store.conn.execute(
        'insert into reject_vault (list_id, "row", message, leaf)'
        " values (%s, 7, 'No name.', 'leaf')",
        (one.list_id,),
    )
    (skipped,) = contact_import.skipped_rows(store.conn, one.list_id)
    assert (skipped.row, skipped.reason) == (7, SkipReason.MISSING_NAME)
    assert skipped.message == "No name."


def test_the_directory_lists_assistants_and_members(store: Store, life: Life) -> None:
    furnish(life)
    show(store, life)
    conn = store.conn
    assert [(one.email, one.role) for one in directory.members(conn)] == [
        ("ann@example.com", Role.ADMIN),
        ("cy@example.com", Role.AUDITOR),
    ]
    assert directory.member(conn, " Ann@example.com") == directory.members(conn)[0]
    assert directory.member(conn, "bob@example.com") is None
    names = [one.name for one in directory.assistants(conn)]
    assert names == ["Assistant 2", "Renamed"]
    everyone = directory.assistants(conn, include_archived=True)
    assert [one.archived for one in everyone] == [True, False, False]
    assert everyone[1].config == {"model": {"provider": "openai"}, "number": 2}
    assert settings_board.get(conn) is not None


def test_alerts_and_allowances_store_no_settings(store: Store, life: Life) -> None:
    settings = Settings.create(**life.stamp())
    settings.report_unknown_reason("new", **life.stamp())
    settings.allow_requests_again(**life.stamp())
    life.record(settings)
    show(store, life)
    assert settings_board.get(store.conn) is None


def test_an_assistant_counts_its_campaigns_that_are_not_finished(
    store: Store, life: Life
) -> None:
    furnish(life)
    open_one, over = life.open_campaign(1), life.open_campaign(1)
    over.cancel(hang_up=False, **life.stamp())
    life.record(over)
    show(store, life)
    assistant = directory.assistants(store.conn)[0]
    store.conn.execute("update campaign_board set assistant_id = %s", (assistant.id,))
    found = directory.assistant(store.conn, assistant.id)
    assert found is not None
    assert found.active_campaigns == 1
    assert open_one.id != over.id


def test_spend_and_alerts_are_listed(store: Store, life: Life) -> None:
    furnish(life)
    campaign = life.open_campaign(1)
    life.claim(campaign, 1)
    (call,) = life.calls[life.contacts[campaign.id][0]]
    day = call.created_on.date()
    life.report(call, ReportGrade.LOOKED_UP, Decimal("0.10"), None)
    life.report(call, ReportGrade.DELIVERED, Decimal("0.30"), None)
    campaign.raise_spend_alert(
        alert=SpendAlert.THRESHOLD,
        spend=Decimal(40),
        budget=Decimal(50),
        **life.stamp(),
    )
    life.record(campaign)
    show(store, life)
    assert spend.spent_on(store.conn, day) == Decimal("0.30")
    (one,) = spend.of_campaigns(store.conn)
    assert (one.campaign_id, one.spend, one.budget) == (
        campaign.id,
        Decimal("0.30"),
        Decimal(50),
    )
    of_campaign, of_day = alerts.about_spending(store.conn)
    assert of_campaign.campaign_id == campaign.id
    assert of_campaign.kind is AlertKind.SPEND_THRESHOLD
    assert of_campaign.message == (
        'Campaign "Campaign 0" has spent 40.00 of its budget of 50.00 US dollars.'
    )
    assert (of_day.campaign_id, of_day.kind) == (None, AlertKind.SPEND_LIMIT)


def test_the_index_lists_the_events_of_an_aggregate(store: Store, life: Life) -> None:
    campaign = life.open_campaign(1)
    show(store, life)
    found = event_index.of_aggregate(store.conn, campaign.id)
    assert [row.type for row in found] == [
        "campaign.created",
        "campaign.contacts_imported",
    ]
    assert {row.campaign_id for row in found} == {campaign.id}
    assert {(row.aggregate_type, row.actor) for row in found} == {
        ("campaign", "ann@example.com")
    }
    assert [row.version for row in found] == [1, 2]


def test_progress_is_read_for_all_or_some_campaigns(store: Store, life: Life) -> None:
    first, second = life.open_campaign(1), life.open_campaign(2)
    show(store, life)
    everything = campaign_board.progress_of(store.conn, None)
    assert {one.campaign_id: one.contacts for one in everything} == {
        first.id: 1,
        second.id: 2,
    }
    (one,) = campaign_board.progress_of(store.conn, [second.id])
    assert one.position == store.position()
    assert set(campaign_board.of_ids(store.conn, [first.id])) == {first.id}


def test_a_read_pool_cannot_write(store: Store, life: Life) -> None:
    life.open_campaign(1)
    show(store, life)
    with open_read_pool(store.url, name="reader", max_size=1) as pool:
        with pool.connection() as conn:
            assert campaign_board.page(conn, first=1).total == 1
        with pool.connection() as conn, pytest.raises(Exception, match="read-only"):
            conn.execute("delete from campaign_board")
