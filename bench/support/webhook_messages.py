"""Placed calls, and the provider's webhook bodies about them."""

from typing import Any
from uuid import UUID, uuid4

import orjson

from application.app import AutoLynx
from bench.support.installation import SECRET, utc_now
from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.values import DialMode

HEADERS = {"X-Vapi-Secret": SECRET, "Content-Type": "application/json"}
TALK = [
    {"role": "bot", "message": f"Hello, this is a call about your plan, part {n}."}
    for n in range(40)
]


def placed_calls(app: AutoLynx, count: int) -> list[Call]:
    """Store a campaign with `count` live calls; return the calls."""
    campaign = Campaign.create(
        campaign_id=uuid4(),
        name="Bench",
        assistant_id=uuid4(),
        provider_assistant_id="assistant",
        phone_number_id="line-1",
        cap=10,
        mode=DialMode.CONTINUOUS,
        line_quiet_gating=False,
        budget=None,
        longest_call_seconds=600,
        at=utc_now(),
        by="bench",
    )
    calls = [_placed_call(campaign) for _ in range(count)]
    app.append(campaign)
    for at in range(0, count, 1_000):
        app.append(*calls[at : at + 1_000])
    return calls


def _placed_call(campaign: Campaign) -> Call:
    stamp: dict[str, Any] = {"at": utc_now(), "by": "scheduler"}
    call = Call.create(
        campaign_id=campaign.id,
        contact_id=uuid4(),
        attempt=1,
        claim_id=uuid4(),
        batch=None,
        **stamp,
    )
    call.request(dial_before=utc_now(), **stamp)
    call.place(provider_call_id=str(uuid4()), placed_at=utc_now(), **stamp)
    return call


def status_update(call: Call, status: str) -> bytes:
    """Return the body of a status-update message."""
    return _body(call, {"type": "status-update", "status": status})


def report(call: Call) -> bytes:
    """Return an end-of-call report of about 9 KB."""
    message: dict[str, Any] = {
        "type": "end-of-call-report",
        "endedReason": "customer-ended-call",
        "cost": 0.0512,
        "startedAt": utc_now().isoformat(),
        "endedAt": utc_now().isoformat(),
        "artifact": {"messages": TALK, "transcript": "Hello. " * 600},
    }
    return _body(call, message)


def _body(call: Call, message: dict[str, Any]) -> bytes:
    about = {
        "id": call.provider_call_id,
        "name": str(call.id),
        "assistantOverrides": {"metadata": _metadata(call.id, call.campaign_id)},
    }
    stamp = {"timestamp": int(utc_now().timestamp() * 1000), "call": about}
    return orjson.dumps({"message": {**message, **stamp}})


def _metadata(call_id: UUID, campaign_id: UUID) -> dict[str, str]:
    return {"callId": str(call_id), "campaignId": str(campaign_id)}
