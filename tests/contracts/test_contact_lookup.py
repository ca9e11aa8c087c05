"""The contract of the port ContactLookup without contacts: NoContacts and Postgres."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from application.ports import ContactLookup
from tests.application.memory_streams import NoContacts
from tests.wiring import open_services


@pytest.fixture(params=["no contacts", "postgres"])
def lookup(request: pytest.FixtureRequest) -> Iterator[ContactLookup]:
    if request.param == "no contacts":
        yield NoContacts()
        return
    with open_services(request.getfixturevalue("database")) as services:
        yield services.lookups


def test_no_contact_of_a_campaign_is_known_or_erased(lookup: ContactLookup) -> None:
    campaign, contacts = uuid4(), [uuid4(), uuid4()]
    assert lookup.known(campaign, contacts) == set()
    assert lookup.erased(campaign, contacts) == set()


def test_an_unknown_contact_has_no_personal_data(lookup: ContactLookup) -> None:
    assert lookup.contact(uuid4()) is None
    assert lookup.callee(uuid4()) is None
