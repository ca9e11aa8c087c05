"""Effects of refusals on a contact, a campaign, a line or all campaigns.

A real scheduler calls through the simulator. Its clock runs FACTOR times as fast as
real time, so that no test waits for real back-off times.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.values import (
    CampaignState,
    ContactStatus,
    PauseCause,
)
from projections.campaigns.campaign_row import CampaignRow
from provider.simulator.settings import DEFAULT_PHONE_NUMBER_ID
from provider.vapi.client import VapiProvider
from provider.vapi.settings import VapiSettings
from scheduler.dependencies import SchedulerDependencies
from tests.scheduler.leading import (
    FastClock,
    FastWakeUp,
    Leading,
    dependencies_of,
    leading,
)
from tests.simulator import Simulator, shared_simulators
from tests.support import eventually
from tests.wiring import BY, Services, open_services, phones

START = "call.start.error-"
AUTHENTICATION = {"reason": f"{START}get-transport", "message": "20003: Authenticate"}
NO_CREDIT = {"reason": f"{START}subscription-insufficient-credits"}
FAULT = {"reason": f"{START}vapifault-worker-not-available"}
ABROAD = {
    "reason": f"{START}vapi-number-international",
    "message": "Not from +12025550100",
}
NOT_ABROAD = "Free Vapi numbers do not support international calls."
OTHER_LINE = "d3e5f7a9-2b4c-4d6e-8f70-a12b3c4d5e6f"
LINES = ({"id": OTHER_LINE, "number": "+12025550101"},)
CAP = 2
FACTOR = 20
LONG = 40


type Dialled = Callable[..., AbstractContextManager[tuple[Services, Simulator]]]


@pytest.fixture(scope="module")
def simulator_with() -> Iterator[Callable[..., Simulator]]:
    with shared_simulators() as simulator_with:
        yield simulator_with


@pytest.fixture
def dialled(database: str, simulator_with: Callable[..., Simulator]) -> Dialled:
    """Runs a scheduler that calls through a simulator, which sends no webhooks."""

    @contextmanager
    def dialled(
        faults: dict[str, Any] | None = None, **settings: object
    ) -> Iterator[tuple[Services, Simulator]]:
        given = {"speed": 300, "phone_numbers": LINES, "outcomes": {"voicemail": 1}}
        simulator = simulator_with(**given | settings)
        simulator.set_faults(**faults or {})
        at = VapiSettings(base_url=simulator.url, api_key=simulator.api_key)
        provider, clock = VapiProvider(at), FastClock(FACTOR)
        with (
            open_services(
                database, now=clock, provider=provider, projector=True
            ) as services,
            leading(
                _dependencies(services, clock), Leading(), services, FastWakeUp(clock)
            ),
        ):
            yield services, simulator

    return dialled


def _dependencies(services: Services, clock: FastClock) -> SchedulerDependencies:
    interval = timedelta(seconds=0.2 * FACTOR)
    return dependencies_of(services, interval, FastWakeUp(clock))


def paused(services: Services, campaign_id: UUID) -> CampaignRow:
    def is_paused() -> bool:
        return services.board(campaign_id).state is CampaignState.PAUSED

    eventually(is_paused, LONG, "a pause")
    eventually(lambda: services.board(campaign_id).active == 0, LONG, "the last calls")
    return services.board(campaign_id)


def completed(services: Services, campaign_id: UUID) -> CampaignRow:
    def is_over() -> bool:
        return services.board(campaign_id).state is CampaignState.COMPLETED

    eventually(is_over, LONG, "the end")
    return services.board(campaign_id)


def reason_of(services: Services, row: CampaignRow) -> str:
    assert row.reason_words_id is not None
    return services.vault.words(row.reason_words_id) or ""


def calls_by_number(simulator: Simulator) -> dict[str, list[dict[str, Any]]]:
    """Group the calls at the simulator by the number called, in their order."""
    found = defaultdict(list)
    for call in simulator.ledger()["calls"]:
        found[call["number"]].append(call)
    return found


def posts(simulator: Simulator) -> int:
    """Count the requests to call somebody, however they were answered."""
    return sum(simulator.ledger()["requests"].get("POST /call", {}).values())


# --- The account, the assistant, the line -------------------------------------------


@pytest.mark.parametrize(
    "ended", [AUTHENTICATION, NO_CREDIT], ids=["carrier", "credit"]
)
def test_an_account_fault_pauses_at_once_and_uses_no_attempt(
    dialled: Dialled, ended: dict[str, str]
) -> None:
    """Before this rule, such a carrier fault led to nine calls of three contacts."""
    with dialled(faults={"ended": [ended]}) as (services, simulator):
        campaign_id = services.campaign(3, cap=1)
        row = paused(services, campaign_id)
        assert row.pause_cause is PauseCause.ACCOUNT
        assert ended["reason"] in reason_of(services, row)
        assert ended.get("message", "") in reason_of(services, row)
        assert (row.pending, posts(simulator)) == (3, 1)
        simulator.set_faults()
        services.campaigns.resume(campaign_id, by=BY)
        assert completed(services, campaign_id).ended == 3


def test_a_refusal_of_the_account_pauses_all_campaigns(dialled: Dialled) -> None:
    """The second campaign pauses though its own calls are still accepted."""
    no_credit = {"status": 402, "line": DEFAULT_PHONE_NUMBER_ID}
    with dialled(faults={"refused": [no_credit]}) as (services, simulator):
        second = services.campaign(phones(25, 50), cap=1, phone_number_id=OTHER_LINE)
        eventually(lambda: services.board(second).ended > 0, LONG, "an accepted call")
        first = services.campaign(phones(3), cap=1)
        for campaign_id in (first, second):
            row = paused(services, campaign_id)
            assert row.pause_cause is PauseCause.ACCOUNT
            assert "402" in reason_of(services, row)
            assert row.pending > 0
        simulator.set_faults()
        for campaign_id in (first, second):
            services.campaigns.resume(campaign_id, by=BY)
        assert completed(services, first).ended == 3
        assert completed(services, second).ended == 25


def test_a_deleted_line_stops_only_its_own_campaigns(dialled: Dialled) -> None:
    """One deleted line stopped the calls on all lines before."""
    with dialled(speed=3000) as (services, simulator):
        first = services.campaign(phones(15), cap=1)
        second = services.campaign(phones(15, 50), cap=1)
        other = services.campaign(phones(15, 90), cap=1, phone_number_id=OTHER_LINE)
        eventually(lambda: services.board(first).ended > 0, LONG, "a first call")
        simulator.set_faults(deleted_lines=[DEFAULT_PHONE_NUMBER_ID])
        for campaign_id in (first, second):
            row = paused(services, campaign_id)
            assert row.pause_cause is PauseCause.ACCOUNT
            assert "Phone Number" in reason_of(services, row)
            assert row.pending + row.ended == 15, "nobody was used up"
        assert completed(services, other).ended == 15


def test_open_calls_of_a_deleted_line_are_followed_to_their_end(
    dialled: Dialled,
) -> None:
    with dialled(talk_seconds=(900, 900)) as (services, simulator):
        campaign_id = services.campaign(1)
        eventually(lambda: services.board(campaign_id).active == 1, LONG, "a call")
        eventually(lambda: simulator.ledger()["calls"], LONG, "the call there")
        simulator.set_faults(deleted_lines=[DEFAULT_PHONE_NUMBER_ID])
        assert completed(services, campaign_id).ended == 1


# --- A contact ----------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_number_that_may_not_be_called_fails_alone(
    dialled: Dialled, when: str
) -> None:
    """Such a number paused the campaign at contact 16 of 41 before."""
    people = phones(41)
    bad = people[15]
    refused = {"refused": [{"number": bad, "message": NOT_ABROAD}]}
    ended = {"ended": [ABROAD | {"number": bad}]}
    faults = refused if when == "before" else ended
    with dialled(faults=faults) as (services, simulator):
        campaign_id = services.campaign(people, cap=4)
        row = completed(services, campaign_id)
        assert (row.ended, row.failed) == (40, 1)
        assert posts(simulator) == 41, "each was asked for once"
        [failed] = [
            call
            for call in services.call_rows(campaign_id)
            if call.standing is ContactStatus.FAILED
        ]
        words_id = failed.ended_words_id or failed.rejection_words_id
        assert words_id is not None
        explanation = services.vault.words(words_id) or ""
        assert (
            explanation == "Not from ...00"
            if when == "after"
            else NOT_ABROAD in explanation
        )


def test_an_unexplained_refusal_of_one_contact_does_not_pause_the_others(
    dialled: Dialled,
) -> None:
    people = phones(6)
    odd = {"number": people[-1], "status": 418, "message": "No."}
    with dialled(faults={"refused": [odd]}) as (services, simulator):
        campaign_id = services.campaign(people, cap=1)
        eventually(lambda: services.board(campaign_id).ended == 5, LONG, "the others")
        eventually(lambda: posts(simulator) >= 8, LONG, "three tries")
        row = services.board(campaign_id)
        assert (row.pending + row.active, row.failed) == (1, 0)
        assert row.state is CampaignState.RUNNING or row.state is CampaignState.DIALING
        simulator.set_faults()
        assert completed(services, campaign_id).ended == 6


@pytest.mark.parametrize("when", ["before", "after"])
def test_ten_refused_contacts_in_a_row_pause_the_campaign(
    dialled: Dialled, when: str
) -> None:
    refused = {"refused": [{"message": NOT_ABROAD}]}
    faults = refused if when == "before" else {"ended": [ABROAD]}
    with dialled(faults=faults) as (services, simulator):
        campaign_id = services.campaign(20, cap=CAP)
        row = paused(services, campaign_id)
        assert row.pause_cause is PauseCause.PROVIDER_REFUSALS
        assert 10 <= posts(simulator) <= 10 + CAP
        assert row.failed == posts(simulator)
        simulator.set_faults()
        services.campaigns.resume(campaign_id, by=BY)
        row = completed(services, campaign_id)
        assert row.ended + row.failed == 20


# --- Capacity -----------------------------------------------------------------------


FORMS: dict[str, dict[str, Any]] = {
    "refused": {"over_limit": "refuse", "over_limit_status": 403},
    "blocked": {"over_limit": "block"},
    "ended": {"over_limit": "end"},
}
"""tests/provider/test_refusals.py proves the other statuses of a refusal."""


@pytest.mark.parametrize("form", FORMS)
def test_a_full_limit_uses_no_attempt_in_any_form(dialled: Dialled, form: str) -> None:
    """A full limit used up three attempts in four seconds before."""
    settings = {"concurrency_limit": 1, "talk_seconds": (150, 150)}
    with dialled(**settings, **FORMS[form]) as (services, simulator):
        campaign_id = services.campaign(4, cap=4)
        row = completed(services, campaign_id)
        assert (row.ended, row.failed) == (4, 0)
        answered = [c for c in simulator.ledger()["calls"] if c["startedAt"]]
        assert len({call["number"] for call in answered}) == len(answered) == 4


# --- Faults of the platform -----------------------------------------------------------


def test_a_later_success_ends_a_series_of_platform_faults(
    dialled: Dialled,
) -> None:
    with dialled(faults={"ended": [FAULT]}) as (services, simulator):
        campaign_id = services.campaign(2, cap=CAP)
        eventually(lambda: posts(simulator) >= 4, LONG, "a second call of each")
        simulator.set_faults()
        row = completed(services, campaign_id)
        assert (row.ended, row.failed) == (2, 0)
        for calls in calls_by_number(simulator).values():
            assert len(calls) >= 2
            assert {call["endedReason"] for call in calls[:-1]} == {FAULT["reason"]}
            assert calls[-1]["endedReason"] == "voicemail"


# --- How long the provider asks to wait -----------------------------------------------


def test_retry_after_holds_the_whole_line_but_no_other(dialled: Dialled) -> None:
    busy = {"status": 429, "message": "Rate limit exceeded", "retry_after": "3600"}
    faults = {"refused": [busy | {"line": DEFAULT_PHONE_NUMBER_ID}]}
    with dialled(faults=faults) as (services, simulator):
        held = services.campaign(phones(20), cap=1)
        eventually(lambda: posts(simulator) >= 1, LONG, "the refusal")
        free = services.campaign(phones(20, 50), phone_number_id=OTHER_LINE)
        assert completed(services, free).ended == 20
        assert posts(simulator) == 21, "the held line was not asked again"
        assert services.board(held).pending == 20
        [view] = [one for one in services.snapshot().campaigns if one.id == held]
        assert view.next_due_at is not None
        assert view.next_due_at - services.now() <= timedelta(minutes=15)
