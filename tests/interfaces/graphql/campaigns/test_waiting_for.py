"""Contacts listed by the reason for which they wait, over the API."""

from datetime import timedelta
from uuid import UUID

from application.calls.claims import ClaimService
from domain.calls.deferrals import DeferralReason
from domain.dial_view import PlannedCall
from domain.values import WaitingCode
from projections import dial_snapshot
from projections.contacts import contact_log
from tests.interfaces.serving import ApiClient, utc_now
from tests.projections.dialing.dial_scene import everybody_may_be_called

FILE = (
    "name,business_name,phone\nAda,,+12025550121\nBob,,+12025550122\n"
    "Cid,,+12025550123\n"
)
WAITING = """query($id: ID!, $codes: [WaitingCode!], $first: Int) { campaign(id: $id) {
  all: contacts { nodes { name waitingFor } }
  contacts(waitingFor: $codes, first: $first) { totalCount nodes { name } } } }"""


def defer(shared_api: ApiClient, campaign: UUID, contacts: int) -> None:
    """Claim the first contacts of a campaign, and defer their calls for an hour."""
    shared_api.caught_up()
    now = utc_now()
    with shared_api.read_pool.connection() as conn:
        nodes = contact_log.page(conn, campaign, first=contacts).nodes
        seen = dial_snapshot.snapshot(conn, now, 1, everybody_may_be_called).claims_seen
    chosen = [PlannedCall(campaign, one.id, 1, requeued=False) for one in nodes]
    claims = ClaimService(shared_api.app, shared_api.context).claim(chosen, seen=seen)
    for call_id in claims.calls:
        shared_api.calls.defer(
            call_id, reason=DeferralReason.NOT_NOW, until=now + timedelta(hours=1)
        )
    shared_api.caught_up()


def test_contacts_are_listed_by_the_code_that_waiting_for_shows(
    shared_api: ApiClient,
) -> None:
    campaign = shared_api.campaign(FILE)
    shared_api.execute(
        "mutation($id: ID!) { startCampaign(id: $id) { __typename } }", id=campaign
    )
    defer(shared_api, UUID(campaign), 2)
    for code in WaitingCode:
        shown = shared_api.execute(WAITING, id=campaign, codes=[code.value])["campaign"]
        waiting = [one["name"] for one in shown["all"]["nodes"]
                   if one["waitingFor"] == code]  # fmt: skip
        assert [one["name"] for one in shown["contacts"]["nodes"]] == waiting
        assert shown["contacts"]["totalCount"] == len(waiting)
        if code is WaitingCode.RETRY_LATER:
            assert waiting == ["Ada", "Bob"]


def test_the_total_counts_all_contacts_that_wait_for_the_code(
    shared_api: ApiClient,
) -> None:
    campaign = shared_api.campaign(FILE)
    shared_api.execute(
        "mutation($id: ID!) { startCampaign(id: $id) { __typename } }", id=campaign
    )
    defer(shared_api, UUID(campaign), 2)
    answer = shared_api.execute(WAITING, id=campaign, codes=["RETRY_LATER"], first=1)
    shown = answer["campaign"]["contacts"]
    assert shown == {"totalCount": 2, "nodes": [{"name": "Ada"}]}
