"""A contact is read together with its look-up in the active suppression lists."""

from datetime import date
from uuid import UUID

import pytest

from application.suppression_lists.service import ListTerms
from application.vault import Callee
from projections.contacts import contact_log
from tests.wiring import BY, Services

PEOPLE = (
    "+12025550100",
    "+12025550101",
    "+12025560000",
    "+13055559999",
    "+442079460000",
)
FIRST, SECOND = (PEOPLE[0], PEOPLE[2]), (PEOPLE[1], PEOPLE[3], "+13055559998")


def receive(services: Services, name: str, numbers: tuple[str, ...]) -> UUID:
    terms = ListTerms(name, date(2026, 3, 1))
    content = "\n".join(numbers).encode()
    version, _ = services.suppression_lists.receive(terms, [content], by=BY)
    return version.version_id


def callees(services: Services, campaign_id: UUID) -> list[Callee]:
    with services.reading.connection() as conn:
        found = contact_log.page(conn, campaign_id, first=len(PEOPLE)).nodes
    callees = [services.lookups.callee(row.id) for row in found]
    return [one for one in callees if one is not None]


@pytest.fixture
def campaign_id(services: Services) -> UUID:
    return services.campaign(PEOPLE)


def test_a_contact_is_read_with_what_the_lists_say(
    services: Services, campaign_id: UUID
) -> None:
    lists = {
        receive(services, "A", FIRST): FIRST,
        receive(services, "B", SECOND): SECOND,
    }
    found = callees(services, campaign_id)
    assert [one.person.phone for one in found] == list(PEOPLE)
    for one in found:
        phone = one.person.phone
        expected = {version: phone in numbers for version, numbers in lists.items()}
        answers = services.suppression_blocks.look_up(list(lists), phone, one.listed)
        assert answers == expected
        assert services.suppression_blocks.look_up(list(lists), phone, {}) == expected
        assert one.listed.items() <= expected.items()
    assert all(any(one.listed.values()) for one in found[:4])


def test_a_missing_block_is_no_answer(services: Services, campaign_id: UUID) -> None:
    version = receive(services, "A", FIRST)
    with services.writing.connection() as conn:
        conn.execute("delete from suppression_block where block_id = 1202555")
    first, second, third, *_ = callees(services, campaign_id)
    for one in (first, second):
        assert one.listed == {}
        assert services.suppression_blocks.look_up([version], one.person.phone) == {}
    assert third.listed == {version: True}
