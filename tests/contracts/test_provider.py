"""The contract of the port Provider, for both fakes and the client of Vapi."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from application.ports import (
    Accepted,
    AccountRefused,
    ContactRefused,
    NeverLeft,
    NotNow,
    Origin,
    Outcome,
    PhoneNumber,
    Provider,
    ProviderAssistant,
    ProviderRefused,
    ProviderUnavailable,
    Unknown,
)
from provider.simulator.settings import (
    DEFAULT_ASSISTANT_ID,
    DEFAULT_PHONE_NUMBER_ID,
    NEVER_ENDS,
)
from provider.vapi.client import VapiProvider
from provider.vapi.settings import VapiSettings
from tests.fakes import FakeProvider, Lost, an_order
from tests.faults.provider_faults import PERFECT
from tests.faults.virtual_provider import TIME_OUT, VirtualProvider
from tests.simulator import Simulator, running_simulator
from tests.support import eventually
from tests.wiring import Clock

OTHER_LINE = "00000000-0000-4000-8000-000000000000"


@dataclass
class Side:
    """A provider, and what a test may do behind its back.

    After `answer`, the next request has one of the faults in SPOILT; `recover` ends
    the fault of a provider that does not end it itself. After `take_down`, nothing is
    answered.
    """

    provider: Provider
    answer: Callable[[str], None]
    take_down: Callable[[], None]
    recover: Callable[[], None] = lambda: None

    def place(self, **order: Any) -> tuple[str, datetime]:
        """Return the provider's id and time of an accepted call."""
        done = self.create(**order)
        assert isinstance(done, Accepted), done
        return done.provider_call_id, done.placed_at

    def create(self, *, in_seconds: float = 5, **order: Any) -> Outcome:
        outcome = self.provider.create_call(
            an_order(**order), send_before=monotonic() + in_seconds
        )
        self.recover()
        return outcome


SPOILT: dict[str, Outcome | Lost] = {
    "rate_limited_retry_after": NotNow("429: Rate limit exceeded", retry_after=1),
    "over_concurrency": NotNow("400: Over Concurrency Limit"),
    "payment_required": AccountRefused("402: no credit"),
    "error_before": Unknown("500"),
    "reset_before": Unknown("reset"),
    "error_after": Lost(),
    "reset_after": Lost(),
    "garbage_after": Lost(),
}


RATES = {
    "rate_limited_retry_after": replace(PERFECT, not_now=1.0),
    "over_concurrency": PERFECT,
    "payment_required": replace(PERFECT, account=1.0),
    "error_before": replace(PERFECT, error_before=1.0),
    "reset_before": replace(PERFECT, error_before=1.0),
    "error_after": replace(PERFECT, error_after=1.0),
    "reset_after": replace(PERFECT, late_after=1.0),
    "garbage_after": replace(PERFECT, error_after=1.0),
}
"""The same faults of the provider in virtual time."""


def known_to_the_account() -> dict[str, Any]:
    line = PhoneNumber(DEFAULT_PHONE_NUMBER_ID, "+12025550100", "Line 1", "active")
    known = ProviderAssistant(DEFAULT_ASSISTANT_ID, "Reminder", {"firstMessage": "Hi"})
    return {"assistants": {known.id: known}, "lines": [line]}


def fake() -> Side:
    provider = FakeProvider(**known_to_the_account())

    def answer(way: str) -> None:
        provider.answers(SPOILT[way])

    def take_down() -> None:
        provider.down = True

    return Side(provider, answer, take_down)


def virtual() -> Side:
    # This generator draws a refusal with the time after which to try again.
    random, clock = Random(4), Clock(datetime.now(UTC))
    provider = VirtualProvider(clock=clock, random=random, **known_to_the_account())

    def answer(way: str) -> None:
        provider.rates = RATES[way]
        provider.limit = 0 if way == "over_concurrency" else None

    def take_down() -> None:
        provider.down = True

    def recover() -> None:
        provider.rates, provider.limit = PERFECT, None
        clock.pass_(seconds=TIME_OUT)

    return Side(provider, answer, take_down, recover)


def real(simulator: Simulator) -> Side:
    simulator.reset()
    simulator.set_faults()

    def answer(way: str) -> None:
        simulator.set_faults(script=[{"fault": way}])

    def take_down() -> None:
        simulator.set_faults(down=True)

    settings = VapiSettings(simulator.url, simulator.api_key, timeout_seconds=5)
    return Side(VapiProvider(settings, wait=lambda _: None), answer, take_down)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running_simulator(
        speed=400, outcomes={NEVER_ENDS: 1}, concurrency_limit=500
    ) as simulator:
        yield simulator


