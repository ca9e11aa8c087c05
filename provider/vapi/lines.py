"""Reads the phone numbers of the account."""

from typing import Any

from application.ports import PhoneNumber

_IN_USE = frozenset({None, "active", "activated"})
"""Statuses of a line that can place calls."""


def read_line(row: dict[str, Any]) -> PhoneNumber | None:
    """Return a line from a row of the provider's list; None if it has no id."""
    if not (line_id := _text(row.get("id"))):
        return None
    status = _text(row.get("status"))
    return PhoneNumber(
        id=line_id,
        number=_text(row.get("number")),
        name=_text(row.get("name")),
        status=status,
        usable=status in _IN_USE,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
