"""Which recording URLs of a campaign an export may name.

The rule of `RecordingUrls` is slow as a regular expression in Postgres: 150 µs
a row. A campaign's recordings have few hosts, so each URL up to the end of its host is
checked once. Postgres checks that a URL begins so, and that no character is forbidden.
"""

from collections.abc import Iterable
from typing import Any, LiteralString

from domain.calls.recording_url import ALLOWED, LONGEST, RecordingUrls

ACCEPTED_URL: LiteralString = """
    case when (m.recording_url ^@ any(%(hosts)s::text[])
                or m.recording_url = any(%(origins)s::text[]))
            and m.recording_url !~ %(not_allowed)s
            and octet_length(m.recording_url) <= %(longest_url)s
        then m.recording_url end
"""
"""SQL expression of a report's recording URL, null unless it is accepted."""


def url_values(origins: Iterable[str], recordings: RecordingUrls) -> dict[str, Any]:
    """Return the parameters of ACCEPTED_URL for URLs that begin with `origins`."""
    accepted = [origin for origin in origins if recordings.accepts(origin)]
    return {
        "origins": accepted,
        "hosts": [f"{origin}/" for origin in accepted],
        "not_allowed": f"[^{ALLOWED}]",
        "longest_url": LONGEST,
    }
