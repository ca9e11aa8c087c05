"""What restricts the calls of the installation restricts those of a rehearsal."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from application.suppression_lists.service import ListTerms
from domain.gate.rules import FrequencyCap
from domain.numbers.number import SuppressionSource
from scheduler.rehearsal.installation import ListUnreadable
from tests.scheduler.rehearsal.rehearsing import FAST, MORNING, order_for, run_here
from tests.wiring import BY, Services, phones

PEOPLE = phones(6)


def test_numbers_on_the_register_are_withheld(
    services: Services, blank_database: str, tmp_path: Path
) -> None:
    person = SuppressionSource.PERSON
    services.numbers.suppress(PEOPLE[0], source=person, reason=None, by=BY)
    services.settle()
    order = order_for(services.url, tmp_path, numbers=PEOPLE)
    assert run_here(order, blank_database)["withheld"] == 1


def test_numbers_on_an_imported_list_are_withheld(
    services: Services, blank_database: str, tmp_path: Path
) -> None:
    listed = "\n".join([*PEOPLE[:2], "+12125550000"]).encode()
    terms = ListTerms("Registry", as_of=MORNING.date())
    services.suppression_lists.receive(terms, [listed], by=BY)
    services.settle()
    figures = run_here(
        order_for(services.url, tmp_path, numbers=PEOPLE), blank_database
    )
    assert (figures["withheld"], figures["contacts"]) == (2, 6)
    assert figures["state"] == "COMPLETED"


def test_a_list_that_is_too_old_holds_the_numbers_that_it_covers(
    services: Services, blank_database: str, tmp_path: Path
) -> None:
    as_of = MORNING.date() - timedelta(days=40)
    terms = ListTerms("Registry", as_of=as_of, max_age_days=31)
    services.suppression_lists.receive(terms, [b"+12125550000"], by=BY)
    services.settle()
    figures = run_here(
        order_for(services.url, tmp_path, numbers=PEOPLE), blank_database
    )
    assert (figures["calls"], figures["pending"]) == (0, 6)
    assert len(figures["waits"]) == 1
    assert figures["at"] < (MORNING + timedelta(hours=1)).isoformat()


def test_nobody_is_rehearsed_while_a_list_cannot_be_read(
    services: Services, blank_database: str, tmp_path: Path
) -> None:
    terms = ListTerms("Registry", as_of=date(2026, 3, 1))
    services.suppression_lists.receive(terms, [PEOPLE[0].encode()], by=BY)
    services.settle()
    with services.writing.connection() as conn:
        conn.execute("delete from suppression_block")
    order = order_for(services.url, tmp_path, numbers=PEOPLE)
    with pytest.raises(ListUnreadable, match="'Registry' cannot be read"):
        run_here(order, blank_database)


def test_earlier_calls_of_the_installation_count_for_frequency_caps(
    services: Services, blank_database: str, tmp_path: Path
) -> None:
    capped = replace(FAST, frequency_caps=(FrequencyCap(1, 24),))
    called = services.claim(services.campaign(PEOPLE[:2]), 2)
    for call_id in called:
        services.calls.request(call_id, dial_before=services.now())
    services.settle()
    begins_at = services.now() + timedelta(hours=1)
    order = order_for(
        services.url, tmp_path, numbers=PEOPLE, settings=capped, begins_at=begins_at
    )
    figures = run_here(order, blank_database)
    assert figures["state"] == "COMPLETED"
    assert figures["at"] > (services.now() + timedelta(days=1)).isoformat()
