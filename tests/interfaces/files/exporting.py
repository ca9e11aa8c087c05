"""Campaigns with finished calls, to be exported."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from application.calls.claims import ClaimService
from domain.dial_view import PlannedCall
from projections.contacts import contact_log
from tests import http_requests as asking
from tests.interfaces.serving import SECRET, ApiClient, utc_now

TRANSCRIPT = [{"role": "bot", "message": "=hello, Ada"}]


def call_to(api: ApiClient, campaign_id: str, contact: int) -> str:
    """Place a call to the contact at this index; return the provider's id."""
    with api.read_pool.connection() as connection:
        page = contact_log.page(connection, UUID(campaign_id), first=10)
    chosen = PlannedCall(UUID(campaign_id), page.nodes[contact].id, 1, requeued=False)
    (call_id,) = ClaimService(api.app, api.context).claim([chosen], seen=0).calls
    at = utc_now()
    assert api.calls.request(call_id, dial_before=at + timedelta(seconds=5))
    provider_call_id = str(uuid4())
    api.calls.place(call_id, provider_call_id=provider_call_id, placed_at=at)
    api.caught_up()
    return provider_call_id


def report(
    api: ApiClient,
    provider_call_id: str,
    recording_url: str = "https://recordings.example/1.wav",
    outputs: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Send the provider's end-of-call report with these structured outputs."""
    results = [{"name": key, "result": value} for key, value in (outputs or {}).items()]
    message = {
        "type": "end-of-call-report",
        "call": {"id": provider_call_id},
        "endedReason": "customer-ended-call",
        "cost": 0.1234,
        "artifact": {
            "recordingUrl": recording_url,
            "messages": TRANSCRIPT,
            "structuredOutputs": results,
        },
        **more,
    }
    answer = asking.post(
        f"{api.url}/webhooks/vapi",
        json={"message": message},
        headers={"X-Vapi-Secret": SECRET},
    )
    assert answer.status_code == 200, answer.text
    api.caught_up()


def start(api: ApiClient, campaign_id: str) -> None:
    mutation = "mutation($id: ID!) { startCampaign(id: $id) { __typename } }"
    api.execute(mutation, id=campaign_id)
