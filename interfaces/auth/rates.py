"""Rate limits, counted in this process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from fastapi import HTTPException
from starlette.requests import HTTPConnection

MINUTE = 60.0
GUESSES_A_MINUTE = 60
"""Wrong tokens per minute from one address."""

MOST_KEYS = 10_000
ROUNDING = 1e-6


def address_of(connection: HTTPConnection) -> str:
    """Return the client's IP address, "unknown" if the server has none."""
    return connection.client.host if connection.client else "unknown"


def too_often(wait: float) -> str:
    """Return the message for a client that has to wait for `wait` seconds."""
    return f"Too many requests: try again in {int(wait) + 1} s."


@dataclass
class RateLimit:
    """A token bucket per key: `a_minute` at once, refilled evenly within a minute."""

    a_minute: int
    clock: Callable[[], float] = monotonic
    _full_at: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, key: str) -> float:
        """Count a request; return 0, or the seconds to wait if it exceeds the limit."""
        with self._lock:
            now, each = self.clock(), MINUTE / self.a_minute
            full_at = max(self._full_at.get(key, now), now)
            wait = full_at + each - now - MINUTE
            if wait > ROUNDING:
                return wait
            self._full_at[key] = full_at + each
            if len(self._full_at) > MOST_KEYS:
                self._forget(now)
            return 0.0

    def _forget(self, now: float) -> None:
        """Drop full buckets; if too many remain, keep the most recent half."""
        kept = [(key, at) for key, at in self._full_at.items() if at > now]
        self._full_at = dict(kept[-MOST_KEYS // 2 :])

    def require(self, key: str) -> None:
        """Count a request; raise HTTPException 429 with Retry-After above the limit."""
        wait = self.take(key)
        if wait > 0:
            again = {"Retry-After": str(int(wait) + 1)}
            raise HTTPException(429, too_often(wait), headers=again)
