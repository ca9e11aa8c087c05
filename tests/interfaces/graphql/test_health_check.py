"""The health of each component, and the advice that the report gives."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import pytest

from application.ports import (
    CallPhase,
    CallReport,
    PhoneNumber,
    ProviderCall,
    ProviderUnavailable,
)
from application.suppression_lists.service import ListTerms
from domain.calls.reports import ReportGrade
from domain.settings import ENVIRONMENT, RulesMode, SettingsValues
from domain.values import Role
from interfaces.graphql.health_check import (
    Component,
    HealthCheck,
    HealthReport,
    HealthStatus,
)
from interfaces.graphql.lines import Lines
from interfaces.graphql.provider_watch import ASKED_EVERY_SECONDS, ProviderWatch
from provider.vapi.messages.reading import read_message
from storage.database import connect, open_pool
from storage.process.decisions import beat, write_clock
from tests.fakes import FakeProvider
from tests.wiring import BY, Clock, Services, open_services, phones

OK, DEGRADED, DOWN = HealthStatus.OK, HealthStatus.DEGRADED, HealthStatus.DOWN
LINE = PhoneNumber("line-1", "+12025550100", "Main", "active")
MINUTE = timedelta(minutes=1)


def real_time() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def services(shared_database: str) -> Iterator[Services]:
    with open_services(shared_database, now=Clock(real_time())) as services:
        yield services


class Seconds:
    """The monotonic clock; reports are cached for 1 s, the provider's status longer."""

    at = 0.0

    def __call__(self) -> float:
        return self.at

    def pass_(self) -> None:
        self.at += ASKED_EVERY_SECONDS


class Watched:
    """A health check whose cached reports have always expired."""

    def __init__(self, services: Services, pool: Any = None, **given: Any) -> None:
        self.provider, self.seconds = FakeProvider(lines=[LINE]), Seconds()
        lines = Lines(self.provider, real_time, self.seconds)
        self.health_check = HealthCheck(
            pool=pool or services.reading,
            process_records=services.process_records,
            provider=ProviderWatch(lines, real_time, self.seconds),
            provider_actor=self.provider.actor,
            now=real_time,
            clock=self.seconds,
            url=services.url,
            **{"webhooks": True, "own_url": "https://calls.example", **given},
        )

    def report(self) -> HealthReport:
        self.seconds.pass_()
        return self.health_check.report()

    def part(self, name: str) -> Component:
        (found,) = [part for part in self.report().components if part.name == name]
        return found


def detail_of(part: Component, status: HealthStatus) -> str:
    assert part.status is status, part
    return part.detail or ""


def sign(services: Services, silent_after: float, age: float = 0.0) -> None:
    with connect(services.url, name="test") as connection:
        beat(connection, "scheduler", "host:1", silent_after)
        connection.execute(
            "update heartbeat set beat_at = beat_at - make_interval(secs => %s)", (age,)
        )


def test_a_healthy_system_is_reported_as_ok(services: Services) -> None:
    services.settle()
    sign(services, silent_after=120)
    report = Watched(services).report()
    assert {part.name: part.status for part in report.components} == dict.fromkeys(
        [
            "database",
            "projector",
            "scheduler",
            "dialling",
            "calling rules",
            "suppression lists",
            "provider",
            "lines",
            "webhooks",
            "clock",
        ],
        OK,
    )
    assert report.status is OK
    assert report.last_tick_at is not None


def test_the_provider_is_still_reported_if_the_database_is_down(
    services: Services,
) -> None:
    with open_pool(services.url, name="closed") as closed:
        pass
    report = Watched(services, pool=closed).report()
    assert report.components[0].status is DOWN
    assert [part.name for part in report.components] == [
        "database",
        "provider",
        "lines",
    ]
    assert report.status is DOWN


def test_the_leading_scheduler_is_named_until_its_heartbeat_is_too_old(
    services: Services,
) -> None:
    watched = Watched(services)
    sign(services, silent_after=120, age=100)
    assert "host:1 leads" in detail_of(watched.part("scheduler"), OK)
    sign(services, silent_after=60, age=100)
    assert "nothing is dialled" in detail_of(watched.part("scheduler"), DOWN)


