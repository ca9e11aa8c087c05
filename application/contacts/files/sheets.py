"""The sheets of a workbook."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sheets:
    """All sheets of a workbook in its order, and the one that was read."""

    read: str
    names: tuple[str, ...]
