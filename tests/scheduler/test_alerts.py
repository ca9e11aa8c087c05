"""Alerts: raised once for each budget, posted until the receiver accepts them."""

import socket
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from application.ports import CallOrder, CallPhase, CallReport
from domain.calls.reports import ReportGrade
from domain.settings import SettingsValues
from domain.values import PauseCause
from projections import alerts
from projections.alerts import AlertKind, AlertRow
from provider.vapi.reading import read_message
from scheduler.alerts.alerts import Alerts, AlertWorker, body_of, post_json
from storage.process.alert_outbox import AlertOutbox
from storage.process.decisions import Decision, Reason
from tests.fakes import an_order
from tests.scheduler.receiver import receiving
from tests.support import eventually
from tests.wiring import NOON, Clock, House

URL = "https://hooks.example.com/alerts"


@dataclass
class Receiver:
    """Accepts posts after the scripted refusals."""

    refusals: list[str] = field(default_factory=list)
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, url: str, body: dict[str, Any]) -> str | None:
        self.seen.append((url, body))
        return self.refusals.pop(0) if self.refusals else None

    @property
    def kinds(self) -> list[str]:
        return [body["alert"]["kind"] for _, body in self.seen]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def looking(house: House, receiver: Receiver) -> Alerts:
    return Alerts(
        reading=house.reading,
        outbox=AlertOutbox(house.writing),
        campaigns=house.campaigns,
        settings=house.settings,
        first=SettingsValues(),
        now=house.now,
        random=lambda: 0.0,
        post=receiver,
    )


def look(house: House, looking: Alerts) -> None:
    """Raise the alerts that are due, and post them in a second run."""
    for _ in range(2):
        house.settle()
        looking.run_once()
    house.settle()


def spend(house: House, campaign_id: UUID, *costs: str) -> None:
    """End one call after another with this cost."""
    for cost in costs:
        [call_id] = house.claim(campaign_id)
        house.calls.request(call_id, dial_before=house.now() + timedelta(seconds=5))
        provider_call_id = f"vapi-{call_id}"
        house.calls.place(
            call_id, provider_call_id=provider_call_id, placed_at=house.now()
        )
        order = house.provider.show(_order(house, call_id), provider_call_id)
        report = CallReport(
            ended_reason="customer-ended-call",
            started_at=house.now(),
            ended_at=house.now(),
            cost=Decimal(cost),
        )
        seen = replace(order, status="ended", phase=CallPhase.ENDED, report=report)
        house.calls.record_lookup(call_id, seen, grade=ReportGrade.DELIVERED)
    house.settle()


def _order(house: House, call_id: UUID) -> CallOrder:
    call = house.load_call(call_id)
    return an_order(
        call_id=call_id, campaign_id=call.campaign_id, contact_id=call.contact_id
    )


def raised(house: House) -> list[AlertKind]:
    house.settle()
    with house.reading.connection() as conn:
        return [row.kind for row in reversed(alerts.about_spending(conn))]


def states(house: House) -> list[tuple[str, int]]:
    query = "select state, tries from alert_outbox order by position"
    with house.writing.connection() as conn:
        return [(row[0], row[1]) for row in conn.execute(query)]


# --- Raised --------------------------------------------------------------------------


def test_a_threshold_raises_an_alert_when_it_is_reached(
    house: House, looking: Alerts
) -> None:
    campaign = house.campaign(3, budget=Decimal("1.00"))
    spend(house, campaign, "0.79")
    look(house, looking)
    assert raised(house) == []
    spend(house, campaign, "0.01")
    look(house, looking)
    assert raised(house) == [AlertKind.SPEND_THRESHOLD]


def test_threshold_and_limit_raise_one_alert_for_each_budget(
    house: House, looking: Alerts
) -> None:
    campaign = house.campaign(5, budget=Decimal("1.00"))
    spend(house, campaign, "0.50", "0.60")
    look(house, looking)
    look(house, looking)
    both = [AlertKind.SPEND_THRESHOLD, AlertKind.SPEND_LIMIT]
    assert raised(house) == both


def test_a_campaign_stopped_by_its_budget_raises_the_limit_alert(
    house: House, looking: Alerts
) -> None:
    campaign = house.campaign(5, budget=Decimal("1.00"))
    spend(house, campaign, "0.45", "0.45")
    house.campaigns.pause(campaign, by="scheduler", cause=PauseCause.BUDGET)
    look(house, looking)
    assert raised(house) == [AlertKind.SPEND_THRESHOLD, AlertKind.SPEND_LIMIT]


