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
from tests.wiring import BY, Services

BUSY = CallingTerms(
    RetryPolicy(2, 5, 1, 7, (RetryRule((CallOutcome.BUSY,), 1, (30,)),))
)
FINISHED = ["call.finished", "contact.finished"]


def test_a_finished_campaign_sends_one_message_for_each_fact(
    services: Services,
) -> None:
    endpoint, _ = add_endpoint(services)
    campaign = services.campaign(1)
    finish_call(services, campaign)
    services.campaigns.complete(
        campaign, version=services.load_campaign(campaign).version
    )
    assert queued(services, endpoint) == [
        "campaign.started",
        *FINISHED,
        "campaign.completed",
    ]


def test_each_endpoint_gets_the_types_that_it_asks_for(services: Services) -> None:
    everything, _ = add_endpoint(services)
    calls, _ = add_endpoint(services, "call.finished")
    none, _ = add_endpoint(services, "campaign.failed")
    finish_call(services, services.campaign(1))
    assert queued(services, everything) == ["campaign.started", *FINISHED]
    assert queued(services, calls) == ["call.finished"]
    assert queued(services, none) == []


def test_an_endpoint_gets_nothing_from_before_it_was_added_in_the_same_batch(
    services: Services,
) -> None:
    earlier, _ = add_endpoint(services, "campaign.paused")
    campaign = services.campaign(1)
    services.campaigns.pause(campaign, by=BY)
    added, _, _ = services.webhook_endpoints.add("https://b.example.com", [], by=BY)
    services.campaigns.cancel(campaign, hang_up=False, by=BY)
    services.settle()
    assert queued(services, earlier) == ["campaign.paused"]
    assert queued(services, added.id) == ["campaign.canceled"]


def test_a_disabled_endpoint_gets_nothing_about_that_time(services: Services) -> None:
    endpoint, _ = add_endpoint(services)
    campaign = services.campaign(1)
    services.webhook_endpoints.update(endpoint, enabled=False, by=BY)
    services.settle()
    services.campaigns.pause(campaign, by=BY)
    services.webhook_endpoints.update(endpoint, enabled=True, by=BY)
    services.settle()
    services.campaigns.cancel(campaign, hang_up=False, by=BY)
    assert queued(services, endpoint) == ["campaign.canceled"]


def test_a_rebuild_of_the_read_tables_adds_no_message(services: Services) -> None:
    endpoint, _ = add_endpoint(services)
    finish_call(services, services.campaign(1))
    before = queued(services, endpoint)
    assert rebuild(services.url).events > 0
    assert rebuild(services.url, name="webhook_endpoints").events > 0
    assert queued(services, endpoint) == before


def test_events_that_arrive_during_a_rebuild_add_their_messages(
    services: Services,
) -> None:
    endpoint, _ = add_endpoint(services)
    campaign = services.campaign(1)
    [call_id] = [place_call(services, campaign)]

    def meanwhile(done: int, of: int) -> None:
        if done == 0:
            end_call(services, call_id)

    rebuild(services.url, progress=meanwhile)
    assert queued(services, endpoint) == ["campaign.started", *FINISHED]


def test_read_tables_that_were_lost_and_filled_again_add_no_message(
    services: Services,
) -> None:
    endpoint, _ = add_endpoint(services)
    finish_call(services, services.campaign(1))
    before = queued(services, endpoint)
    with connect(services.url, name="test") as conn:
        conn.execute("delete from webhook_delivery")
        conn.execute("delete from webhook_message")
        drop_schema(conn, "read")
        create_read_model(conn)
        catch_up(conn)
    assert queued(services, endpoint) == []
    finish_call(services, services.campaign(1))
    assert queued(services, endpoint) == before


