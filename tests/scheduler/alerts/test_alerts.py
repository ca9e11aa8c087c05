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
from provider.vapi.messages.reading import read_message
from scheduler.alerts.alerts import Alerts, AlertWorker, body_of, post_json
from storage.process.alert_outbox import AlertOutbox
from storage.process.decisions import Decision, Reason
from tests.fakes import an_order
from tests.scheduler.alerts.receiver import receiving
from tests.support import eventually
from tests.wiring import NOON, Clock, Services

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
def looking(services: Services, receiver: Receiver) -> Alerts:
    return Alerts(
        reading=services.reading,
        outbox=AlertOutbox(services.writing),
        campaigns=services.campaigns,
        settings=services.settings,
        first=SettingsValues(),
        now=services.now,
        random=lambda: 0.0,
        post=receiver,
    )


def look(services: Services, looking: Alerts) -> None:
    """Raise the alerts that are due, and post them in a second run."""
    for _ in range(2):
        services.settle()
        looking.run_once()
    services.settle()


def spend(services: Services, campaign_id: UUID, *costs: str) -> None:
    """End one call after another with this cost."""
    for cost in costs:
        [call_id] = services.claim(campaign_id)
        services.calls.request(
            call_id, dial_before=services.now() + timedelta(seconds=5)
        )
        provider_call_id = f"vapi-{call_id}"
        services.calls.place(
            call_id, provider_call_id=provider_call_id, placed_at=services.now()
        )
        order = services.provider.show(_order(services, call_id), provider_call_id)
        report = CallReport(
            ended_reason="customer-ended-call",
            started_at=services.now(),
            ended_at=services.now(),
            cost=Decimal(cost),
        )
        seen = replace(order, status="ended", phase=CallPhase.ENDED, report=report)
        services.calls.record_lookup(call_id, seen, grade=ReportGrade.DELIVERED)
    services.settle()


def _order(services: Services, call_id: UUID) -> CallOrder:
    call = services.load_call(call_id)
    return an_order(
        call_id=call_id, campaign_id=call.campaign_id, contact_id=call.contact_id
    )


def raised(services: Services) -> list[AlertKind]:
    services.settle()
    with services.reading.connection() as conn:
        return [row.kind for row in reversed(alerts.about_spending(conn))]


def states(services: Services) -> list[tuple[str, int]]:
    query = "select state, tries from alert_outbox order by position"
    with services.writing.connection() as conn:
        return [(row[0], row[1]) for row in conn.execute(query)]


# --- Raised --------------------------------------------------------------------------


def test_a_threshold_raises_an_alert_when_it_is_reached(
    services: Services, looking: Alerts
) -> None:
    campaign = services.campaign(3, budget=Decimal("1.00"))
    spend(services, campaign, "0.79")
    look(services, looking)
    assert raised(services) == []
    spend(services, campaign, "0.01")
    look(services, looking)
    assert raised(services) == [AlertKind.SPEND_THRESHOLD]


def test_threshold_and_limit_raise_one_alert_for_each_budget(
    services: Services, looking: Alerts
) -> None:
    campaign = services.campaign(5, budget=Decimal("1.00"))
    spend(services, campaign, "0.50", "0.60")
    look(services, looking)
    look(services, looking)
    both = [AlertKind.SPEND_THRESHOLD, AlertKind.SPEND_LIMIT]
    assert raised(services) == both


def test_a_campaign_stopped_by_its_budget_raises_the_limit_alert(
    services: Services, looking: Alerts
) -> None:
    campaign = services.campaign(5, budget=Decimal("1.00"))
    spend(services, campaign, "0.45", "0.45")
    services.campaigns.pause(campaign, by="scheduler", cause=PauseCause.BUDGET)
    look(services, looking)
    assert raised(services) == [AlertKind.SPEND_THRESHOLD, AlertKind.SPEND_LIMIT]


def test_late_costs_of_a_finished_campaign_raise_alerts(
    services: Services, looking: Alerts
) -> None:
    campaign = services.campaign(1, budget=Decimal("1.00"))
    spend(services, campaign, "0.90")
    services.campaigns.complete(
        campaign, version=services.load_campaign(campaign).version
    )
    look(services, looking)
    assert raised(services) == [AlertKind.SPEND_THRESHOLD]


def test_the_daily_budget_raises_one_alert_a_day(
    services: Services, looking: Alerts
) -> None:
    services.set(daily_budget=Decimal("1.00"))
    campaign = services.campaign(5)
    spend(services, campaign, "1.10")
    look(services, looking)
    both = [AlertKind.SPEND_THRESHOLD, AlertKind.SPEND_LIMIT]
    assert raised(services) == both
    assert isinstance(services.now, Clock)
    services.now.pass_(days=1)
    look(services, looking)
    assert raised(services) == both
    spend(services, campaign, "1.10")
    look(services, looking)
    assert raised(services) == both * 2


def test_a_daily_budget_too_small_for_one_more_call_is_at_its_limit(
    services: Services, looking: Alerts
) -> None:
    services.set(daily_budget=Decimal("1.00"), spend_alert_threshold=Decimal(1))
    campaign = services.campaign(5)
    spend(services, campaign, "0.60")
    look(services, looking)
    assert raised(services) == []
    waits = Reason("DAILY_BUDGET_SPENT", "On after midnight.", 4)
    decision = Decision(campaign, services.now(), room=3, placed=0, reasons=(waits,))
    services.process_records.write_decisions([decision])
    look(services, looking)
    assert raised(services) == [AlertKind.SPEND_LIMIT]


# --- Posted --------------------------------------------------------------------------


