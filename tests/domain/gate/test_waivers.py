"""Waivers of calling hours: what they lift, and what they do not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.gate.decision import (
    CallingHours,
    CallingWindow,
    HoursRule,
    Numbers,
)
from domain.gate.permit import Granted, Never, Wait
from domain.gate.places import Places
from domain.gate.rules import (
    FrequencyCap,
    Weekday,
    Window,
)
from domain.outcomes import Withheld
from domain.values import WaitingCode
from tests.domain.gate.gate_cases import FEDERAL, NEW_YORK, at, book, gate, places

NIGHT = at(NEW_YORK, "2026-12-01 03:00")
ANY = CallingHours(rules=HoursRule.ANY, waived_by="admin@example.com")


@pytest.mark.parametrize("where", [places("US"), places("NL"), places("US", zones=())])
def test_a_waiver_lifts_hours_and_unknown_places_and_is_in_the_permit(
    where: Places,
) -> None:
    decided = gate(where, book(FEDERAL), NIGHT, ANY).decide(
        Numbers(), has_consent=False, now=NIGHT
    )
    assert isinstance(decided, Granted)
    assert decided.permit.waived_by == "admin@example.com"
    assert decided.permit.rules == ()


def test_no_waiver_lifts_register_lists_consent_caps_or_own_windows() -> None:
    own = CallingHours(
        rules=HoursRule.ANY,
        windows=(CallingWindow(tuple(Weekday), Window(600, 660)),),
    )
    asked = {"has_consent": False, "now": NIGHT}
    waived = gate(places("US"), book(FEDERAL), NIGHT, ANY, caps=(FrequencyCap(1, 24),))
    assert waived.decide(Numbers(is_suppressed=True), **asked) == Never(  # type: ignore[arg-type]  # two arguments
        Withheld.SUPPRESSED
    )
    capped = waived.decide(Numbers(attempts=(NIGHT,)), **asked)  # type: ignore[arg-type]  # as above
    assert capped == Wait(WaitingCode.FREQUENCY_CAP, NIGHT + timedelta(hours=24))
    windows = gate(places("US"), book(FEDERAL), NIGHT, own)
    assert windows.decide(Numbers(), **asked) == Wait(  # type: ignore[arg-type]  # as above
        WaitingCode.OUTSIDE_HOURS, at(NEW_YORK, "2026-12-01 10:00")
    )
    nowhere = gate(places("US", zones=()), book(FEDERAL), NIGHT, own)
    assert nowhere.decide(Numbers(), **asked) == Never(Withheld.PLACE_UNKNOWN)  # type: ignore[arg-type]  # as above


def test_a_waiver_of_the_hours_leaves_the_caps_of_the_rules() -> None:
    capped = replace(FEDERAL, caps=(FrequencyCap(1, 24),))
    waived = gate(places("US"), book(capped), NIGHT, ANY)
    decided = waived.decide(Numbers(attempts=(NIGHT,)), has_consent=False, now=NIGHT)
    assert decided == Wait(WaitingCode.FREQUENCY_CAP, NIGHT + timedelta(hours=24))


def test_nobody_is_called_without_rule_book_although_the_hours_are_waived() -> None:
    """Its frequency caps apply all the same, and cannot be checked."""
    decided = gate(places("US"), None, NIGHT, ANY).decide(
        Numbers(), has_consent=False, now=NIGHT
    )
    assert decided == Wait(WaitingCode.RULES_UNAVAILABLE)


def test_rules_switched_off_in_the_settings_name_who_did_it() -> None:
    made = gate(places("US"), None, NIGHT, is_enforced=False, waived_by="environment")
    decided = made.decide(Numbers(), has_consent=False, now=NIGHT)
    assert isinstance(decided, Granted)
    assert decided.permit.waived_by == "environment"
