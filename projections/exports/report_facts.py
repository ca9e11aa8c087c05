"""What all reports of a campaign's calls have in common, found in one scan of them."""

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from storage.database import Conn

# OFFSET keeps the planner from computing the origin again for each output. It is a
# bigint, because Postgres plans no parallel scan below an OFFSET that needs a cast.
_FACTS: LiteralString = """
    select distinct report.origin, output.name
    from (
        select case when %(origins)s then split_part(m.recording_url, '/', 1) || '//'
                || split_part(m.recording_url, '/', 3) end as origin,
            case when %(outputs)s and json_typeof(m.structured_outputs) = 'object'
                then m.structured_outputs end as outputs
        from call_log call join message_vault m on m.id = call.report_message_id
        where call.campaign_id = %(campaign)s offset bigint '0'
    ) report
    left join lateral json_object_keys(report.outputs) as output (name) on true
"""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What the reports of a campaign contain.

    `origins` are the beginnings of their recording URLs up to the end of the host;
    `outputs` are the names of their structured outputs. Both are sorted.
    """

    origins: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def report_facts(
    conn: Conn, campaign_id: UUID, *, origins: bool = False, outputs: bool = False
) -> ReportFacts:
    """Read the facts that are asked for; the others are empty."""
    if not origins and not outputs:
        return ReportFacts()
    values = {"campaign": campaign_id, "origins": origins, "outputs": outputs}
    found = conn.execute(_FACTS, values).fetchall()
    return ReportFacts(
        origins=tuple(sorted({origin for origin, _ in found if origin is not None})),
        outputs=tuple(sorted({name for _, name in found if name is not None})),
    )
