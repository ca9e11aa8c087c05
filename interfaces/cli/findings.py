"""What `autolynx doctor` reports: one finding for each check."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad a finding is: fine, worth a look, or to be fixed."""

    OK = "ok"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `said` describes it and how to fix a fault.

    The names of the fields are those of the JSON output.
    """

    about: str
    grade: Grade
    said: str


type Found = Iterator[Finding]