def test_a_read_model_that_is_behind_is_named_with_the_event_it_waits_for(
    services: Services,
) -> None:
    watched, clock = Watched(services), services.now
    assert isinstance(clock, Clock)
    for behind, status in ((20, DEGRADED), (100, DOWN)):
        clock.time = real_time() - timedelta(seconds=behind)
        services.members.add(f"{behind}@example.com", Role.OPERATOR, by="test")
        assert "member.added" in detail_of(watched.part("projector"), status)
        services.settle()
    detail_of(watched.part("projector"), OK)


def test_the_provider_s_last_error_is_shown_after_it_has_recovered(
    services: Services,
) -> None:
    watched = Watched(services)
    assert detail_of(watched.part("provider"), OK) == ""
    watched.provider.down = True
    assert detail_of(watched.part("provider"), DOWN) == "the provider is down"
    assert "unknown" in detail_of(watched.part("lines"), DEGRADED)
    watched.provider.down = False
    assert "the provider is down" in detail_of(watched.part("provider"), OK)


def test_a_provider_that_does_not_answer_does_not_delay_the_report(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = "interfaces.graphql.health_check.PROVIDER_PATIENCE_SECONDS"
    monkeypatch.setattr(patience, 0.01)
    watched, answers, others = Watched(services), Event(), set(threading.enumerate())
    ask = watched.provider.phone_numbers

    def phone_numbers() -> list[PhoneNumber]:
        answers.wait(30)
        return ask()

    monkeypatch.setattr(watched.provider, "phone_numbers", phone_numbers)
    watched.report()
    detail_of(watched.part("database"), OK)
    detail = detail_of(watched.part("provider"), DEGRADED)
    assert "has not answered a request for 30 s" in detail
    started = set(threading.enumerate()) - others
    (asking,) = [one for one in started if one.name == "provider watch"]
    answers.set()
    asking.join(10)
    detail_of(watched.part("provider"), OK)


def test_the_lines_component_reports_live_calls_and_inactive_lines(
    services: Services,
) -> None:
    watched = Watched(services)
    assert detail_of(watched.part("lines"), OK).startswith(
        "Phone numbers: 1. Calls live"
    )
    watched.provider.lines = [PhoneNumber("line-2", "+12025550102", None, "blocked")]
    assert "+12025550102" in detail_of(watched.part("lines"), DEGRADED)
    watched.provider.lines = []
    assert "no phone number" in detail_of(watched.part("lines"), DEGRADED)


def test_health_names_a_faulty_or_missing_line(services: Services) -> None:
    services.campaign(phones(1), phone_number_id="deleted-line")
    watched = Watched(services)
    other = PhoneNumber("line-2", "+12025550102", None, None)
    watched.provider.lines = [LINE, other]
    watched.provider.lines_down["line-2"] = ProviderUnavailable("500: odd")
    result = detail_of(watched.part("lines"), DEGRADED)
    assert "does not show the calls of +12025550102: 500: odd" in result
    assert "no longer at the provider: deleted-line" in result
    detail_of(watched.part("provider"), OK)


def test_clocks_that_differ_are_named(services: Services) -> None:
    watched = Watched(services)
    with connect(services.url, name="test") as connection:
        write_clock(connection, "projector", "fine:1", 1.9)
        detail_of(watched.part("clock"), OK)
        write_clock(connection, "scheduler", "late:2", -7.2)
        result = detail_of(watched.part("clock"), DEGRADED)
        connection.execute("delete from process_clock")
    assert "scheduler late:2 is 7 s behind the database" in result
    assert "fine" not in result


def test_webhooks_without_a_secret_are_named(services: Services) -> None:
    result = detail_of(Watched(services, webhooks=False).part("webhooks"), DEGRADED)
    assert "AUTOLYNX_WEBHOOK_SECRET" in result


def test_missing_webhooks_during_calls_are_reported_with_the_likely_cause(
    services: Services,
) -> None:
    watched, clock = Watched(services), services.now
    assert isinstance(clock, Clock)
    first, second = placed(services, clock, "one", 30 * MINUTE, 2)
    assert "no webhook has arrived" in detail_of(watched.part("webhooks"), DEGRADED)

    clock.time = real_time() - 20 * MINUTE
    services.calls.record_message(read_message(status_update("one", first, "ringing")))
    services.settle()
    detail_of(watched.part("webhooks"), OK)

    place(services, clock, "two", second, 5 * MINUTE)
    result = detail_of(watched.part("webhooks"), DEGRADED)
    assert "for 5 min" in result
    assert "https://calls.example/webhooks/vapi" in result
    assert "AUTOLYNX_PUBLIC_URL" in result

    services.calls.record_lookup(second, shown("two"), grade=ReportGrade.NONE)
    services.settle()
    detail_of(watched.part("webhooks"), DEGRADED)  # It was queried and gave no answer.

    clock.time = real_time()
    services.calls.record_message(
        read_message(status_update("stranger", None, "ringing"))
    )
    services.settle()
    detail_of(watched.part("webhooks"), OK)


def placed(
    services: Services, clock: Clock, provider_id: str, ago: timedelta, people: int
) -> list[UUID]:
    """Claim this many calls, and place the first one at that time in the past."""
    clock.time = real_time() - ago
    ids = services.claim(services.campaign(people), people)
    place(services, clock, provider_id, ids[0], ago)
    return ids


def place(
    services: Services, clock: Clock, provider_id: str, call_id: UUID, ago: timedelta
) -> None:
    clock.time = real_time() - ago
    assert services.calls.request(call_id, dial_before=real_time() + MINUTE)
    services.calls.place(call_id, provider_call_id=provider_id, placed_at=clock.time)
    services.settle()


def shown(provider_id: str) -> ProviderCall:
    return ProviderCall(
        provider_id,
        "in-progress",
        CallPhase.ANSWERED,
        real_time(),
        None,
        CallReport(),
        {"id": provider_id},
    )


def status_update(provider_id: str, call_id: UUID | None, status: str) -> Any:
    call = {"id": provider_id, "name": str(call_id)}
    return {"message": {"type": "status-update", "status": status, "call": call}}


def test_a_duplicate_that_stops_all_dialling_degrades_health(
    services: Services,
) -> None:
    [call_id] = services.claim(services.campaign(1))
    services.calls.confirm_duplicate(call_id, "p-2")
    services.settle()
    detail = detail_of(Watched(services).part("dialling"), DEGRADED)
    assert "All dialling is stopped" in detail
    assert "an admin can allow requests again in the settings" in detail
    services.settings.allow_requests_again(by="ann")
    services.settle()
    assert Watched(services).part("dialling").status is OK


def test_rules_that_are_switched_off_are_reported_with_the_member(
    services: Services,
) -> None:
    off = SettingsValues().with_rules(RulesMode.OFF, reason=None, by=ENVIRONMENT)
    part = Watched(services, first_settings=off).part("calling rules")
    assert "switched off for all campaigns by environment" in detail_of(part, OK)
    services.settings.amend(
        {"calling_rules": RulesMode.OFF, "calling_rules_reason": "advice"}, by=BY
    )
    services.settle()
    assert f"by {BY}" in detail_of(Watched(services).part("calling rules"), OK)
    services.settings.amend({"calling_rules": RulesMode.ENFORCED}, by=BY)
    services.settle()
    assert detail_of(Watched(services).part("calling rules"), OK) == ""


def test_rules_that_cannot_be_read_are_reported_as_down(services: Services) -> None:
    broken = Watched(services, rules_problem=lambda: "us.toml, row 3: no source.")
    detail = detail_of(broken.part("calling rules"), DOWN)
    assert "nobody is called: us.toml, row 3" in detail


def test_a_list_that_cannot_be_read_or_is_too_old_is_named(services: Services) -> None:
    today = real_time().date()
    terms = ListTerms("Registry", as_of=today, covers=("+1305",))
    services.suppression_lists.receive(terms, [b"+13055550100"], by=BY)
    services.settle()
    assert Watched(services).part("suppression lists").status is OK
    with connect(services.url, name="test") as connection:
        connection.execute("delete from suppression_block")
    detail = detail_of(Watched(services).part("suppression lists"), DEGRADED)
    assert "The list Registry cannot be read (1 of its 1 blocks are missing)" in detail
    assert "numbers of +1305 are not called. Import the list again." in detail
    old = replace(terms, as_of=today - timedelta(days=40), max_age_days=31)
    services.suppression_lists.receive(old, [b"+13055550100"], by=BY)
    services.settle()
    detail = detail_of(Watched(services).part("suppression lists"), DEGRADED)
    assert "The list Registry is too old" in detail
