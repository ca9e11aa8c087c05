"""The group of a contact: the places of its number and its row, and its consent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.contacts.files.contact_groups import group_of
from application.contacts.files.contact_values import (
    CONSENT_AT,
    POSTAL_CODE,
    SUBDIVISION,
    TIME_ZONE,
)
from application.places.resolver import NOTHING_STATED, StatedPlace, resolve
from domain.gate.groups import ContactGroup
from domain.gate.places import Places, PlaceSource

NUMBERS = (
    st.from_regex(r"\+1[2-9][0-9]{2}555[0-9]{4}", fullmatch=True)
    | st.from_regex(r"\+44(1534|20|7797|7911)[0-9]{6}", fullmatch=True)
    | st.from_regex(r"\+55(11|21|27|81)9[0-9]{8}", fullmatch=True)
    | st.from_regex(r"\+614[0-9]{8}", fullmatch=True)
)


@given(phone=NUMBERS)
def test_the_group_of_a_number_has_the_places_of_its_resolver(phone: str) -> None:
    """Groups are cached by leading digits, the resolver gets the whole number."""
    group_of(phone[:-4] + "1234", None)
    assert group_of(phone, None).places == resolve(phone, NOTHING_STATED)


def test_stated_places_and_those_of_the_number_count_both() -> None:
    values = {SUBDIVISION: "US-FL", TIME_ZONE: "America/New_York"}
    stated = StatedPlace(time_zone="America/New_York", subdivision="US-FL")
    group = group_of("+12135550101", values)
    assert group.places == resolve("+12135550101", stated)
    assert group.places.codes == ("US-CA", "US-FL")


def test_consent_makes_another_group() -> None:
    values = {CONSENT_AT: "2026-01-02T00:00:00+00:00"}
    with_consent, without = (
        group_of("+12025550101", values),
        group_of("+12025550101", {}),
    )
    assert with_consent.places == without.places
    assert (with_consent.has_consent, without.has_consent) == (True, False)
    assert with_consent.id != without.id


def test_a_postal_code_that_does_not_exist_is_left_out() -> None:
    """Uploads of earlier versions were not checked for that."""
    group = group_of("+12025550101", {POSTAL_CODE: "00000"})
    assert group == ContactGroup(resolve("+12025550101", NOTHING_STATED), False)


def test_a_number_of_no_known_place_is_in_the_group_of_unknown_places() -> None:
    group = group_of("+17295550101", None)
    assert group.places.is_unknown


@pytest.mark.parametrize("source", PlaceSource)
def test_the_source_of_the_places_distinguishes_groups(source: PlaceSource) -> None:
    ids = {
        ContactGroup(Places(("US-FL",), ("America/New_York",), one), False).id
        for one in PlaceSource
    }
    assert len(ids) == len(PlaceSource)
    assert ContactGroup(Places((), (), source), False).id not in ids
