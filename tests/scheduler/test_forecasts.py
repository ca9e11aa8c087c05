"""Forecasts are stored and scored, and they simulate what the scheduler really does."""

from datetime import timedelta
from random import Random
from threading import Event
from typing import override
from uuid import UUID

import pytest

from domain.campaigns.campaign_terms import CallingTerms
from domain.campaigns.retry_policy import RetryPolicy, RetryRule
from domain.forecast.log import Occasion
from domain.forecast.quantities import Quantity
from domain.forecast.simulation.contact_by_contact import ContactByContact
from domain.forecast.simulation.simulated_calls import CallEnd, Contact
from domain.forecast.situation import Hours, Situation, Stratum
from domain.outcomes import CallOutcome
from projections.forecasts import campaign_forecasts
from projections.forecasts.results import results_of
from provider.simulator.calls.call_plan import plan_call
from provider.simulator.settings import SimulatorSettings
from provider.vapi.messages.reading import read_message
from scheduler.maintenance.forecasts import INTERVAL, Forecasts, ForecastWorker
from tests.application.calls.messages import report
from tests.scheduler.leading import Passes
from tests.wiring import NOON, Clock, Services

AGAIN = RetryPolicy(3, 5, 1, 7, (RetryRule((CallOutcome.BUSY,), 2, (30,)),))
OUTCOMES = {
    "customer-busy": CallOutcome.BUSY,
    "customer-did-not-answer": CallOutcome.NO_ANSWER,
}
SIMULATOR = SimulatorSettings(
    outcomes={"customer-busy": 1.0, "customer-did-not-answer": 1.0}
)


def clock(services: Services) -> Clock:
    assert isinstance(services.now, Clock)
    return services.now


def forecasts(services: Services) -> Forecasts:
    return Forecasts(
        services.reading.connection,
        services.forecast_reader,
        services.forecasts,
        services.now,
        services.read_model.wait_for,
    )


def stored(services: Services, campaign_id: UUID) -> list[Occasion]:
    with services.reading.connection() as conn:
        found = campaign_forecasts.forecasts_of(conn, campaign_id)
    return [occasion for occasion, _ in found]


def end(services: Services, number: int, reason: str) -> None:
    order = services.provider.orders[number]
    provider_call_id = services.load_call(order.call_id).provider_call_id
    body = report(order.call_id, endedReason=reason, startedAt=None, cost=0.02)
    body["message"]["call"]["id"] = provider_call_id
    body["message"]["endedAt"] = services.now().isoformat()
    services.calls.record_message(read_message(body))


# --- Storing and scoring --------------------------------------------------------------


def test_a_forecast_is_stored_at_the_start_and_then_every_ten_minutes(
    services: Services,
) -> None:
    campaign_id = services.campaign(5)
    worker = forecasts(services)
    assert [worker.run_once(), worker.run_once()] == [1, 0]
    clock(services).pass_(minutes=9)
    assert worker.run_once() == 0
    clock(services).pass_(minutes=1)
    assert worker.run_once() == 1
    assert stored(services, campaign_id) == [Occasion.LAUNCH, Occasion.RUNNING]


def test_a_campaign_without_a_forecast_gets_one_before_others_get_another(
    services: Services,
) -> None:
    earlier = services.campaign(2)
    forecasts(services).run_once()
    clock(services).pass_(minutes=10)
    later = services.campaign(2)
    with services.reading.connection() as conn:
        found = campaign_forecasts.due(conn, services.now() - INTERVAL, 2)
    assert found == [later, earlier]


def test_after_each_forecast_the_worker_pauses_for_nine_times_its_computing_time(
    services: Services,
) -> None:
    services.campaign(2)
    computed: list[float] = []
    worker = ForecastWorker(forecasts(services))
    worker._stopped = Waits()
    assert forecasts(services).run_once(rest=computed.append) == 1
    assert [seconds > 0 for seconds in computed] == [True]
    worker._rest(2.0)
    assert worker._stopped.seconds == [pytest.approx(18.0)]


