"""How many contacts may be called, compared with decisions about each contact alone."""

from collections import Counter
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.gate.decision import CallingHours, Gate, ListFinding, Numbers
from domain.gate.dialability import HOUR, HOURS, Later, Share, dialability
from domain.gate.groups import ContactGroup
from domain.gate.permit import Granted, Never, Wait
from domain.gate.places import Places, PlaceSource
from domain.gate.rules import FrequencyCap, Rule, Window
from domain.outcomes import Withheld
from domain.values import WaitingCode
from tests.domain.gate.gate_cases import NEW_YORK, NOW, book, gate, places, rule
from tests.examples import examples

STEP = timedelta(minutes=15)
"""All times of these tests are multiples of it, so that no opening is between two."""

steps = st.integers(0, 4 * HOURS - 1).map(lambda n: NOW + n * STEP)
windows = st.builds(
    lambda a, length: Window(15 * a, min(15 * (a + length), 1440)),
    st.integers(0, 95),
    st.integers(1, 60),
)
rules_of = st.lists(
    st.builds(
        lambda place, week: rule(f"{place}-hours", place, week),
        st.sampled_from(["US", "US-FL"]),
        st.tuples(*[st.lists(windows, max_size=1).map(tuple)] * 7),
    ),
    max_size=2,
    unique_by=lambda one: one.id,
)
groups = st.builds(
    ContactGroup,
    st.sampled_from(
        [
            places("US"),
            places("US-FL", zones=("America/Chicago", NEW_YORK)),
            Places(("DE",), ("Europe/Berlin",), PlaceSource.COLUMN),
            Places((), (), PlaceSource.NUMBER),
        ]
    ),
    st.booleans(),
)
today = NOW.date()
findings = st.sampled_from(
    [
        (),
        None,
        (ListFinding("contains", today, contains=True, covers=True, is_stale=False),),
        (ListFinding("is stale", today, contains=True, covers=True, is_stale=True),),
        (ListFinding("is fresh", today, contains=False, covers=True, is_stale=False),),
    ]
)
attempts = st.lists(st.integers(0, 4 * 48), max_size=5, unique=True).map(
    lambda ago: tuple(sorted(NOW - n * STEP for n in ago))
)
shares = st.builds(
    Share,
    st.none() | groups,
    st.integers(1, 5),
    st.builds(Numbers, attempts, st.just(False) | st.booleans(), findings),
    st.none() | steps,
)
caps_of = st.lists(
    st.builds(FrequencyCap, st.integers(1, 3), st.integers(1, 60)), max_size=2
)


def open_times(share: Share, made: Gate, ends_at: datetime | None) -> list[datetime]:
    """Return all instants at which one of the contacts may be called."""
    consent = share.group is not None and share.group.has_consent
    return [
        at
        for at in (NOW + n * STEP for n in range(4 * HOURS))
        if (share.not_before is None or at >= share.not_before)
        and (ends_at is None or at < ends_at)
        and isinstance(made.decide(share.number, has_consent=consent, now=at), Granted)
    ]


@examples(60)
@given(
    st.lists(shares, max_size=4),
    rules_of,
    caps_of,
    st.booleans(),
    st.none() | steps,
    st.none() | steps,
    st.sampled_from([0, 15]),
)
def test_each_contact_counts_in_exactly_the_hours_in_which_it_may_be_called(  # noqa: PLR0917 - the inputs of the gate
    waiting: list[Share],
    rules: list[Rule],
    caps: list[FrequencyCap],
    requires_consent: bool,
    starts_at: datetime | None,
    ends_at: datetime | None,
    margin: int,
) -> None:
    always = rule("US-always", "US", None)

    def gate_of(where: Places | None) -> Gate:
        return gate(
            where,
            book(always, *rules),
            NOW,
            CallingHours(last_start_minutes=margin),
            caps=tuple(caps),
            requires_consent=requires_consent,
            starts_at=starts_at,
        )

    found = dialability(waiting, gate_of, NOW, ends_at=ends_at)
    hours, now, never = [0] * HOURS, 0, Counter[Withheld]()
    for share in waiting:
        made = gate_of(share.group.places if share.group else None)
        times = open_times(share, made, ends_at)
        now += share.contacts * (NOW in times)
        for hour in {(at - NOW) // HOUR for at in times}:
            hours[hour] += share.contacts
        consent = share.group is not None and share.group.has_consent
        decision = made.decide(share.number, has_consent=consent, now=NOW)
        if isinstance(decision, Never):
            never[decision.reason] += share.contacts
    assert found.contacts == sum(share.contacts for share in waiting)
    assert list(found.hours) == hours
    assert found.now == now
    assert (
        Counter(found.never)
        - Counter({Withheld.EXPIRED: found.never.get(Withheld.EXPIRED, 0)})
        == never
    )
    later = sum(one.contacts for one in found.later.values())
    assert found.now + later + sum(found.never.values()) == found.contacts


def count(*waiting: Share, ends_at: datetime | None = None) -> tuple[object, ...]:
    """Count under federal hours; return now, later and never."""

    def gate_of(where: Places | None) -> Gate:
        caps = (FrequencyCap(1, 24),)
        return gate(where, book(rule("US-hours", "US")), NOW, caps=caps)

    found = dialability(waiting, gate_of, NOW, ends_at=ends_at)
    return found.now, dict(found.later), dict(found.never)


AMERICAN = ContactGroup(places("US"), has_consent=False)
AN_HOUR_AGO = NOW - HOUR
CALLED = Share(AMERICAN, 2, Numbers(attempts=(AN_HOUR_AGO,)))


def test_a_number_at_its_cap_may_be_called_when_a_call_leaves_the_window() -> None:
    free = AN_HOUR_AGO + timedelta(hours=24)
    later = {WaitingCode.FREQUENCY_CAP: Later(2, free)}
    assert count(CALLED, Share(AMERICAN, 3)) == (3, later, {})


def test_the_first_time_is_that_of_the_first_contact() -> None:
    plans = [NOW + 2 * HOUR, NOW + HOUR, NOW + 3 * HOUR]
    waiting = [Share(AMERICAN, 1, not_before=at) for at in plans]
    assert count(*waiting) == (0, {WaitingCode.RETRY_LATER: Later(3, plans[1])}, {})


def test_a_contact_whose_first_time_is_after_the_end_expires() -> None:
    ends_at = NOW + HOUR
    assert count(CALLED, ends_at=ends_at) == (0, {}, {Withheld.EXPIRED: 2})


def test_contacts_that_are_not_placed_yet_wait_without_a_known_time() -> None:
    unplaced = Share(None, 4)
    later = {WaitingCode.RULES_UNAVAILABLE: Later(4, None)}
    assert count(unplaced) == (0, later, {})


def test_a_planned_call_outside_the_hours_begins_when_they_open() -> None:
    """At 23:00 in New York; the hours begin at 8:00."""
    late = Share(AMERICAN, 1, not_before=NOW + 9 * HOUR)
    begins = NOW + 18 * HOUR
    assert count(late) == (0, {WaitingCode.RETRY_LATER: Later(1, begins)}, {})
    decision = gate(places("US"), book(rule("US-hours", "US")), NOW).decide(
        Numbers(), has_consent=False, now=NOW + 9 * HOUR
    )
    assert decision == Wait(WaitingCode.OUTSIDE_HOURS, begins)
