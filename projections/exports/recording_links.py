"""Which recording URLs of a campaign an export may name.

The rule of `RecordingUrls` is slow as a regular expression in Postgres: 150 µs
a row. A campaign's recordings have few hosts, so each URL up to the end of its host is
checked once. Postgres checks that a URL begins so, and that no character is forbidden.
"""

from typing import Any, LiteralString
from uuid import UUID

from domain.calls.recording_url import ALLOWED, LONGEST, RecordingUrls
from storage.database import Conn

_ORIGIN: LiteralString = """
    (split_part(m.recording_url, '/', 1) || '//' || split_part(m.recording_url, '/', 3))
"""

ACCEPTED_URL: LiteralString = """
    case when (m.recording_url ^@ any(%(hosts)s::text[])
                or m.recording_url = any(%(origins)s::text[]))
            and m.recording_url !~ %(not_allowed)s
            and octet_length(m.recording_url) <= %(longest_url)s
        then m.recording_url end
"""
"""SQL expression of a report's recording URL, null unless it is accepted."""

_ORIGINS: LiteralString = f"""
    select distinct {_ORIGIN} from call_log call
    join message_vault m on m.id = call.report_message_id
    where call.campaign_id = %(campaign)s and m.recording_url is not null
"""  # noqa: S608 - our own text


def url_values(
    conn: Conn, campaign_id: UUID, recordings: RecordingUrls
) -> dict[str, Any]:
    """Return the parameters of ACCEPTED_URL for a campaign."""
    origins = [row[0] for row in conn.execute(_ORIGINS, {"campaign": campaign_id})]
    accepted = [origin for origin in origins if recordings.accepts(origin)]
    return {
        "origins": accepted,
        "hosts": [f"{origin}/" for origin in accepted],
        "not_allowed": f"[^{ALLOWED}]",
        "longest_url": LONGEST,
    }
