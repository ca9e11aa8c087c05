"""How many calls were answered, by the hour of the contact's day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.outcomes import ANSWERED, BY_PERSON
from projections.tables.state_sql import literals
from storage.database import Conn

HOURS = 24

_CALLS: LiteralString = f"""
    select time_zones,
        date_bin('15 minutes', placed_at, timestamptz '2000-01-01 00:00Z'),
        count(*),
        count(*) filter (where started_at is not null
            or outcome in {literals(ANSWERED)}),
        count(*) filter (where outcome in {literals(BY_PERSON)})
    from call_log
    where campaign_id = %(campaign)s and placed_at is not null
        and outcome is not null and time_zones is not null
    group by 1, 2
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class AnswerRate:
    """Finished calls that were placed in an hour of the contact's day, from 0 to 23.

    `answered` by a person or a machine, `human` by a person.
    """

    hour: int
    calls: int
    answered: int
    human: int


def answer_rates(conn: Conn, campaign_id: UUID) -> list[AnswerRate]:
    """Count a campaign's finished calls by hour; hours without calls are left out.

    A call counts only if it is the same hour in all time zones of the called number.
    """
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for zones, at, *counts in conn.execute(_CALLS, {"campaign": campaign_id}):
        hour = local_hour(zones.split(","), at)
        if hour is not None:
            for index, count in enumerate(counts):
                sums[hour][index] += count
    return [AnswerRate(hour, *sums[hour]) for hour in range(HOURS) if hour in sums]


def local_hour(zones: list[str], at: datetime) -> int | None:
    """Return the hour that it is in all of these IANA zones; None if they differ."""
    try:
        hours = {at.astimezone(ZoneInfo(zone)).hour for zone in zones}
    except (ZoneInfoNotFoundError, ValueError):
        return None  # A zone that this installation's time zone data does not have.
    return hours.pop() if len(hours) == 1 else None
