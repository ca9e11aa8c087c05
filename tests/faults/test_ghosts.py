"""Calls whose end nobody told: each holds its slot, and none for ever."""

from uuid import UUID

from domain.values import CampaignState
from provider.simulator.settings import NEVER_ENDS, NEVER_RINGS
from scheduler.reconcile import LONGEST_QUEUED
from tests.faults.stage import Stage, on_stage
from tests.support import eventually
from tests.wiring import phones

SILENCE = 11.0
HIDDEN_SECONDS = 4.0
ENDED, LOST, QUEUED, TALKING = phones(8)[::2]
"""Each the first of a campaign's two: its end is seen late; it is neither seen nor
over; it is seen and never rings; it is seen and never ends."""


def test_no_slot_is_held_by_a_ghost_for_ever(empty_database: str) -> None:
    with on_stage(empty_database, webhooks=True, rate=1) as stage:
        stage.simulator.set_faults(
            endings={LOST: NEVER_ENDS, QUEUED: NEVER_RINGS, TALKING: NEVER_ENDS},
            call_script=[*_hidden(ENDED, HIDDEN_SECONDS), *_hidden(LOST, 3600)],
            webhook_script=[
                {"fault": "lost", "number": number, "times": 99}
                for number in (ENDED, LOST, QUEUED, TALKING)
            ],
        )
        ended, lost, queued, talking = campaigns = [
            stage.house.campaign(phones(2, first=first), cap=1)
            for first in range(0, 8, 2)
        ]
        stage.schedule()
        stage.called(4)
        stage.clock.jump(SILENCE)
        _gives_up(stage, ended)
        _gives_up(stage, lost)
        _says_what_it_waits_for(stage, lost)
        _completes(stage, ended)
        assert len(stage.simulator.ledger()["calls"]) == 5, "the others hold theirs"
        stage.clock.jump(LONGEST_QUEUED.total_seconds())
        _completes(stage, lost)
        _completes(stage, queued)
        assert stage.house.board(talking).timed_out == 0, "it is shown live"
        stage.clock.jump(LONGEST_QUEUED.total_seconds())
        _completes(stage, talking)
        ledger = stage.simulator.ledger()
        most = [ledger["highWater"]["campaigns"][str(id_)] for id_ in campaigns]
        assert most == [1, 2, 1, 1], "who cannot be seen cannot be hung up"
        assert max(ledger["highWater"]["customers"].values()) == 1


def _hidden(number: str, seconds: float) -> list[dict[str, object]]:
    return [
        {"fault": fault, "number": number, "seconds": seconds}
        for fault in ("listed_late", "found_late")
    ]


def _gives_up(stage: Stage, campaign_id: UUID) -> None:
    def gave_up() -> bool:
        return stage.house.board(campaign_id).timed_out == 1

    eventually(gave_up, 20, said="a call timed out")


def _says_what_it_waits_for(stage: Stage, campaign_id: UUID) -> None:
    def said() -> str:
        decision = stage.house.operations.decision(campaign_id)
        return decision.reasons[0].message if decision and decision.reasons else ""

    eventually(lambda: "1 perhaps: no end was told" in said(), 20, said="the ghost")


def _completes(stage: Stage, campaign_id: UUID) -> None:
    def completed() -> bool:
        return stage.house.board(campaign_id).state is CampaignState.COMPLETED

    eventually(completed, 20, said="the campaign")
    row = stage.house.board(campaign_id)
    assert (row.contacts, row.timed_out, row.ended) == (2, 1, 1)
