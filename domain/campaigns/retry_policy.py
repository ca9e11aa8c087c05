"""Which contacts are called again, how often and after how long: what a person chooses.

The presets follow the figures of sales and survey research: most people who can be
reached are reached by the fourth to sixth call, and a call at another time of the day
reaches more people than a repetition at the same time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType

from domain.errors import Invalid
from domain.outcomes import CallOutcome

ATTEMPTS = range(1, 11)
PER_DAY = range(1, 6)
GAP_MINUTES = range(1, 10_081)
"""Bounds of `min_gap_minutes`: up to a week."""
EXPIRES_AFTER_DAYS = range(1, 61)
MOST_GAPS = 10
LONGEST_GAP_MINUTES = EXPIRES_AFTER_DAYS[-1] * 24 * 60

NEVER_RETRIED = frozenset(
    {
        CallOutcome.UNKNOWN,
        CallOutcome.CANCELED,
        CallOutcome.INVALID_NUMBER,
        CallOutcome.NOT_STARTED,
    }
)
"""Outcomes that no rule may name.

After UNKNOWN and CANCELED nobody knows whether a person was reached. INVALID_NUMBER
cannot be reached. NOT_STARTED rang nobody: `domain.calls.refusals` limits how often
it is repeated.
"""

DAY_MINUTES = 24 * 60
DAY = timedelta(minutes=DAY_MINUTES)


@dataclass(frozen=True, slots=True)
class RetryRule:
    """How a contact is called again after some outcomes.

    `attempts` is the largest number of retries after these outcomes. `gaps_minutes`
    are the minutes between a call and the first, second, ... of these retries; the last
    value repeats. With `other_time_of_day`, a retry is planned for a part of the
    contact's day in which the contact was not called before.
    """

    outcomes: tuple[CallOutcome, ...]
    attempts: int
    gaps_minutes: tuple[int, ...]
    other_time_of_day: bool = False

    def gap(self, earlier: int) -> timedelta:
        """Return the gap before the next retry; `earlier` counts those made before."""
        return timedelta(minutes=self.gap_minutes(earlier))

    def gap_minutes(self, earlier: int) -> int:
        """Return the same in minutes."""
        return self.gaps_minutes[min(earlier, len(self.gaps_minutes) - 1)]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The limits of all calls to one contact.

    `attempts` is the largest number of calls over all outcomes, `per_day` that of the
    calls within any 24 hours. No call follows another one within `min_gap_minutes`, and
    none is made later than `expires_after_days` after the first.
    """

    attempts: int
    per_day: int
    min_gap_minutes: int
    expires_after_days: int
    rules: tuple[RetryRule, ...] = ()

    @property
    def min_gap(self) -> timedelta:
        """The shortest time between two attempts."""
        return timedelta(minutes=self.min_gap_minutes)

    @property
    def expires_after(self) -> timedelta:
        """The time after the first call from which on none is made."""
        return timedelta(days=self.expires_after_days)

    def rule_for(self, outcome: CallOutcome) -> int | None:
        """Return the index of the rule that names the outcome, None if none does."""
        for index, rule in enumerate(self.rules):
            if outcome in rule.outcomes:
                return index
        return None

    @property
    def calls_again(self) -> bool:
        """Whether any contact may be called a second time."""
        return self.attempts > 1 and bool(self.rules)


# --- Checks ---------------------------------------------------------------------------


def check_policy(policy: RetryPolicy) -> None:
    """Raise Invalid unless the policy is in bounds and its retries can all be made.

    A retry is not made when the policy has expired, so each one must be due before. How
    long calls take is not counted, nor how long a planned call waits for another part
    of the day or for the calling hours.
    """
    wrong = _out_of_bounds(policy) or _wrong_rule(policy)
    if wrong is not None:
        raise Invalid(f"The retry policy's {wrong}.", retryPolicy=wrong)
    offsets = latest_offsets(policy)
    if offsets[-1] >= policy.expires_after:
        late = next(n for n, each in enumerate(offsets) if each >= policy.expires_after)
        days = offsets[late] / DAY
        why = (
            f"call {late + 1} could fall {days:.1f} days after the first,"
            f" but the policy expires after {policy.expires_after_days}"
        )
        raise Invalid(
            f"The retry policy does not fit: {why}. Shorten the gaps, allow fewer"
            " attempts or more calls per day, or let it expire later.",
            retryPolicy=why,
        )