@pytest.fixture(params=["fake", "virtual", "vapi"])
def side(request: pytest.FixtureRequest) -> Side:
    match request.param:
        case "fake":
            return fake()
        case "virtual":
            return virtual()
    return real(request.getfixturevalue("simulator"))


@pytest.fixture(params=["fake", "vapi"])
def timed_side(request: pytest.FixtureRequest) -> Side:
    """A provider that checks deadlines itself.

    In virtual time the `CrashingProvider` in front of the provider checks them.
    """
    return (
        fake()
        if request.param == "fake"
        else real(request.getfixturevalue("simulator"))
    )


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def test_an_accepted_call_is_found_by_its_id_and_contains_our_id(side: Side) -> None:
    order = an_order(attempt=2)
    done = side.provider.create_call(order, send_before=monotonic() + 5)
    assert isinstance(done, Accepted)
    found = side.provider.call(done.provider_call_id)
    assert found is not None
    assert found.call_id == order.call_id
    assert found.origin == Origin(order.campaign_id, order.contact_id, attempt=2)
    assert found.created_at == done.placed_at
    assert not found.ended


def test_looking_up_an_unknown_call_returns_none(side: Side) -> None:
    assert side.provider.call(str(uuid4())) is None


def test_a_line_lists_its_own_calls_newest_first(side: Side) -> None:
    placed = [side.place() for _ in range(3)]
    listed = side.provider.calls(DEFAULT_PHONE_NUMBER_ID, since=an_hour_ago())
    assert {call.provider_call_id for call in listed} == {id_ for id_, _ in placed}
    times = [call.created_at for call in listed]
    assert times == sorted(times, reverse=True)
    assert side.provider.calls(OTHER_LINE, since=an_hour_ago()) == []


def test_a_line_lists_the_calls_created_since_a_time(side: Side) -> None:
    _, placed_at = side.place()
    line = DEFAULT_PHONE_NUMBER_ID
    assert len(side.provider.calls(line, since=placed_at)) == 1
    later = placed_at + timedelta(milliseconds=1)
    assert side.provider.calls(line, since=later) == []


def test_a_long_list_of_calls_is_complete(side: Side) -> None:
    placed = {side.place()[0] for _ in range(130)}
    listed = side.provider.calls(DEFAULT_PHONE_NUMBER_ID, since=an_hour_ago())
    assert {call.provider_call_id for call in listed} == placed
    assert len(listed) == 130


def test_a_hang_up_ends_a_live_call(side: Side) -> None:
    provider_call_id, _ = side.place()

    def is_over() -> bool:
        found = side.provider.call(provider_call_id)
        assert found is not None
        return found.ended and found.report.ended_reason == "manually-canceled"

    side.provider.hang_up(provider_call_id)
    eventually(is_over, what="the end of the call")


def test_hanging_up_an_ended_or_unknown_call_is_no_error(side: Side) -> None:
    provider_call_id, _ = side.place()
    for id_ in (provider_call_id, provider_call_id, str(uuid4())):
        side.provider.hang_up(id_)


def test_an_invalid_number_is_a_refusal_of_the_contact(side: Side) -> None:
    done = side.create(phone="12")
    assert isinstance(done, ContactRefused)
    assert "customer.number" in done.text


def test_a_request_after_its_deadline_is_not_sent(timed_side: Side) -> None:
    assert isinstance(timed_side.create(in_seconds=-0.001), NeverLeft)
    listed = timed_side.provider.calls(DEFAULT_PHONE_NUMBER_ID, since=an_hour_ago())
    assert listed == []


@pytest.mark.parametrize("way", ["rate_limited_retry_after", "over_concurrency"])
def test_a_busy_provider_refuses_for_lack_of_capacity(side: Side, way: str) -> None:
    side.answer(way)
    done = side.create()
    assert isinstance(done, NotNow)
    assert done.retry_after == (1 if way == "rate_limited_retry_after" else None)
    assert isinstance(side.create(), Accepted)


def test_an_account_without_credit_is_a_refusal_of_the_account(side: Side) -> None:
    side.answer("payment_required")
    assert isinstance(side.create(), AccountRefused)


@pytest.mark.parametrize("way", ["error_before", "reset_before"])
def test_a_lost_answer_to_a_request_that_was_not_executed_is_unknown(
    side: Side, way: str
) -> None:
    side.answer(way)
    assert isinstance(side.create(), Unknown)
    assert side.provider.calls(DEFAULT_PHONE_NUMBER_ID, since=an_hour_ago()) == []


@pytest.mark.parametrize("way", ["error_after", "reset_after", "garbage_after"])
def test_a_call_whose_answer_was_lost_is_found_in_the_list(
    side: Side, way: str
) -> None:
    side.answer(way)
    order = an_order()
    done = side.provider.create_call(order, send_before=monotonic() + 5)
    side.recover()
    assert isinstance(done, Unknown)
    listed = side.provider.calls(DEFAULT_PHONE_NUMBER_ID, since=an_hour_ago())
    assert [call.call_id for call in listed] == [order.call_id]


