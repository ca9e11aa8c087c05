"""A few faults on each run; the large campaign of them is run by itself."""

import os
import signal

from tests.faults.stage import on_stage
from tests.wiring import phones

CAP = 3


def test_a_scheduler_that_is_killed_loses_nobody_and_calls_nobody_twice(
    empty_database: str,
) -> None:
    with on_stage(empty_database, webhooks=True) as stage:
        campaign_id = stage.house.campaign(9, cap=CAP)
        for calls in (2, 5):
            scheduler = stage.schedule()
            stage.called(calls)
            scheduler.kill()
            scheduler.wait()
        stage.schedule()
        stage.ends_right(campaign_id, 9, CAP)


def test_two_schedulers_make_the_same_calls_as_one(empty_database: str) -> None:
    with on_stage(empty_database, webhooks=True) as stage:
        campaign_id = stage.house.campaign(8, cap=CAP)
        first, _ = stage.schedule(), stage.schedule()
        stage.called(4)
        first.terminate()
        assert first.wait(20) == 0
        stage.ends_right(campaign_id, 8, CAP)


def test_a_leader_that_is_frozen_is_replaced_and_dials_nothing_when_it_wakes(
    empty_database: str,
) -> None:
    with on_stage(empty_database, webhooks=True) as stage:
        campaign_id = stage.house.campaign(8, cap=CAP)
        frozen = stage.schedule()
        stage.called(2)
        os.kill(frozen.pid, signal.SIGSTOP)
        stage.schedule()
        stage.called(6)
        os.kill(frozen.pid, signal.SIGCONT)
        stage.ends_right(campaign_id, 8, CAP)


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
