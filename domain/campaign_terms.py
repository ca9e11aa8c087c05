"""What a person chooses for a campaign, and its limits."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from domain.errors import Invalid
from domain.values import AMOUNT_RULE, DialMode, is_amount

CAPS = range(1, 10_001)
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class AsCreated:
    """The values with which a campaign was created; later changes do not alter them.

    They identify a repeated request to create it.
    """

    name: str
    assistant_id: UUID
    phone_number_id: str
    cap: int
    mode: DialMode
    line_quiet_gating: bool
    budget: Decimal | None


def check_terms(name: str, cap: int, budget: Decimal | None) -> None:
    """Raise Invalid unless each value is in bounds; the budget is in US dollars."""
    wrong: dict[str, str] = {}
    if not name.strip():
        wrong["name"] = "is empty"
    elif len(name) > LONGEST_NAME:
        wrong["name"] = f"must have at most {LONGEST_NAME} characters"
    if cap not in CAPS:
        wrong["cap"] = f"must be from {CAPS[0]} to {CAPS[-1]:,}"
    if budget is not None and not is_amount(budget):
        wrong["budget"] = f"{AMOUNT_RULE}, or null for no limit"
    if wrong:
        said = "; ".join(f"{field} {what}" for field, what in wrong.items())
        raise Invalid(f"{said[0].upper()}{said[1:]}.", **wrong)
