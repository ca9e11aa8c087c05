"""Arms: the assistants that a campaign compares, and which contact gets which.

A contact keeps its arm. It is drawn by `assign_arm` before the contact's first request
and stored in the event of each request, so later calls read it from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from domain.errors import Invalid

WHOLE = 100
"""The shares of all arms add up to this."""

MOST_ARMS = 4


@dataclass(frozen=True, slots=True)
class Arm:
    """An assistant with its share of the contacts, in percent.

    `longest_call_seconds` is the limit in the assistant's configuration.
    """

    assistant_id: UUID
    provider_assistant_id: str
    longest_call_seconds: int
    share: int


@dataclass(frozen=True, slots=True)
class AssignedArm:
    """The arm of a contact; `number` counts the campaign's arms from 0."""

    number: int
    assistant_id: UUID
    provider_assistant_id: str
    longest_call_seconds: int


type Comparison = tuple[tuple[UUID, int], ...]
"""The assistants and shares of a campaign's arms, which identify equal comparisons."""


def comparison_of(arms: Sequence[Arm]) -> Comparison:
    """Return what must be equal for two campaigns to compare the same."""
    return tuple((arm.assistant_id, arm.share) for arm in arms)


def first_share(others: Sequence[int]) -> int:
    """Return the share that is left for the first arm, in percent. Raises Invalid."""
    wrong = None
    if len(others) >= MOST_ARMS:
        wrong = f"must be at most {MOST_ARMS - 1} beside the first assistant"
    elif any(share < 1 for share in others):
        wrong = "must each have a share of at least 1 percent"
    elif sum(others) >= WHOLE:
        wrong = "must leave at least 1 percent for the first assistant"
    if wrong is not None:
        raise Invalid(f"The compared assistants {wrong}.", arms=wrong)
    return WHOLE - sum(others)


def check_arms(arms: Sequence[Arm]) -> None:
    """Raise Invalid unless there are no arms, or two to four different assistants."""
    if not arms:
        return
    first_share([arm.share for arm in arms[1:]])
    if len({arm.assistant_id for arm in arms}) < len(arms):
        wrong = "must be different from each other and from the first assistant"
        raise Invalid(f"The compared assistants {wrong}.", arms=wrong)


def assign_arm(
    arms: Sequence[Arm], experiment_id: UUID, number_key: str
) -> AssignedArm:
    """Return the arm of the number whose keyed digest in hex is `number_key`.

    The first 64 bits of SHA-256 of both decide, so that a number gets the same arm
    in every campaign of the experiment. This function never changes: a campaign that
    redials contacts of an earlier one relies on it.
    """
    digest = sha256(experiment_id.bytes + bytes.fromhex(number_key)).digest()
    point = int.from_bytes(digest[:8]) % WHOLE
    number = 0
    while number < len(arms) - 1 and point >= arms[number].share:
        point -= arms[number].share
        number += 1
    arm = arms[number]
    return AssignedArm(
        number, arm.assistant_id, arm.provider_assistant_id, arm.longest_call_seconds
    )
