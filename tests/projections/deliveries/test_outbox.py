"""The outbox: each message once for each endpoint, whatever happens to read tables."""

from datetime import timedelta
from decimal import Decimal

import orjson
import pytest

from domain.campaigns.campaign_events import SpendAlert
from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.outcomes import CallOutcome, Disposition, Withheld
from domain.values import PauseCause
from projections.deliveries.queue import remove_old
from projections.engine.rebuild import rebuild
from projections.engine.runner import Batches, catch_up
from projections.engine.schema import create_read_model, drop_schema
from storage.database import connect
from tests.webhooks import (
    add_endpoint,
    bodies,
    end_call,
    finish_call,
    place_call,
    queued,
)
from tests.webhooks import rows as rows_of
from tests.wiring import BY, House

BUSY = CallingTerms(
    RetryPolicy(2, 5, 1, 7, (RetryRule((CallOutcome.BUSY,), 1, (30,)),))
)
FINISHED = ["call.finished", "contact.finished"]


def test_a_finished_campaign_sends_one_message_for_each_fact(house: House) -> None:
    endpoint, _ = add_endpoint(house)
    campaign = house.campaign(1)
    finish_call(house, campaign)
    house.campaigns.complete(campaign, version=house.load_campaign(campaign).version)
    assert queued(house, endpoint) == [
        "campaign.started",
        *FINISHED,
        "campaign.completed",
    ]


def test_each_endpoint_gets_the_types_that_it_asks_for(house: House) -> None:
    everything, _ = add_endpoint(house)
    calls, _ = add_endpoint(house, "call.finished")
    none, _ = add_endpoint(house, "campaign.failed")
    finish_call(house, house.campaign(1))
    assert queued(house, everything) == ["campaign.started", *FINISHED]
    assert queued(house, calls) == ["call.finished"]
    assert queued(house, none) == []


def test_an_endpoint_gets_nothing_from_before_it_was_added_in_the_same_batch(
    house: House,
) -> None:
    earlier, _ = add_endpoint(house, "campaign.paused")
    campaign = house.campaign(1)
    house.campaigns.pause(campaign, by=BY)
    added, _, _ = house.webhook_endpoints.add("https://b.example.com", [], by=BY)
    house.campaigns.cancel(campaign, hang_up=False, by=BY)
    house.settle()
    assert queued(house, earlier) == ["campaign.paused"]
    assert queued(house, added.id) == ["campaign.canceled"]


def test_a_disabled_endpoint_gets_nothing_about_that_time(house: House) -> None:
    endpoint, _ = add_endpoint(house)
    campaign = house.campaign(1)
    house.webhook_endpoints.update(endpoint, enabled=False, by=BY)
    house.settle()
    house.campaigns.pause(campaign, by=BY)
    house.webhook_endpoints.update(endpoint, enabled=True, by=BY)
    house.settle()
    house.campaigns.cancel(campaign, hang_up=False, by=BY)
    assert queued(house, endpoint) == ["campaign.canceled"]


def test_a_rebuild_of_the_read_tables_adds_no_message(house: House) -> None:
    endpoint, _ = add_endpoint(house)
    finish_call(house, house.campaign(1))
    before = queued(house, endpoint)
    assert rebuild(house.url).events > 0
    assert rebuild(house.url, name="webhook_endpoints").events > 0
    assert queued(house, endpoint) == before


def test_events_that_arrive_during_a_rebuild_add_their_messages(house: House) -> None:
    endpoint, _ = add_endpoint(house)
    campaign = house.campaign(1)
    [call_id] = [place_call(house, campaign)]

    def meanwhile(done: int, of: int) -> None:
        if done == 0:
            end_call(house, call_id)

    rebuild(house.url, progress=meanwhile)
    assert queued(house, endpoint) == ["campaign.started", *FINISHED]


def test_read_tables_that_were_lost_and_filled_again_add_no_message(
    house: House,
) -> None:
    endpoint, _ = add_endpoint(house)
    finish_call(house, house.campaign(1))
    before = queued(house, endpoint)
    with connect(house.url, name="test") as conn:
        conn.execute("delete from webhook_delivery")
        conn.execute("delete from webhook_message")
        drop_schema(conn, "read")
        create_read_model(conn)
        catch_up(conn)
    assert queued(house, endpoint) == []
    finish_call(house, house.campaign(1))
    assert queued(house, endpoint) == before