def test_an_assistant_is_returned_or_none_if_unknown(side: Side) -> None:
    found = side.provider.assistant(DEFAULT_ASSISTANT_ID)
    assert found is not None
    assert found.id == DEFAULT_ASSISTANT_ID
    assert found.name
    assert found.config
    assert side.provider.assistant(str(uuid4())) is None


def test_the_lines_are_listed(side: Side) -> None:
    lines = {line.id: line for line in side.provider.phone_numbers()}
    assert lines[DEFAULT_PHONE_NUMBER_ID].status == "active"


@pytest.mark.parametrize(
    "read",
    [
        lambda provider: provider.call("call-1"),
        lambda provider: provider.calls(OTHER_LINE, since=an_hour_ago()),
        lambda provider: provider.hang_up("call-1"),
        lambda provider: provider.assistant("a"),
        lambda provider: provider.listed_assistants(),
        lambda provider: provider.phone_numbers(),
    ],
    ids=["call", "calls", "hang_up", "assistant", "listed_assistants", "phone_numbers"],
)
def test_queries_of_an_unreachable_provider_raise(
    side: Side, read: Callable[[Provider], object]
) -> None:
    side.take_down()
    with pytest.raises(ProviderUnavailable):
        read(side.provider)


def test_a_request_to_a_provider_that_is_down_is_not_accepted(side: Side) -> None:
    side.take_down()
    assert isinstance(side.create(), Unknown | NeverLeft)


def test_the_assistants_of_the_account_are_listed_with_their_names(side: Side) -> None:
    made = side.provider.create_assistant("Ann", {})
    listed = {one.id: one.name for one in side.provider.listed_assistants()}
    assert listed[made.id] == "Ann"
    assert listed.keys() >= {DEFAULT_ASSISTANT_ID}


def test_an_assistant_is_created_and_changed(side: Side) -> None:
    made = side.provider.create_assistant("Ann", {"firstMessage": "Hi", "voice": {}})
    assert (made.name, made.config["firstMessage"]) == ("Ann", "Hi")
    result = {"firstMessage": "Hello"}
    changed = side.provider.update_assistant(made.id, "Bea", result)
    assert changed is not None
    assert (changed.id, changed.name) == (made.id, "Bea")
    assert (changed.config["firstMessage"], changed.config["voice"]) == ("Hello", {})
    found = side.provider.assistant(made.id)
    assert found is not None
    assert (found.name, found.config["firstMessage"]) == ("Bea", "Hello")
    assert side.provider.update_assistant(str(uuid4()), "Cleo", {}) is None


def test_a_provider_states_how_long_an_assistants_name_may_be(side: Side) -> None:
    longest = "x" * side.provider.longest_assistant_name
    assert side.provider.create_assistant(longest, {}).name == longest
    with pytest.raises(ProviderRefused):
        side.provider.create_assistant(f"{longest}x", {})


def test_a_new_assistant_can_be_created_as_the_provider_suggests(side: Side) -> None:
    suggested = dict(side.provider.texts.new_assistant)
    made = side.provider.create_assistant("New", suggested)
    assert made.config["firstMessage"] == suggested["firstMessage"]
    assert "name" in side.provider.template_variables(suggested)


def test_the_results_of_tool_calls_are_named_by_their_ids(side: Side) -> None:
    assert side.provider.tool_response({}) == {}
    response = side.provider.tool_response({"one": "Recorded.", "two": "Unknown."})
    assert response["results"] == [
        {"toolCallId": "one", "result": "Recorded."},
        {"toolCallId": "two", "result": "Unknown."},
    ]


def test_a_call_without_a_recording_has_no_link(side: Side) -> None:
    provider_call_id, _ = side.place()
    assert side.provider.recording_link(provider_call_id) is None
    assert side.provider.recording_link(str(uuid4())) is None


def test_the_tools_that_we_answer_are_added_once(side: Side) -> None:
    config = {"firstMessage": "Hi", "model": {"provider": "openai", "model": "m"}}
    made = side.provider.create_assistant("Reminder", config)
    assert made.tools == ()
    added = side.provider.add_tools(made.id)
    assert added is not None
    assert added.tools == ("record_opt_out", "schedule_callback")
    assert side.provider.add_tools(made.id) == added
    assert side.provider.assistant(made.id) == added
    other = side.provider.create_assistant("Other", config)
    assert other.tools == ()


def test_an_unknown_assistant_gets_no_tools(side: Side) -> None:
    assert side.provider.add_tools(str(uuid4())) is None
