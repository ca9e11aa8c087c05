"""A clock, shared through a file, that a test can speed up and move forward."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path


@dataclass(frozen=True)
class AdjustableClock:
    """A wall clock whose state is in `file`, so that several processes share it.

    It does not affect monotonic clocks, nor the clocks of the provider and Postgres.
    """

    file: Path

    def __call__(self) -> datetime:
        since, rate, ahead = json.loads(self.file.read_text())
        passed = (_true_time() - since) * rate + ahead
        return datetime.fromtimestamp(since, UTC) + timedelta(seconds=passed)

    def start(self, rate: float) -> None:
        """Start at the true time and run `rate` times as fast from now on."""
        self._set(_true_time(), rate, 0.0)

    def jump(self, seconds: float) -> None:
        """Move the clock forward."""
        since, rate, ahead = json.loads(self.file.read_text())
        self._set(since, rate, ahead + seconds)

    def _set(self, *state: float) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(state))
        new.replace(self.file)


def _true_time() -> float:
    return datetime.now(UTC).timestamp()
