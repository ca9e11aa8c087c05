"""Contacts listed by the reason for which they wait, over the API."""

from datetime import timedelta
from uuid import UUID

from application.calls.claims import ClaimService
from domain.dial_view import PlannedCall
from domain.values import WaitingCode
from projections import dial_snapshot
from projections.contacts import contact_log
from tests.interfaces.serving import Desk, utc_now
from tests.projections.dial_scene import everybody_may_be_called

FILE = (
    "name,business_name,phone\nAda,,+12025550121\nBob,,+12025550122\n"
    "Cid,,+12025550123\n"
)
WAITING = """query($id: ID!, $codes: [WaitingCode!], $first: Int) { campaign(id: $id) {
  all: contacts { nodes { name waitingFor } }
  contacts(waitingFor: $codes, first: $first) { totalCount nodes { name } } } }"""


def defer(office: Desk, campaign: UUID, contacts: int) -> None:
    """Claim the first contacts of a campaign, and defer their calls for an hour."""
    office.caught_up()
    now = utc_now()
    with office.read_pool.connection() as conn:
        nodes = contact_log.page(conn, campaign, first=contacts).nodes
        seen = dial_snapshot.snapshot(conn, now, 1, everybody_may_be_called).claims_seen
    chosen = [PlannedCall(campaign, one.id, 1, requeued=False) for one in nodes]
    claims = ClaimService(office.app, office.context).claim(chosen, seen=seen)
    for call_id in claims.calls:
        office.calls.defer(call_id, reason="any", until=now + timedelta(hours=1))
    office.caught_up()


def test_contacts_are_listed_by_the_code_that_waiting_for_shows(office: Desk) -> None:
    campaign = office.campaign(FILE)
    office.told(
        "mutation($id: ID!) { startCampaign(id: $id) { __typename } }", id=campaign
    )
    defer(office, UUID(campaign), 2)
    for code in WaitingCode:
        shown = office.told(WAITING, id=campaign, codes=[code.value])["campaign"]
        waiting = [one["name"] for one in shown["all"]["nodes"]
                   if one["waitingFor"] == code]  # fmt: skip
        assert [one["name"] for one in shown["contacts"]["nodes"]] == waiting
        assert shown["contacts"]["totalCount"] == len(waiting)
        if code is WaitingCode.RETRY_LATER:
            assert waiting == ["Ada", "Bob"]


def test_the_total_counts_all_contacts_that_wait_for_the_code(office: Desk) -> None:
    campaign = office.campaign(FILE)
    office.told(
        "mutation($id: ID!) { startCampaign(id: $id) { __typename } }", id=campaign
    )
    defer(office, UUID(campaign), 2)
    told = office.told(WAITING, id=campaign, codes=["RETRY_LATER"], first=1)
    shown = told["campaign"]["contacts"]
    assert shown == {"totalCount": 2, "nodes": [{"name": "Ada"}]}
