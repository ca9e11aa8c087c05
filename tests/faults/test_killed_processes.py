"""A few faults with real processes; `tests.faults.soak` applies thousands."""

import os
import signal
from typing import Any

from application.process.monotonic_clock import monotonic_now
from domain.values import CampaignState
from scheduler.dispatch import SEND_WITHIN_SECONDS
from tests.child_process import ended, is_stopped
from tests.faults.cluster import WITHIN, Cluster, running_cluster
from tests.support import eventually
from tests.wiring import phones

CAP = 3


def test_two_schedulers_and_projectors_make_the_same_calls_as_one(
    database: str,
) -> None:
    """All processes run until the end of the campaign."""
    with running_cluster(database, webhooks=True, projector=False) as cluster:
        _one_more_of_each(cluster)
        alone = _whole_campaign(cluster)
        cluster.simulator.reset()
        _one_more_of_each(cluster)
        assert _whole_campaign(cluster) == alone


def _one_more_of_each(cluster: Cluster) -> None:
    """Wait until both run: each process records the offset of its host's clock."""
    expected = len(cluster.services.process_records.clocks()) + 2
    cluster.start("projections")
    cluster.start_scheduler()
    eventually(
        lambda: len(cluster.services.process_records.clocks()) == expected, WITHIN
    )


def _whole_campaign(cluster: Cluster) -> list[dict[str, Any]]:
    """Run a campaign; return the provider's calls with their outcomes."""
    campaign_id = cluster.services.campaign(8, cap=CAP)
    cluster.assert_all_called_once(campaign_id, 8, CAP)
    fields = ("number", "endedReason", "cost", "customerName", "variableValues")
    calls = cluster.simulator.ledger()["calls"]
    assert all(process.poll() is None for process in cluster.schedulers)
    return sorted(
        ({name: call[name] for name in fields} for call in calls),
        key=lambda call: str(call["number"]),
    )


def test_a_leader_frozen_before_its_request_sends_nothing_when_it_resumes(
    database: str,
) -> None:
    """It had stored the permission to send; another scheduler has sent it since."""
    with running_cluster(database, webhooks=True, rate=1) as cluster:
        campaign_id = cluster.services.campaign(6, cap=CAP)
        frozen = cluster.start_scheduler("--freeze-before", "2")
        eventually(lambda: is_stopped(frozen.pid), WITHIN, what="the freeze")
        too_late = monotonic_now() + SEND_WITHIN_SECONDS
        cluster.start_scheduler()
        eventually(
            lambda: _leader(cluster) != frozen.pid, WITHIN, what="another leader"
        )
        cluster.clock.jump(30)
        cluster.assert_all_called_once(campaign_id, 6, CAP)
        # The jump moved the cluster's clock only, not the monotonic one.
        eventually(lambda: monotonic_now() > too_late, 2 * SEND_WITHIN_SECONDS)
        os.kill(frozen.pid, signal.SIGCONT)
        frozen.terminate()
        assert ended(frozen, cluster.log) == 0
        cluster.assert_all_called_once(campaign_id, 6, CAP)
        assert cluster.services.board(campaign_id).state is CampaignState.COMPLETED


def _leader(cluster: Cluster) -> int:
    beat = cluster.services.process_records.heartbeat("scheduler")
    assert beat is not None
    return int(beat.holder.rpartition(":")[2])


def test_requests_without_a_clear_answer_are_settled_from_the_providers_list(
    database: str,
) -> None:
    """All webhooks are lost as well."""
    faults = [
        *("error_before", "error_after", "reset_before", "reset_after"),
        *("garbage_after", "hang_after", "rate_limited", "over_concurrency"),
    ]
    numbers = phones(len(faults))
    with running_cluster(database, webhooks=False) as cluster:
        cluster.simulator.set_faults(
            script=[
                {"fault": fault, "number": number}
                for fault, number in zip(faults, numbers, strict=True)
            ]
        )
        campaign_id = cluster.services.campaign(len(faults), cap=len(faults))
        cluster.start_scheduler()
        cluster.assert_all_called_once(campaign_id, len(faults), len(faults))
        requests = {
            row.contact_id: row.requests
            for row in cluster.services.call_rows(campaign_id)
        }
        assert sorted(requests.values()) == [1] * 4 + [2] * 4
