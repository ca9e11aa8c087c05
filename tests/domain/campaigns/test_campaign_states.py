"""The states of a campaign: which command changes which state, and which is refused."""

from collections.abc import Callable

import pytest

from domain.campaigns.campaign import Campaign
from domain.errors import WrongState
from domain.values import (
    CampaignState,
    PauseCause,
    RefusalScope,
)
from tests.domain.campaigns.campaign_facts import (
    AT,
    BY,
    CANCELED,
    COMPLETED,
    CREATED,
    DIALING,
    FAILED,
    HAS_FAILED,
    MOVES,
    OPEN,
    OVER,
    PAST,
    PAUSED,
    QUEUED,
    RUNNING,
    STARTED,
    WAS_CANCELED,
    WAS_COMPLETED,
    WAS_PAUSED,
    WAS_QUEUED,
    WORDS,
    campaign,
    fact,
    in_state,
    resumed,
    running,
    started,
)
from tests.support import Fact, new_events

LEGAL: list[tuple[CampaignState, str, CampaignState, Fact]] = [
    (CREATED, "start", QUEUED, WAS_QUEUED),
    (QUEUED, "placed", DIALING, started(DIALING)),
    (DIALING, "ringing", RUNNING, running()),
    (PAUSED, "resume", QUEUED, resumed(QUEUED)),
    *[(state, "pause", PAUSED, WAS_PAUSED) for state in (QUEUED, DIALING, RUNNING)],
    *[(state, "complete", COMPLETED, WAS_COMPLETED) for state in STARTED],
    *[(state, "cancel", CANCELED, WAS_CANCELED) for state in OPEN],
    *[(state, "fail", FAILED, HAS_FAILED) for state in STARTED],
]

SILENT: list[tuple[CampaignState, str]] = [
    *[(state, "start") for state in (QUEUED, DIALING, RUNNING)],
    *[(state, "resume") for state in (QUEUED, DIALING, RUNNING)],
    (PAUSED, "pause"),
    (COMPLETED, "complete"),
    (CANCELED, "cancel"),
    *[(state, "fail") for state in OVER],
    *[(state, "placed") for state in (DIALING, RUNNING)],
    (RUNNING, "ringing"),
]

REFUSED: list[tuple[CampaignState, str]] = [
    *[(state, "start") for state in (PAUSED, *OVER)],
    *[(state, "pause") for state in (CREATED, *OVER)],
    *[(state, "resume") for state in (CREATED, *OVER)],
    *[(state, "complete") for state in (CREATED, CANCELED, FAILED)],
    *[(state, "cancel") for state in (COMPLETED, FAILED)],
]


@pytest.mark.parametrize(("was", "move", "becomes", "recorded"), LEGAL)
def test_a_legal_move_is_recorded(
    was: CampaignState, move: str, becomes: CampaignState, recorded: Fact
) -> None:
    subject = in_state(was)
    MOVES[move](subject)
    assert new_events(subject) == [recorded]
    assert subject.state is becomes


@pytest.mark.parametrize(("state", "move"), SILENT)
def test_a_move_to_the_present_state_records_nothing(
    state: CampaignState, move: str
) -> None:
    subject = in_state(state)
    MOVES[move](subject)
    assert new_events(subject) == []


@pytest.mark.parametrize(("state", "move"), REFUSED)
def test_an_illegal_move_is_refused(state: CampaignState, move: str) -> None:
    subject = in_state(state)
    with pytest.raises(WrongState):
        MOVES[move](subject)
    assert new_events(subject) == []
    assert subject.state is state


@pytest.mark.parametrize(
    ("move", "recorded"), [("placed", started), ("ringing", running)]
)
@pytest.mark.parametrize("state", [CREATED, PAUSED, *OVER])
def test_a_placement_or_ringing_is_recorded_in_every_state(
    state: CampaignState, move: str, recorded: Callable[[CampaignState], Fact]
) -> None:
    subject = in_state(state)
    MOVES[move](subject)
    assert new_events(subject) == [recorded(state)]
    assert (subject.state, subject.started_at is None) == (state, move == "ringing")


def test_ringing_before_the_placement_sets_the_campaign_running() -> None:
    subject = in_state(QUEUED)
    MOVES["ringing"](subject)
    MOVES["placed"](subject)
    assert new_events(subject) == [running(), started(RUNNING)]


def test_a_start_records_its_time() -> None:
    subject = in_state(CREATED)
    MOVES["start"](subject)
    assert (subject.queued_at, subject.started_at) == (AT, None)


@pytest.mark.parametrize("state", [QUEUED, DIALING, RUNNING])
def test_a_resumed_campaign_has_the_state_of_its_earlier_events(
    state: CampaignState,
) -> None:
    subject = campaign(*PAST[state], WAS_PAUSED)
    MOVES["resume"](subject)
    assert new_events(subject) == [resumed(state)]
    assert (subject.state, subject.pause_cause) == (state, None)


def test_events_during_a_pause_decide_the_state_after_it() -> None:
    subject = campaign(*PAST[PAUSED], started(PAUSED), running(PAUSED))
    MOVES["resume"](subject)
    assert new_events(subject) == [resumed(RUNNING)]


def test_a_pause_records_its_cause() -> None:
    subject = in_state(RUNNING)
    line = RefusalScope.LINE
    subject.pause(cause=PauseCause.ACCOUNT, scope=line, reason=WORDS, at=AT, by=BY)
    why = {"cause": PauseCause.ACCOUNT, "reason": WORDS, "scope": line}
    assert new_events(subject) == [fact(Campaign.Paused, **why)]
    assert subject.pause_cause is PauseCause.ACCOUNT


def test_a_second_pause_does_not_replace_the_first_cause() -> None:
    subject = in_state(PAUSED)
    subject.pause(cause=PauseCause.BUDGET, at=AT, by=BY)
    assert new_events(subject) == []
    assert subject.pause_cause is PauseCause.PERSON


@pytest.mark.parametrize("move", ["complete", "cancel", "fail"])
def test_a_finished_campaign_is_no_longer_paused(move: str) -> None:
    subject = in_state(PAUSED)
    MOVES[move](subject)
    assert (subject.over, subject.pause_cause) == (True, None)


def test_a_cancellation_records_whether_to_hang_up() -> None:
    subject = in_state(RUNNING)
    subject.cancel(hang_up=True, at=AT, by=BY)
    assert new_events(subject) == [fact(Campaign.Canceled, hang_up=True)]


@pytest.mark.parametrize("state", PAST)
def test_only_a_started_campaign_may_dial(state: CampaignState) -> None:
    assert in_state(state).may_dial == (state in {QUEUED, DIALING, RUNNING})
