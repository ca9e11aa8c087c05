"""The register: a number is added once and lifted with a reason."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import WrongState
from domain.numbers.number import Number, SuppressionSource, number_id_of
from domain.values import VaultText
from tests.support import EPOCH, Fact, given, new_events

BY = "ann@example.com"
AT = EPOCH + timedelta(minutes=1)
REASON = VaultText(words_id=uuid4(), digest="r")
PHONE = VaultText(words_id=uuid4(), digest="p")
CALL, CAMPAIGN = uuid4(), uuid4()


def suppressed(**changes: Any) -> Fact:
    own = {
        "actor": BY,
        "is_suppressed": True,
        "source": SuppressionSource.PERSON,
        "reason": REASON,
        "phone": PHONE,
        "call_id": None,
        "campaign_id": None,
    }
    return Number.Suppressed, own | changes


LIFTED: Fact = (
    Number.Lifted,
    {"actor": BY, "is_suppressed": False, "reason": REASON},
)


def suppress(number: Number, **changes: Any) -> None:
    wanted: dict[str, Any] = {
        "source": SuppressionSource.PERSON,
        "reason": REASON,
        "phone": PHONE,
    }
    number.suppress(**wanted | changes, at=AT, by=BY)


def new_number() -> Number:
    return Number.unrecorded(number_id_of("k"), AT)


def test_a_number_without_events_may_be_called() -> None:
    number = new_number()
    assert (number.version, number.is_suppressed) == (0, False)


def test_the_first_fact_of_a_number_suppresses_it() -> None:
    number = new_number()
    suppress(number)
    assert (number.version, number.is_suppressed) == (1, True)
    assert new_events(number) == [suppressed()]


def test_an_opt_out_names_its_call() -> None:
    number = new_number()
    opt_out = {"source": SuppressionSource.CALL, "call_id": CALL}
    suppress(number, **opt_out, campaign_id=CAMPAIGN)
    assert new_events(number) == [suppressed(**opt_out, campaign_id=CAMPAIGN)]


def test_a_suppressed_number_is_not_suppressed_again() -> None:
    number = given(Number, suppressed())
    suppress(number, source=SuppressionSource.CALL)
    assert new_events(number) == []


def test_a_lifted_number_may_be_suppressed_again() -> None:
    number = given(Number, suppressed(), LIFTED)
    assert not number.is_suppressed
    suppress(number)
    assert new_events(number) == [suppressed()]


def test_lifting_ends_the_suppression() -> None:
    number = given(Number, suppressed())
    number.lift(reason=REASON, at=AT, by=BY)
    assert new_events(number) == [LIFTED]


@pytest.mark.parametrize("past", [(), (suppressed(), LIFTED)], ids=["never", "lifted"])
def test_a_number_that_is_not_suppressed_cannot_be_lifted(
    past: tuple[Fact, ...],
) -> None:
    number = given(Number, *past) if past else new_number()
    with pytest.raises(WrongState, match="not suppressed"):
        number.lift(reason=REASON, at=AT, by=BY)
    assert new_events(number) == []


def test_the_newest_event_alone_shows_whether_a_number_is_suppressed() -> None:
    number = new_number()
    suppress(number)
    number.lift(reason=REASON, at=AT, by=BY)
    suppress(number)
    *_, newest = number.collect_events()
    known: Any = newest.mutate(None)
    assert (known.version, known.is_suppressed) == (3, True)


def test_any_fact_may_be_the_first_of_a_stream() -> None:
    assert not given(Number, LIFTED).is_suppressed