def test_a_batch_that_is_rolled_back_adds_no_message(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = add_endpoint(house)
    campaign = house.campaign(1)
    house.read_model.held = True
    house.campaigns.pause(campaign, by=BY)
    with connect(house.url, name="test") as conn:
        batches = Batches(conn)
        with conn.transaction(force_rollback=True):
            assert batches.apply(100).events == 1
            count = conn.execute("select count(*) from webhook_delivery").fetchone()
            assert count == (1,)
    house.read_model.held = False
    assert queued(house, endpoint) == ["campaign.paused"]


# --- Contacts that are finished -----------------------------------------------------


def test_a_contact_is_finished_only_when_no_other_call_is_planned(
    house: House,
) -> None:
    endpoint, _ = add_endpoint(house, "call.finished", "contact.finished")
    campaign = house.campaign(1, terms=BUSY)
    finish_call(house, campaign, endedReason="customer-busy", startedAt=None)
    assert queued(house, endpoint) == ["call.finished"]
    house.now.pass_(minutes=31)  # type: ignore[attr-defined] # the house has a Clock
    finish_call(house, campaign, endedReason="customer-busy", startedAt=None)
    assert queued(house, endpoint) == ["call.finished", *FINISHED]


def test_a_plan_that_is_applied_in_a_later_batch_is_respected(house: House) -> None:
    endpoint, _ = add_endpoint(house, "contact.finished")
    call_id = place_call(house, house.campaign(1, terms=BUSY))
    house.read_model.held = True
    with pytest.raises(AssertionError, match="lags"):
        end_call(house, call_id, endedReason="customer-busy", startedAt=None)
    with connect(house.url, name="test") as conn:
        batches = Batches(conn)
        while batches.apply(1).more:
            pass
    house.read_model.held = False
    assert queued(house, endpoint) == []


def test_a_contact_that_is_called_again_is_finished_again(house: House) -> None:
    endpoint, _ = add_endpoint(house, "contact.finished")
    campaign = house.campaign(2)
    call_id = finish_call(house, campaign)
    contact_id = house.load_call(call_id).contact_id
    house.planned_calls.call_again(contact_id, campaign, not_before=None, by=BY)
    house.settle()
    assert queued(house, endpoint) == ["contact.finished"]
    finish_call(house, campaign)
    assert queued(house, endpoint) == ["contact.finished"] * 2


def test_a_removed_contact_is_finished_without_a_call(house: House) -> None:
    endpoint, _ = add_endpoint(house)
    campaign = house.campaign(1)
    [candidate] = house.candidates(campaign)
    house.planned_calls.withhold(
        candidate.contact_id, campaign, Withheld.REMOVED, by=BY
    )
    assert queued(house, endpoint) == ["contact.finished"]
    [body] = bodies(house)
    contact = orjson.loads(body)["data"]["contact"]
    assert (contact["status"], contact["withheld"]) == ("CANCELED", "REMOVED")


def test_an_opt_out_set_by_a_member_is_sent_once(house: House) -> None:
    endpoint, _ = add_endpoint(house, "contact.opted_out")
    call_id = finish_call(house, house.campaign(1))
    contact_id = house.load_call(call_id).contact_id
    for _ in range(2):
        house.contacts.set_disposition(
            contact_id, Disposition.OPTED_OUT, note=None, by=BY
        )
    assert queued(house, endpoint) == ["contact.opted_out"]


# --- Campaigns and budgets ----------------------------------------------------------


def test_a_pause_is_sent_with_its_cause_and_reason(house: House) -> None:
    add_endpoint(house, "campaign.paused")
    campaign = house.campaign(1)
    house.campaigns.pause(
        campaign, by=BY, cause=PauseCause.BUDGET, reason="No credit is left."
    )
    [body] = bodies(house)
    data = orjson.loads(body)["data"]
    assert (data["cause"], data["reason"]) == ("BUDGET", "No credit is left.")
    assert data["campaign"]["state"] == "PAUSED"


def test_spend_alerts_of_a_campaign_and_of_a_day_are_sent(house: House) -> None:
    add_endpoint(house, "spend.alert")
    campaign = house.campaign(1, budget=Decimal(5))
    house.campaigns.raise_spend_alert(
        campaign, alert=SpendAlert.LIMIT, spend=Decimal("5.10"), budget=Decimal(5)
    )
    house.settings.raise_daily_spend_alert(
        day=house.now().date(), alert="threshold", spend=Decimal(8), budget=Decimal(9)
    )
    found = [orjson.loads(body)["data"] for body in bodies(house)]
    assert [(one["alert"], one["spend"], one["day"]) for one in found] == [
        ("limit", "5.10", None),
        ("threshold", "8", house.now().date().isoformat()),
    ]


def test_deliveries_are_removed_after_their_days_and_messages_with_them(
    house: House,
) -> None:
    endpoint, _ = add_endpoint(house, "call.finished")
    campaign = house.campaign(2)
    finish_call(house, campaign)
    with house.writing.connection() as conn:
        for table in ("webhook_delivery", "webhook_message"):
            conn.execute(
                f"update {table} set created_at = created_at - %s",
                (timedelta(days=30, seconds=1),),
            )
    finish_call(house, campaign)
    with connect(house.url, name="test") as conn:
        assert [remove_old(conn, 31), remove_old(conn, 30)] == [0, 1]
    assert queued(house, endpoint) == ["call.finished"]
    assert rows_of(house, "select count(*) from webhook_message") == [(1,)]