def test_an_accepted_alert_is_posted_once(
    services: Services, looking: Alerts, receiver: Receiver
) -> None:
    services.set(alert_webhook_url=URL)
    campaign = services.campaign(5, budget=Decimal("1.00"))
    spend(services, campaign, "0.85")
    look(services, looking)
    look(services, looking)
    [(url, body)] = receiver.seen
    assert url == URL
    assert body["text"] == (
        'Campaign "Spring" has spent 0.85 of its budget of 1.00 US dollars.'
    )
    assert body["alert"]["campaignId"] == str(campaign)
    assert (body["alert"]["spend"], body["alert"]["budget"]) == ("0.85", "1.00")
    assert states(services) == [("posted", 1)]


def test_an_alert_contains_the_head_of_the_chain(
    services: Services, looking: Alerts, receiver: Receiver
) -> None:
    services.set(alert_webhook_url=URL)
    spend(services, services.campaign(5, budget=Decimal("1.00")), "0.85")
    look(services, looking)
    [(_, body)] = receiver.seen
    query = "select hash from event_index where position = %s"
    with services.reading.connection() as conn:
        row = conn.execute(query, (body["chain"]["position"],)).fetchone()
    assert row is not None
    assert body["chain"]["head"] == row[0].hex()
    assert body["chain"]["position"] >= body["alert"]["position"]


def test_a_refused_alert_is_posted_again_with_growing_waits(
    services: Services, looking: Alerts, receiver: Receiver
) -> None:
    receiver.refusals += ["500", "timed out"]
    services.set(alert_webhook_url=URL)
    spend(services, services.campaign(5, budget=Decimal("1.00")), "0.85")
    look(services, looking)
    assert states(services) == [("waiting", 1)]
    assert 0 < looking.outbox.due_in() <= 0.5
    eventually(lambda: looking.run_once() > 0 and len(receiver.seen) > 1)
    assert looking.outbox.due_in() > 0.5
    eventually(lambda: looking.run_once() > 0 and len(receiver.seen) > 2)
    assert states(services) == [("posted", 3)]
    assert len({body["alert"]["position"] for _, body in receiver.seen}) == 1


def test_an_alert_is_posted_again_after_a_crash_before_it_was_recorded(
    services: Services, looking: Alerts, receiver: Receiver
) -> None:
    services.set(alert_webhook_url=URL)
    spend(services, services.campaign(5, budget=Decimal("1.00")), "0.85")

    def crash(url: str, body: dict[str, Any]) -> str | None:
        receiver(url, body)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look(services, replace(looking, post=crash))
    look(services, looking)
    assert len(receiver.seen) == 2
    assert states(services) == [("posted", 1)]


def test_alerts_raised_without_an_address_are_never_posted(
    services: Services, looking: Alerts, receiver: Receiver
) -> None:
    spend(services, services.campaign(5, budget=Decimal("1.00")), "0.85")
    look(services, looking)
    services.set(alert_webhook_url=URL)
    look(services, looking)
    assert receiver.seen == []
    assert states(services) == [("unwanted", 0)]


def test_an_alert_refused_for_days_is_given_up(
    services: Services, looking: Alerts
) -> None:
    services.set(alert_webhook_url=URL)
    spend(services, services.campaign(5, budget=Decimal("1.00")), "0.85")
    gone = Receiver(refusals=["410"] * 9)
    look(services, replace(looking, post=gone))
    with services.writing.connection() as conn:
        conn.execute(
            "update alert_outbox set created_at = created_at - interval '4 days',"
            " next_try_at = created_at"
        )
    look(services, replace(looking, post=gone))
    assert states(services) == [("given_up", 2)]


def test_a_duplicate_call_raises_an_alert(
    services: Services, looking: Alerts, receiver: Receiver
) -> None:
    services.set(alert_webhook_url=URL)
    campaign = services.campaign(2)
    [call_id] = services.claim(campaign)
    services.calls.request(call_id, dial_before=services.now() + timedelta(seconds=5))
    for id_ in ("first", "second"):
        services.calls.place(call_id, provider_call_id=id_, placed_at=services.now())
    look(services, looking)
    assert receiver.kinds == ["duplicate_detected"]


# --- Over the network ----------------------------------------------------------------


def test_each_ended_reason_that_no_rule_covers_raises_one_alert(
    services: Services, looking: Alerts, receiver: Receiver
) -> None:
    services.set(alert_webhook_url="https://alerts.example.com")
    campaign_id = services.campaign(4, cap=9)
    reasons = ["brand-new", "brand-new", "call.ringing.sip-inbound-x", "voicemail"]
    for reason in reasons:
        [call_id] = services.claim(campaign_id)
        call = {"id": f"p-{call_id}", "name": str(call_id)}
        message = {"type": "status-update", "status": "ended", "call": call}
        sent = {"message": {**message, "endedReason": reason}}
        services.calls.record_message(read_message(sent))
        look(services, looking)
        look(services, looking)
    with services.reading.connection() as conn:
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
    problem = post_json("http://innocent.example/", {})
    assert problem is not None
    assert "link-local or metadata" in problem


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
    services: Services,
    looking: Alerts,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "scheduler.alerts.alerts")
    services.set(alert_webhook_url=URL)
    spend(services, services.campaign(5, budget=Decimal("1.00")), "0.85")
    look(services, replace(looking, post=Receiver(refusals=["503"])))
    worker = AlertWorker(looking)
    worker.start()
    eventually(lambda: receiver.seen, what="the post")
    worker.stop()
    worker.stop()
    assert receiver.kinds == ["spend_threshold"]
    heads = [line for line in caplog.messages if line.startswith("chain head at ")]
    assert len(heads) == 1
    assert len(heads[0].split()[-1]) == 64