def test_a_batch_that_is_rolled_back_adds_no_message(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = add_endpoint(services)
    campaign = services.campaign(1)
    services.read_model.held = True
    services.campaigns.pause(campaign, by=BY)
    with connect(services.url, name="test") as conn:
        batches = Batches(conn)
        with conn.transaction(force_rollback=True):
            assert batches.apply(100).events == 1
            count = conn.execute("select count(*) from webhook_delivery").fetchone()
            assert count == (1,)
    services.read_model.held = False
    assert queued(services, endpoint) == ["campaign.paused"]


# --- Contacts that are finished -----------------------------------------------------


def test_a_contact_is_finished_only_when_no_other_call_is_planned(
    services: Services,
) -> None:
    endpoint, _ = add_endpoint(services, "call.finished", "contact.finished")
    campaign = services.campaign(1, terms=BUSY)
    finish_call(services, campaign, endedReason="customer-busy", startedAt=None)
    assert queued(services, endpoint) == ["call.finished"]
    services.now.pass_(minutes=31)  # type: ignore[attr-defined] # it is a Clock
    finish_call(services, campaign, endedReason="customer-busy", startedAt=None)
    assert queued(services, endpoint) == ["call.finished", *FINISHED]


def test_a_plan_that_is_applied_in_a_later_batch_is_respected(
    services: Services,
) -> None:
    endpoint, _ = add_endpoint(services, "contact.finished")
    call_id = place_call(services, services.campaign(1, terms=BUSY))
    services.read_model.held = True
    with pytest.raises(AssertionError, match="lags"):
        end_call(services, call_id, endedReason="customer-busy", startedAt=None)
    with connect(services.url, name="test") as conn:
        batches = Batches(conn)
        while batches.apply(1).more:
            pass
    services.read_model.held = False
    assert queued(services, endpoint) == []


def test_a_contact_that_is_called_again_is_finished_again(services: Services) -> None:
    endpoint, _ = add_endpoint(services, "contact.finished")
    campaign = services.campaign(2)
    call_id = finish_call(services, campaign)
    contact_id = services.load_call(call_id).contact_id
    services.planned_calls.call_again(contact_id, campaign, not_before=None, by=BY)
    services.settle()
    assert queued(services, endpoint) == ["contact.finished"]
    finish_call(services, campaign)
    assert queued(services, endpoint) == ["contact.finished"] * 2


def test_a_removed_contact_is_finished_without_a_call(services: Services) -> None:
    endpoint, _ = add_endpoint(services)
    campaign = services.campaign(1)
    [candidate] = services.candidates(campaign)
    services.planned_calls.withhold(
        candidate.contact_id, campaign, Withheld.REMOVED, by=BY
    )
    assert queued(services, endpoint) == ["contact.finished"]
    [body] = bodies(services)
    contact = orjson.loads(body)["data"]["contact"]
    assert (contact["status"], contact["withheld"]) == ("CANCELED", "REMOVED")


def test_an_opt_out_set_by_a_member_is_sent_once(services: Services) -> None:
    endpoint, _ = add_endpoint(services, "contact.opted_out")
    call_id = finish_call(services, services.campaign(1))
    contact_id = services.load_call(call_id).contact_id
    for _ in range(2):
        services.contacts.set_disposition(
            contact_id, Disposition.OPTED_OUT, note=None, by=BY
        )
    assert queued(services, endpoint) == ["contact.opted_out"]


# --- Campaigns and budgets ----------------------------------------------------------


def test_a_pause_is_sent_with_its_cause_and_reason(services: Services) -> None:
    add_endpoint(services, "campaign.paused")
    campaign = services.campaign(1)
    services.campaigns.pause(
        campaign, by=BY, cause=PauseCause.BUDGET, reason="No credit is left."
    )
    [body] = bodies(services)
    data = orjson.loads(body)["data"]
    assert (data["cause"], data["reason"]) == ("BUDGET", "No credit is left.")
    assert data["campaign"]["state"] == "PAUSED"


def test_spend_alerts_of_a_campaign_and_of_a_day_are_sent(services: Services) -> None:
    add_endpoint(services, "spend.alert")
    campaign = services.campaign(1, budget=Decimal(5))
    services.campaigns.raise_spend_alert(
        campaign, alert=SpendAlert.LIMIT, spend=Decimal("5.10"), budget=Decimal(5)
    )
    services.settings.raise_daily_spend_alert(
        day=services.now().date(),
        alert="threshold",
        spend=Decimal(8),
        budget=Decimal(9),
    )
    found = [orjson.loads(body)["data"] for body in bodies(services)]
    assert [(one["alert"], one["spend"], one["day"]) for one in found] == [
        ("limit", "5.10", None),
        ("threshold", "8", services.now().date().isoformat()),
    ]


def test_deliveries_are_removed_after_their_days_and_messages_with_them(
    services: Services,
) -> None:
    endpoint, _ = add_endpoint(services, "call.finished")
    campaign = services.campaign(2)
    finish_call(services, campaign)
    with services.writing.connection() as conn:
        for table in ("webhook_delivery", "webhook_message"):
            conn.execute(
                f"update {table} set created_at = created_at - %s",
                (timedelta(days=30, seconds=1),),
            )
    finish_call(services, campaign)
    with connect(services.url, name="test") as conn:
        assert [remove_old(conn, 31), remove_old(conn, 30)] == [0, 1]
    assert queued(services, endpoint) == ["call.finished"]
    assert rows_of(services, "select count(*) from webhook_message") == [(1,)]
