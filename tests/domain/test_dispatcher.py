"""Claims are stored in one stream, each with the version after those seen."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from domain.dispatcher import DISPATCHER_ID, Claim, Dispatcher, claim_calls
from domain.values import call_id_of
from tests.support import EPOCH

ROOT = Path(__file__).parents[2]
AT = EPOCH + timedelta(minutes=1)
CONTACT, CLAIM_ID = uuid4(), uuid4()
CLAIMS = (
    Claim(
        campaign_id=uuid4(),
        contact_id=CONTACT,
        call_id=call_id_of(CONTACT, 1),
        attempt=1,
        batch=None,
    ),
)


def claim(seen: int) -> Dispatcher.CallsClaimed:
    return claim_calls(
        seen=seen, claim_id=CLAIM_ID, claims=CLAIMS, at=AT, by="scheduler"
    )


def test_a_claim_has_the_version_after_the_claims_seen() -> None:
    assert [claim(seen).originator_version for seen in (0, 41)] == [1, 42]


def test_all_claims_are_in_one_stream() -> None:
    assert claim(0).originator_id == claim(7).originator_id == DISPATCHER_ID


def test_a_claim_contains_contacts_actor_and_time() -> None:
    event = claim(0)
    assert (event.claim_id, event.claims) == (CLAIM_ID, CLAIMS)
    assert (event.actor, event.timestamp) == ("scheduler", AT)


def test_claims_can_be_decoded_in_a_process_that_made_none() -> None:
    read = "import domain.dispatcher as d; from eventsourcing.utils import "
    read += "resolve_topic as r; print(r('dispatcher.calls_claimed').__qualname__)"
    done = subprocess.run(
        [sys.executable, "-c", read],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "Dispatcher.CallsClaimed"
