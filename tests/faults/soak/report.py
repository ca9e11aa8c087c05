"""The soak's tally and its report in Markdown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class Tally:
    """What one part of the soak did and found.

    `happened` counts each fault of ours, `provider` each misbehaviour of the provider's
    refusals and reports, `followed` what concerns retries, callbacks and opt-outs.
    """

    campaigns: int = 0
    calls: int = 0
    never_called: int = 0
    contacts: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    provider: Counter[str] = field(default_factory=Counter)
    followed: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    @property
    def crashes(self) -> int:
        """Processes that died in virtual time or were killed by SIGKILL."""
        return sum(
            count
            for fault, count in self.happened.items()
            if " dies: " in fault or "SIGKILL" in fault
        )


@dataclass(frozen=True)
class Load:
    """One campaign under load; `seconds` until every outcome was known."""

    webhooks: bool
    kills: int = 0
    never_called: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    violation: str | None = None

    def row(self) -> str:
        webhooks = "lost, late and repeated" if self.webhooks else "all lost"
        if self.violation is not None:
            return f"| {webhooks} | violation: {self.violation} | | |"
        reasons = ", ".join(f"{n} {reason}" for reason, n in self.never_called.items())
        return f"| {webhooks} | {self.kills} | {reasons or 0} | {self.seconds:.0f} s |"


COUNTED = (
    "campaigns",
    "contacts",
    "calls at the provider",
    "crashes",
    "freezes during which another scheduler led",
    "commits that failed or whose answer was lost",
)

MUST_BE_ZERO = {
    "I1:": "attempts called twice (I1)",
    "budget:": "calls beyond the attempts of the policy, or the third callback",
    "gap:": "retries before the gap of the policy is over",
    "per day:": "calls beyond those that the policy allows in 24 hours",
    "callback:": "callbacks too early, or more than a day late",
    "voicemail:": "contacts with more than one voicemail message",
    "lost:": "retries and callbacks lost",
    "opt-out:": "calls requested after an opt-out, opt-outs answered but not stored",
    "I2:": "caps exceeded (I2)",
    "I3:": "wrong starts, calls known to one side only (I3)",
    "I4:": "acknowledged webhooks that are not stored (I4)",
    "I6:": "counts that differ from the ledger (I6)",
    "I7:": "rows that differ from the log (I7)",
    "I8:": "contacts or campaigns without an end (I8)",
    "I12:": "calls requested while paused or canceled (I12)",
    "truth:": "wrong reasons and outcomes",
    "spend:": "costs and spends that differ from the provider's true costs",
    "reports:": "reports with information that the call lacks",
    "capacity:": "contacts given up although only capacity was refused",
    "forged:": "forged webhooks taken for a second call",
}
"""The prefixes of violations, and their rows in the report."""

RETRIES = """A campaign with retries has a policy drawn by seed: 2 to 5 attempts, at
most 1 to 5 calls a day, gaps of 1 minute to 4 hours. Some have an end, and in a third
of the cases a second campaign calls the same numbers. Calls are busy, not answered, or
taken by a machine or a person, who may ask for a callback, opt out or agree: by a tool
or only in the structured outputs. People pause campaigns and change policies. The
checks use the provider's ledger and the stored events, read as JSON, and state the
rules once more. Gaps are measured from the true end of a call. The limit per day has a
tolerance of 20 s: the longest time between a stored request and the provider's call.
"""

FAULTS = """Random faults besides the crashes, in virtual time:

- A fifth of the requests fail before or after the provider acted, or are acted on late;
  8 % are answered 429. In a third of the campaigns the provider's concurrency limit is
  below the cap: calls above it are refused, or end after the answer 201.
- 4 % of the contacts are always refused before the 201 and 5 % after it. Of the other
  calls 6 % end before ringing for lack of capacity, 5 % by a fault of the platform;
  refusals of the account pause the campaign until a person resumes it.
- A fifth of the calls have two reports, the first one empty or partial. For 8 % the
  complete report comes 10 to 30 minutes later. A quarter of the reports lack values, or
  state the cost in one place only, as a text, or not at all.
