"""Only an admin may waive the hours of the rule book."""

import pytest

from application.calling_hours import chosen_hours
from application.errors import RoleForbids
from domain.gate.decision import CallingHours, HoursRule
from domain.values import Role
from tests.wiring import BY

WAIVED = CallingHours(rules=HoursRule.ANY, reason="a rehearsal")


def test_a_waiver_names_the_admin() -> None:
    hours = chosen_hours(WAIVED, BY, Role.ADMIN)
    assert hours == CallingHours(HoursRule.ANY, waived_by=BY, reason="a rehearsal")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_nobody_but_an_admin_waives_the_hours(role: Role) -> None:
    with pytest.raises(RoleForbids):
        chosen_hours(WAIVED, BY, role)


@pytest.mark.parametrize("role", Role)
def test_hours_without_a_waiver_are_allowed_for_each_role(role: Role) -> None:
    assert chosen_hours(CallingHours(), BY, role) == CallingHours()
