"""Time zones by name, kept once they were loaded.

`zoneinfo` itself keeps only eight of them, and the United States alone have 29.
"""

from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=1024)
def time_zone(name: str) -> ZoneInfo:
    """Return a time zone. Raises zoneinfo.ZoneInfoNotFoundError for an unknown name."""
    return ZoneInfo(name)