- A tenth of the reads fail. A tenth of the webhooks (in a third of the campaigns all)
  are lost, a quarter are late, 15 % are repeated. For 3 % of the calls a forged webhook
  names an unknown second call, half of them before our process stored the id of the
  call. The provider's list lags by up to 12 s.
- A person pauses and resumes campaigns.

With SIGKILL the clocks of the schedulers' hosts are wrong by up to five minutes,
Postgres is sometimes stopped immediately, one of two projectors is frozen, and the
provider is down for longer than the silence timeout. Its reads are outdated and its
messages arrive out of order, too. Single contacts are refused before and after the 201,
calls above the concurrency limit end before ringing, and reports come twice or without
a cost, which GET /call then states.

Costs are compared exactly, once everything is settled. In virtual time the provider
never states the cost of some calls, neither in a report nor in an answer; for these the
documented expected cost must be booked. Its amount is only checked against bounds.
"""

LOAD = """## All processes killed

250 contacts, cap 12. 8 % of the requests are answered 429, 12 % fail (half of them
after the provider acted), 3 % hang. Two schedulers, the projector and the API are each
killed by SIGKILL every 2 to 5 s for 40 s. No number was called twice, the cap was never
exceeded, and the outcomes equal those of the ledger.

| webhooks | kills | never called, by reason | until every outcome was known |
| --- | ---: | ---: | ---: |
"""

LIMITS = """
## What the soak does not show

The provider's list lags by less than the quarantine. With a longer lag a contact may be
called twice. That is detected: the newer call is hung up and no calls are made until an
administrator has looked (`tests/faults/test_steps.py`); it is not prevented.

Databases that are restored or failed over have their own tests
(`tests/faults/test_recovery.py`, `tests/faults/test_restored.py`, `tests/end_to_end`).
"""


def report(
    seed: int, minutes: float, parts: Mapping[str, Tally], loads: Sequence[Load]
) -> str:
    """Return the report; `seed` is the first campaign's, `parts` are by heading."""
    today = datetime.now(UTC).date()
    tallies = list(parts.values())
    violations = [text for tally in tallies for text in tally.violations]
    happened = sorted(sum((one.happened for one in tallies), Counter()).items())
    misbehaviour = sorted(sum((one.provider for one in tallies), Counter()).items())
    followed = sorted(sum((one.followed for one in tallies), Counter()).items())
    lines = [
        "# Soak",
        "",
        f"`make soak` on {today}, seeds from {seed}, {minutes:.0f} minutes.",
        "",
        f"| | {' | '.join(parts)} | all |",
        "| --- |" + " ---: |" * (len(parts) + 1),
        *_rows(tallies),
        "",
        "Violations: " + ("none." if not violations else ""),
        *(f"- {violation}" for violation in violations),
        "",
        RETRIES,
        "| retries, callbacks and opt-outs | times |",
        "| --- | ---: |",
        *(f"| {name} | {count:,} |" for name, count in followed),
        "",
        FAULTS,
        "| misbehaviour of the provider | times |",
        "| --- | ---: |",
        *(f"| {name} | {count:,} |" for name, count in misbehaviour),
        "",
        "| fault: step | times |",
        "| --- | ---: |",
        *(f"| {fault} | {count} |" for fault, count in happened),
        "",
        LOAD + "\n".join(load.row() for load in loads),
        LIMITS,
    ]
    return "\n".join(lines)


def _rows(tallies: Sequence[Tally]) -> list[str]:
    names = [*COUNTED, *MUST_BE_ZERO.values(), "never called, each with its reason"]
    columns = [_numbers(tally) for tally in tallies]
    return [
        f"| {name} | {' | '.join(f'{each:,}' for each in row)} | {sum(row):,} |"
        for name, row in zip(names, zip(*columns, strict=True), strict=True)
    ]


def _numbers(tally: Tally) -> list[int]:
    faults = tally.happened.items()
    freezes = sum(count for fault, count in faults if " freezes: " in fault)
    commits = sum(count for fault, count in faults if " loses the store: " in fault)
    found = [
        sum(f": {prefix}" in f": {violation}" for violation in tally.violations)
        for prefix in MUST_BE_ZERO
    ]
    counted = [tally.campaigns, tally.contacts, tally.calls, tally.crashes]
    return [*counted, freezes, commits, *found, tally.never_called]