def _out_of_bounds(policy: RetryPolicy) -> str | None:
    for name, value, allowed in (
        ("attempts", policy.attempts, ATTEMPTS),
        ("perDay", policy.per_day, PER_DAY),
        ("minGapMinutes", policy.min_gap_minutes, GAP_MINUTES),
        ("expiresAfterDays", policy.expires_after_days, EXPIRES_AFTER_DAYS),
    ):
        if value not in allowed:
            return f"{name} must be from {allowed[0]} to {allowed[-1]:,}"
    return None


def _wrong_rule(policy: RetryPolicy) -> str | None:
    named: set[CallOutcome] = set()
    for number, rule in enumerate(policy.rules, 1):
        wrong = _wrong_in(rule) or _named_twice(rule, named)
        if wrong is not None:
            return f"rule {number} {wrong}"
        named.update(rule.outcomes)
    return None


def _wrong_in(rule: RetryRule) -> str | None:
    if not rule.outcomes:
        return "must name at least one outcome"
    refused = sorted(NEVER_RETRIED.intersection(rule.outcomes))
    if refused:
        return f"must not name {refused[0]}: such a call is never repeated"
    if rule.attempts not in ATTEMPTS:
        return f"must allow from {ATTEMPTS[0]} to {ATTEMPTS[-1]} attempts"
    if not 1 <= len(rule.gaps_minutes) <= MOST_GAPS:
        return f"must have from 1 to {MOST_GAPS} gaps"
    if not all(1 <= gap <= LONGEST_GAP_MINUTES for gap in rule.gaps_minutes):
        return f"must have gaps from 1 to {LONGEST_GAP_MINUTES:,} minutes"
    return None


def _named_twice(rule: RetryRule, named: set[CallOutcome]) -> str | None:
    twice = sorted(
        each
        for each in set(rule.outcomes)
        if each in named or rule.outcomes.count(each) > 1
    )
    return f"names {twice[0]} again: one rule applies to an outcome" if twice else None


# --- The worst case -------------------------------------------------------------------


def latest_offsets(policy: RetryPolicy) -> tuple[timedelta, ...]:
    """Return, for each call that is possible, the latest time since the first call.

    The n-th value is the largest over all outcomes of the calls before the n-th one. A
    call is due when a gap has passed since the call before it, and a day since the call
    `per_day` calls before it. Its time is therefore the longest sum of gaps and days on
    a way through the earlier calls. How long the calls take is not counted.
    """
    rules = distinct_rules(policy)
    minutes = [0]
    # By the number of retries of each rule: the longest way, in minutes, by the calls
    # that are left of a day on it.
    ways = {(0,) * len(rules): [0, *[NO_WAY] * (policy.per_day - 1)]}
    for _ in range(policy.attempts - 1):
        following: dict[tuple[int, ...], list[int]] = {}
        for used, longest in ways.items():
            for after, gap in one_more(rules, used):
                one = _continued(longest, gap)
                known = following.get(after, one)
                following[after] = list(map(max, known, one))
        if not following:
            break
        ways = following
        minutes.append(max(longest[0] for longest in ways.values()))
    return tuple(timedelta(minutes=each) for each in minutes)


NO_WAY = -(10**9)
"""Less than any number of minutes: no call can be reached on such a way."""


