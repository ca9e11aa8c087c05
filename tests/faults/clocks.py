"""A clock that runs fast, and jumps where the test says so."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path


@dataclass(frozen=True)
class OddClock:
    """Several processes read it from a file.

    Monotonic clocks, the provider's and the database's are the true ones all the same.
    """

    file: Path

    def __call__(self) -> datetime:
        since, rate, ahead = json.loads(self.file.read_text())
        passed = (_true_time() - since) * rate + ahead
        return datetime.fromtimestamp(since, UTC) + timedelta(seconds=passed)

    def start(self, rate: float) -> None:
        """Begin with the true time, and go `rate` times as fast from now on."""
        self._set(_true_time(), rate, 0.0)

    def jump(self, seconds: float) -> None:
        since, rate, ahead = json.loads(self.file.read_text())
        self._set(since, rate, ahead + seconds)

    def _set(self, *told: float) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(told))
        fresh.replace(self.file)


def _true_time() -> float:
    return datetime.now(UTC).timestamp()
