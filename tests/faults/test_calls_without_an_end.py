"""Calls whose end is never reported hold their slots, but not for ever."""

from uuid import UUID

from domain.values import CampaignState
from provider.simulator.settings import NEVER_ENDS, NEVER_RINGS
from scheduler.reconciliation.reconcile import LONGEST_QUEUED
from tests.faults.cluster import WITHIN, Cluster, running_cluster
from tests.support import eventually
from tests.wiring import phones

SILENCE = 11.0
HIDDEN_SECONDS = 4.0
ENDED, LOST, QUEUED, TALKING = phones(8)[::2]
"""Each is the first of its campaign's two contacts. The provider shows the end of
ENDED late, never shows LOST, and shows QUEUED, which never rings, and TALKING, which
never ends."""


def test_each_call_without_a_reported_end_frees_its_slot_in_time(
    database: str,
) -> None:
    with running_cluster(database, webhooks=True, rate=1) as cluster:
        cluster.simulator.set_faults(
            endings={LOST: NEVER_ENDS, QUEUED: NEVER_RINGS, TALKING: NEVER_ENDS},
            call_script=[*_hidden(ENDED, HIDDEN_SECONDS), *_hidden(LOST, 3600)],
            webhook_script=[
                {"fault": "lost", "number": number, "times": 99}
                for number in (ENDED, LOST, QUEUED, TALKING)
            ],
        )
        ended, lost, queued, talking = campaigns = [
            cluster.services.campaign(phones(2, first=first), cap=1)
            for first in range(0, 8, 2)
        ]
        cluster.start_scheduler()
        cluster.wait_for_calls(4)
        cluster.clock.jump(SILENCE)
        _times_out(cluster, ended)
        _times_out(cluster, lost)
        _shows_its_reason(cluster, lost)
        _completes(cluster, ended)
        assert len(cluster.simulator.ledger()["calls"]) == 5, (
            "the other calls hold their slots"
        )
        cluster.clock.jump(LONGEST_QUEUED.total_seconds())
        _completes(cluster, lost)
        _completes(cluster, queued)
        assert cluster.services.board(talking).timed_out == 0, (
            "the provider shows it live"
        )
        cluster.clock.jump(LONGEST_QUEUED.total_seconds())
        _completes(cluster, talking)
        ledger = cluster.simulator.ledger()
        most = [ledger["highWater"]["campaigns"][str(id_)] for id_ in campaigns]
        assert most == [1, 2, 1, 1], "a call that is not shown cannot be hung up"
        assert max(ledger["highWater"]["customers"].values()) == 1


def _hidden(number: str, seconds: float) -> list[dict[str, object]]:
    return [
        {"fault": fault, "number": number, "seconds": seconds}
        for fault in ("listed_late", "found_late")
    ]


def _times_out(cluster: Cluster, campaign_id: UUID) -> None:
    def timed_out() -> bool:
        return cluster.services.board(campaign_id).timed_out == 1

    eventually(timed_out, WITHIN, what="a call timed out")


def _shows_its_reason(cluster: Cluster, campaign_id: UUID) -> None:
    def reason() -> str:
        decision = cluster.services.process_records.decision(campaign_id)
        return decision.reasons[0].message if decision and decision.reasons else ""

    eventually(
        lambda: "the end of 1 was never reported" in reason(),
        WITHIN,
        what="the reason",
    )


def _completes(cluster: Cluster, campaign_id: UUID) -> None:
    def completed() -> bool:
        return cluster.services.board(campaign_id).state is CampaignState.COMPLETED

    eventually(completed, WITHIN, what="the campaign")
    row = cluster.services.board(campaign_id)
    assert (row.contacts, row.timed_out, row.ended) == (2, 1, 1)
