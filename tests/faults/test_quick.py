"""A few faults on each run; the large campaign of them is run by itself."""

import os
import signal
from typing import Any

from application.steady import steady
from domain.values import CampaignState
from scheduler.dispatch import SEND_WITHIN_SECONDS
from tests.faults.stage import WITHIN, Stage, on_stage
from tests.support import eventually
from tests.wiring import phones

CAP = 3


def test_a_scheduler_that_is_killed_loses_nobody_and_calls_nobody_twice(
    empty_database: str,
) -> None:
    """Each dies while a request of its is on the way, and no webhook tells of it."""
    with on_stage(empty_database, webhooks=False) as stage:
        numbers = phones(6)
        script = [{"fault": "hang_after", "number": numbers[n]} for n in (1, 3)]
        stage.simulator.set_faults(script=script)
        campaign_id = stage.house.campaign(numbers, cap=CAP)
        for calls in (2, 4):
            scheduler = stage.schedule()
            stage.called(calls)
            scheduler.kill()
            scheduler.wait()
        stage.schedule()
        stage.ends_right(campaign_id, 6, CAP)


def test_two_schedulers_and_projectors_make_the_same_calls_as_one(
    empty_database: str,
) -> None:
    """All of them live to the end of the campaign."""
    with on_stage(empty_database, webhooks=True, projector=False) as stage:
        _one_more_of_each(stage)
        alone = _whole_campaign(stage)
        stage.simulator.reset()
        _one_more_of_each(stage)
        assert _whole_campaign(stage) == alone


def _one_more_of_each(stage: Stage) -> None:
    """Wait until they run: each process tells how right its host's clock is."""
    many = len(stage.house.operations.clocks()) + 2
    stage.start("projections")
    stage.schedule()
    eventually(lambda: len(stage.house.operations.clocks()) == many, WITHIN)


def _whole_campaign(stage: Stage) -> list[dict[str, Any]]:
    """Return whom the provider called, and what came of it."""
    campaign_id = stage.house.campaign(8, cap=CAP)
    stage.ends_right(campaign_id, 8, CAP)
    told = ("number", "endedReason", "cost", "customerName", "variableValues")
    calls = stage.simulator.ledger()["calls"]
    assert all(process.poll() is None for process in stage.schedulers)
    return sorted(
        ({name: call[name] for name in told} for call in calls),
        key=lambda call: str(call["number"]),
    )


def test_a_leader_that_froze_before_its_request_dials_nothing_when_it_wakes(
    empty_database: str,
) -> None:
    """It had stored the right to send it; somebody else has sent it since."""
    with on_stage(empty_database, webhooks=True, rate=1) as stage:
        campaign_id = stage.house.campaign(6, cap=CAP)
        frozen = stage.schedule("--freezes", "2")
        _, status = os.waitpid(frozen.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        too_late = steady() + SEND_WITHIN_SECONDS
        stage.schedule()
        eventually(lambda: _leader(stage) != frozen.pid, 20, said="another leader")
        stage.clock.jump(30)
        stage.ends_right(campaign_id, 6, CAP)
        # Only the others' clock jumped, and they may have been quick.
        eventually(lambda: steady() > too_late, 2 * SEND_WITHIN_SECONDS)
        os.kill(frozen.pid, signal.SIGCONT)
        frozen.terminate()
        assert frozen.wait(20) == 0
        stage.ends_right(campaign_id, 6, CAP)
        assert stage.house.board(campaign_id).state is CampaignState.COMPLETED


def _leader(stage: Stage) -> int:
    beat = stage.house.operations.heartbeat("scheduler")
    assert beat is not None
    return int(beat.holder.rpartition(":")[2])


def test_requests_without_a_clear_answer_are_settled_by_what_the_provider_shows(
    empty_database: str,
) -> None:
    """All webhooks are lost as well."""
    faults = [
        *("error_before", "error_after", "reset_before", "reset_after"),
        *("garbage_after", "hang_after", "rate_limited", "over_concurrency"),
    ]
    numbers = phones(len(faults))
    with on_stage(empty_database, webhooks=False) as stage:
        stage.simulator.set_faults(
            script=[
                {"fault": fault, "number": number}
                for fault, number in zip(faults, numbers, strict=True)
            ]
        )
        campaign_id = stage.house.campaign(len(faults), cap=len(faults))
        stage.schedule()
        stage.ends_right(campaign_id, len(faults), len(faults))
        requests = {
            row.contact_id: row.requests for row in stage.house.call_rows(campaign_id)
        }
        assert sorted(requests.values()) == [1] * 4 + [2] * 4