def test_late_costs_of_a_finished_campaign_raise_alerts(
    house: House, looking: Alerts
) -> None:
    campaign = house.campaign(1, budget=Decimal("1.00"))
    spend(house, campaign, "0.90")
    house.campaigns.complete(campaign, version=house.load_campaign(campaign).version)
    look(house, looking)
    assert raised(house) == [AlertKind.SPEND_THRESHOLD]


def test_the_daily_budget_raises_one_alert_a_day(house: House, looking: Alerts) -> None:
    house.set(daily_budget=Decimal("1.00"))
    campaign = house.campaign(5)
    spend(house, campaign, "1.10")
    look(house, looking)
    both = [AlertKind.SPEND_THRESHOLD, AlertKind.SPEND_LIMIT]
    assert raised(house) == both
    assert isinstance(house.now, Clock)
    house.now.pass_(days=1)
    look(house, looking)
    assert raised(house) == both
    spend(house, campaign, "1.10")
    look(house, looking)
    assert raised(house) == both * 2


def test_a_daily_budget_too_small_for_one_more_call_is_at_its_limit(
    house: House, looking: Alerts
) -> None:
    house.set(daily_budget=Decimal("1.00"), spend_alert_threshold=Decimal(1))
    campaign = house.campaign(5)
    spend(house, campaign, "0.60")
    look(house, looking)
    assert raised(house) == []
    waits = Reason("DAILY_BUDGET_SPENT", "On after midnight.", 4)
    decision = Decision(campaign, house.now(), room=3, placed=0, reasons=(waits,))
    house.process_records.write_decisions([decision])
    look(house, looking)
    assert raised(house) == [AlertKind.SPEND_LIMIT]


# --- Posted --------------------------------------------------------------------------


def test_an_accepted_alert_is_posted_once(
    house: House, looking: Alerts, receiver: Receiver
) -> None:
    house.set(alert_webhook_url=URL)
    campaign = house.campaign(5, budget=Decimal("1.00"))
    spend(house, campaign, "0.85")
    look(house, looking)
    look(house, looking)
    [(url, body)] = receiver.seen
    assert url == URL
    assert body["text"] == (
        'Campaign "Spring" has spent 0.85 of its budget of 1.00 US dollars.'
    )
    assert body["alert"]["campaignId"] == str(campaign)
    assert (body["alert"]["spend"], body["alert"]["budget"]) == ("0.85", "1.00")
    assert states(house) == [("posted", 1)]


def test_an_alert_contains_the_head_of_the_chain(
    house: House, looking: Alerts, receiver: Receiver
) -> None:
    house.set(alert_webhook_url=URL)
    spend(house, house.campaign(5, budget=Decimal("1.00")), "0.85")
    look(house, looking)
    [(_, body)] = receiver.seen
    query = "select hash from event_index where position = %s"
    with house.reading.connection() as conn:
        row = conn.execute(query, (body["chain"]["position"],)).fetchone()
    assert row is not None
    assert body["chain"]["head"] == row[0].hex()
    assert body["chain"]["position"] >= body["alert"]["position"]


def test_a_refused_alert_is_posted_again_with_growing_waits(
    house: House, looking: Alerts, receiver: Receiver
) -> None:
    receiver.refusals += ["500", "timed out"]
    house.set(alert_webhook_url=URL)
    spend(house, house.campaign(5, budget=Decimal("1.00")), "0.85")
    look(house, looking)
    assert states(house) == [("waiting", 1)]
    assert 0 < looking.outbox.due_in() <= 0.5
    eventually(lambda: looking.run_once() > 0 and len(receiver.seen) > 1)
    assert looking.outbox.due_in() > 0.5
    eventually(lambda: looking.run_once() > 0 and len(receiver.seen) > 2)
    assert states(house) == [("posted", 3)]
    assert len({body["alert"]["position"] for _, body in receiver.seen}) == 1


def test_an_alert_is_posted_again_after_a_crash_before_it_was_recorded(
    house: House, looking: Alerts, receiver: Receiver
) -> None:
    house.set(alert_webhook_url=URL)
    spend(house, house.campaign(5, budget=Decimal("1.00")), "0.85")

    def crash(url: str, body: dict[str, Any]) -> str | None:
        receiver(url, body)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look(house, replace(looking, post=crash))
    look(house, looking)
    assert len(receiver.seen) == 2
    assert states(house) == [("posted", 1)]


