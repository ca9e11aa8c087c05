"""What calls are expected to cost, estimated from those whose cost is known.

Early reports are mostly of short and unanswered calls, so each estimate also counts
`PRIOR_CALLS` imaginary calls (or minutes) at the first value, and is never below the
plain mean:

    expected = max(total / count, (PRIOR_CALLS * first + total) / (PRIOR_CALLS + count))
"""

from decimal import ROUND_UP, Decimal

FIRST_COST = Decimal("0.25")
"""US dollars that a call is expected to cost before any cost is known."""

FIRST_RATE = Decimal("0.25")
"""US dollars per minute of an answered call before any cost is known."""

PRIOR_CALLS = 10
"""Calls, or minutes, for which the first values count beside the known costs."""

CENT_OF_A_CENT = Decimal("0.0001")
"""Estimates are rounded up to it, so that their sums are exact."""


def expected_per_call(total: Decimal, calls: int) -> Decimal:
    """Return US dollars for one more call, where `calls` have cost `total`."""
    return _estimate(FIRST_COST, total, Decimal(calls))


def expected_per_minute(total: Decimal, minutes: Decimal) -> Decimal:
    """Return US dollars per minute, where so many minutes have cost `total`."""
    return _estimate(FIRST_RATE, total, minutes)


def _estimate(first: Decimal, total: Decimal, count: Decimal) -> Decimal:
    cautious = (PRIOR_CALLS * first + total) / (PRIOR_CALLS + count)
    return rounded_up(max(cautious, total / count) if count else cautious)


def rounded_up(dollars: Decimal) -> Decimal:
    """Round an estimate up to a hundredth of a cent."""
    return dollars.quantize(CENT_OF_A_CENT, ROUND_UP)