def _continued(longest: Sequence[int], gap: int) -> list[int]:
    """Return the longest ways with one more call, which follows after `gap` minutes."""
    day_begins = longest[0] + DAY_MINUTES
    if len(longest) == 1:
        return [max(longest[0] + gap, day_begins)]
    return [max(longest[0] + gap, longest[1]), *longest[2:], day_begins]


def distinct_rules(policy: RetryPolicy) -> tuple[RetryRule, ...]:
    """Return the rules with gaps of `min_gap_minutes` or more, equal ones as one rule.

    Rules with one gap that is the same for both, and equal in `other_time_of_day`, lead
    to the same times, so they are counted together.
    """
    merged: dict[object, RetryRule] = {}
    for place, each in enumerate(policy.rules):
        gaps = tuple(max(gap, policy.min_gap_minutes) for gap in each.gaps_minutes)
        is_constant = len(set(gaps)) == 1
        key = (gaps[0], each.other_time_of_day) if is_constant else place
        same = merged.get(key)
        merged[key] = replace(
            each,
            outcomes=each.outcomes + (same.outcomes if same else ()),
            attempts=each.attempts + (same.attempts if same else 0),
            gaps_minutes=gaps[:1] if is_constant else gaps,
        )
    return tuple(merged.values())


def one_more(
    rules: Sequence[RetryRule], used: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield the retries of each rule with one more, and the minutes before that one.

    `used` are the retries of each rule so far.
    """
    for place, rule in enumerate(rules):
        if used[place] < rule.attempts:
            after = (*used[:place], used[place] + 1, *used[place + 1 :])
            yield after, rule.gap_minutes(used[place])


# --- Presets --------------------------------------------------------------------------

ONCE = RetryPolicy(attempts=1, per_day=1, min_gap_minutes=60, expires_after_days=1)
"""Each contact is called once: what a campaign without a policy does."""

_HOUR, _DAY = 60, 24 * 60

GENTLE = RetryPolicy(
    attempts=2,
    per_day=1,
    min_gap_minutes=4 * _HOUR,
    expires_after_days=7,
    rules=(
        RetryRule(
            outcomes=(
                CallOutcome.NO_ANSWER,
                CallOutcome.BUSY,
                CallOutcome.VOICEMAIL,
                CallOutcome.SILENT,
                CallOutcome.SCREENED,
                CallOutcome.FAULT,
            ),
            attempts=1,
            gaps_minutes=(_DAY,),
            other_time_of_day=True,
        ),
    ),
)

PATIENT = RetryPolicy(
    attempts=4,
    per_day=2,
    min_gap_minutes=2 * _HOUR,
    expires_after_days=7,
    rules=(
        RetryRule((CallOutcome.BUSY,), 3, (2 * _HOUR,)),
        RetryRule((CallOutcome.NO_ANSWER,), 3, (3 * _HOUR,), other_time_of_day=True),
        RetryRule(
            (CallOutcome.VOICEMAIL, CallOutcome.SILENT),
            2,
            (_DAY,),
            other_time_of_day=True,
        ),
        RetryRule((CallOutcome.SCREENED,), 1, (_DAY,), other_time_of_day=True),
        RetryRule((CallOutcome.DROPPED_EARLY,), 1, (_DAY,)),
        RetryRule((CallOutcome.FAULT,), 2, (2 * _HOUR,)),
    ),
)

URGENT = RetryPolicy(
    attempts=3,
    per_day=3,
    min_gap_minutes=60,
    expires_after_days=1,
    rules=(
        RetryRule(
            outcomes=(
                CallOutcome.NO_ANSWER,
                CallOutcome.BUSY,
                CallOutcome.VOICEMAIL,
                CallOutcome.SILENT,
                CallOutcome.FAULT,
            ),
            attempts=2,
            gaps_minutes=(60,),
        ),
    ),
)

PRESETS: Mapping[str, RetryPolicy] = MappingProxyType(
    {"once": ONCE, "gentle": GENTLE, "patient": PATIENT, "urgent": URGENT}
)