class Waits(Event):
    """An event that records for how long somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return True


def test_a_campaign_that_was_not_started_has_no_stored_forecast(
    services: Services,
) -> None:
    services.campaign(2, start=False)
    assert forecasts(services).run_once() == 0


def test_forecasts_are_scored_once_when_the_campaign_is_completed(
    services: Services,
) -> None:
    campaign_id = services.campaign(2)
    worker = forecasts(services)
    worker.run_once()
    Passes(services).run()
    clock(services).pass_(minutes=2)
    for number in range(2):
        end(services, number, "customer-did-not-answer")
    Passes(services).run()
    assert services.load_campaign(campaign_id).state == "COMPLETED"
    assert [worker.run_once(), worker.run_once()] == [1, 0]
    with services.reading.connection() as conn:
        [(scores, counts)] = campaign_forecasts.learned(conn)
    by_quantity = {one.quantity: one for one in scores}
    assert by_quantity[Quantity.CALLS].result == 2
    assert by_quantity[Quantity.CALLS].is_covered
    assert by_quantity[Quantity.HUMAN].result == 0
    assert by_quantity[Quantity.SPEND].result == pytest.approx(0.04)
    assert {one.occasion for one in scores} == {Occasion.LAUNCH}
    assert (counts.calls, counts.contacts) == (2, 2)


def test_later_forecasts_learn_from_finished_campaigns(services: Services) -> None:
    first = services.campaign(2)
    Passes(services).run()
    for number in range(2):
        end(services, number, "customer-did-not-answer")
    Passes(services).run()
    assert services.load_campaign(first).state == "COMPLETED"
    forecasts(services).run_once()
    second = services.campaign(["+12025550150", "+12025550151"], start=False)
    with services.reading.connection() as conn:
        made = services.forecast_reader.of_campaign(conn, second, services.now())
    assert made is not None
    assert made.attempts_seen == 2
    assert made.coverage is None
    assert made.of(Quantity.CALLS).naive == 2


def test_a_canceled_campaign_teaches_but_has_no_scores(services: Services) -> None:
    campaign_id = services.campaign(2)
    worker = forecasts(services)
    worker.run_once()
    Passes(services).run()
    end(services, 0, "customer-busy")
    end(services, 1, "customer-busy")
    services.campaigns.cancel(campaign_id, hang_up=False, by="ann@example.com")
    services.settle()
    with services.reading.connection() as conn:
        scores, counts = results_of(conn, campaign_id)
    assert scores == ()
    assert counts.calls == 2


# --- The simulation does what the scheduler does --------------------------------------


def planned(contact: int, attempt: int) -> tuple[str, float]:
    """Return reason and duration of a call, as the provider's simulator draws them.

    Durations are whole minutes, so that both runs see events in the same order.
    """
    dice = Random(f"17/{contact}/{attempt}")
    plan = plan_call(SIMULATOR, dice, None)
    return plan.reason, 60.0 * (1 + int(plan.ring) % 4)


def test_the_simulation_makes_the_calls_of_the_real_scheduler_in_its_order(
    services: Services,
) -> None:
    contacts, cap = 9, 2
    services.campaign(contacts, cap=cap, terms=CallingTerms(AGAIN))
    services.set(dials_per_second=100)
    real = run_scheduler(services, contacts, minutes=240)
    assert {attempt for _, attempt in real} == {1, 2, 3}
    assert run_simulation(contacts, cap) == real


def run_scheduler(
    services: Services, contacts: int, minutes: int
) -> list[tuple[int, int]]:
    """Run the scheduler until nothing is left; return contact and attempt of calls."""
    passes, number_of, open_calls = (
        Passes(services),
        dict[str, int](),
        dict[int, float](),
    )
    dials: list[tuple[int, int]] = []
    for minute in range(minutes):
        for number, ends in sorted(open_calls.items(), key=lambda one: one[1]):
            if ends <= minute * 60:
                end(services, number, planned(*dials[number])[0])
                del open_calls[number]
        while True:
            before = len(services.provider.orders)
            passes.run()
            for order in services.provider.orders[before:]:
                phone = order.phone
                contact = number_of.setdefault(phone, len(number_of))
                dials.append((contact, order.attempt))
                seconds = planned(contact, order.attempt)[1]
                open_calls[len(dials) - 1] = minute * 60 + seconds
            if len(services.provider.orders) == before:
                break
        clock(services).pass_(minutes=1)
    assert len(number_of) == contacts
    return dials


def run_simulation(contacts: int, cap: int) -> list[tuple[int, int]]:
    always = Hours(((0.0, timedelta(days=60).total_seconds()),))
    situation = Situation(
        now=NOON,
        strata=(Stratum(always, (), contacts),),
        terms=CallingTerms(AGAIN),
        slots=cap,
        per_second=1e6,
        refill_seconds=0.0,
    )

    def oracle(contact: int, attempt: int, _at: object) -> CallEnd:
        reason, seconds = planned(contact, attempt)
        return CallEnd(OUTCOMES[reason], seconds)

    people = [Contact(0)] * contacts
    trace = ContactByContact(situation, people, oracle).run()
    return [(dial.contact, dial.attempt) for dial in trace.dials]