def test_alerts_raised_without_an_address_are_never_posted(
    house: House, looking: Alerts, receiver: Receiver
) -> None:
    spend(house, house.campaign(5, budget=Decimal("1.00")), "0.85")
    look(house, looking)
    house.set(alert_webhook_url=URL)
    look(house, looking)
    assert receiver.seen == []
    assert states(house) == [("unwanted", 0)]


def test_an_alert_refused_for_days_is_given_up(house: House, looking: Alerts) -> None:
    house.set(alert_webhook_url=URL)
    spend(house, house.campaign(5, budget=Decimal("1.00")), "0.85")
    gone = Receiver(refusals=["410"] * 9)
    look(house, replace(looking, post=gone))
    with house.writing.connection() as conn:
        conn.execute(
            "update alert_outbox set created_at = created_at - interval '4 days',"
            " next_try_at = created_at"
        )
    look(house, replace(looking, post=gone))
    assert states(house) == [("given_up", 2)]


def test_a_duplicate_call_raises_an_alert(
    house: House, looking: Alerts, receiver: Receiver
) -> None:
    house.set(alert_webhook_url=URL)
    campaign = house.campaign(2)
    [call_id] = house.claim(campaign)
    house.calls.request(call_id, dial_before=house.now() + timedelta(seconds=5))
    for id_ in ("first", "second"):
        house.calls.place(call_id, provider_call_id=id_, placed_at=house.now())
    look(house, looking)
    assert receiver.kinds == ["duplicate_detected"]


# --- Over the network ----------------------------------------------------------------


def test_each_ended_reason_that_no_rule_covers_raises_one_alert(
    house: House, looking: Alerts, receiver: Receiver
) -> None:
    house.set(alert_webhook_url="https://alerts.example.com")
    campaign_id = house.campaign(4, cap=9)
    reasons = ["brand-new", "brand-new", "call.ringing.sip-inbound-x", "voicemail"]
    for reason in reasons:
        [call_id] = house.claim(campaign_id)
        call = {"id": f"p-{call_id}", "name": str(call_id)}
        message = {"type": "status-update", "status": "ended", "call": call}
        told = {"message": {**message, "endedReason": reason}}
        house.calls.record_message(read_message(told))
        look(house, looking)
        look(house, looking)
    with house.reading.connection() as conn:
        found = alerts.after(conn, 0)
    assert [(one.kind, one.reason) for one in found] == [
        (AlertKind.UNKNOWN_REASON, "brand-new"),
        (AlertKind.UNKNOWN_REASON, "call.ringing.sip-inbound-x"),
    ]
    assert '"brand-new"' in found[0].message
    assert receiver.kinds == ["unknown_reason"] * 2


def test_the_receiver_gets_json_and_its_status_decides() -> None:
    with receiving(statuses=[200, 503]) as (url, seen):
        assert post_json(url, {"text": "Hello"}) is None
        refused = post_json(url, {"text": "Hello"})
    assert refused is not None
    assert refused.startswith("503")
    assert seen == [{"text": "Hello"}] * 2


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "nonsense", "http://"])
def test_an_unreachable_receiver_is_an_error_text(url: str) -> None:
    assert post_json(url, {}) is not None


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"]
)
def test_a_name_that_resolves_to_a_metadata_service_is_not_posted_to(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    resolved = [(family, socket.SOCK_STREAM, 6, "", (address, 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    said = post_json("http://innocent.example/", {})
    assert said is not None
    assert "link-local or metadata" in said


def test_characters_with_a_meaning_in_slack_are_escaped() -> None:
    row = AlertRow(
        position=1,
        raised_at=NOON,
        kind=AlertKind.SPEND_LIMIT,
        campaign_id=UUID(int=1),
        campaign_name="<Dana & Co>",
        day=None,
        spend=Decimal(2),
        budget=Decimal(1),
    )
    body = body_of(row, {})
    assert "&lt;Dana &amp; Co&gt;" in body["text"]
    assert "<Dana & Co>" in body["alert"]["message"]


def test_the_worker_runs_until_it_is_stopped_and_logs_the_chain_head(
    house: House,
    looking: Alerts,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "scheduler.alerts.alerts")
    house.set(alert_webhook_url=URL)
    spend(house, house.campaign(5, budget=Decimal("1.00")), "0.85")
    look(house, replace(looking, post=Receiver(refusals=["503"])))
    worker = AlertWorker(looking)
    worker.start()
    eventually(lambda: receiver.seen, said="the post")
    worker.stop()
    worker.stop()
    assert receiver.kinds == ["spend_threshold"]
    heads = [line for line in caplog.messages if line.startswith("chain head at ")]
    assert len(heads) == 1
    assert len(heads[0].split()[-1]) == 64
