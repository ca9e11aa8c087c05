"""Calling hours as members choose them: only an admin may waive the rule book's."""

from dataclasses import replace

from application.errors import RoleForbids
from domain.gate.decision import CallingHours, HoursRule
from domain.values import Role


def chosen_hours(hours: CallingHours, email: str, role: Role) -> CallingHours:
    """Return the hours that a member chose; a waiver of the rules names the member.

    Raises RoleForbids if a member who is no admin waives the rules.
    """
    if hours.rules is not HoursRule.ANY:
        return hours
    if role is not Role.ADMIN:
        raise RoleForbids
    return replace(hours, waived_by=email)
