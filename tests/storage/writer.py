"""A process that appends: `python -m tests.storage.writer URL SAVES SEED`."""

import sys
from random import Random
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from application.vault import TextRow
from storage.database import RetryPolicy, open_pool
from storage.log.recorder import EventRecorder


def main(url: str, saves: int, seed: int) -> None:
    random = Random(seed)
    with open_pool(url, name="writer", max_size=2) as pool:
        recorder = EventRecorder(pool, RetryPolicy(60))
        for _ in range(saves):
            size = random.choices([1, 2, 3, 250], weights=[20, 10, 10, 1])[0]
            stream = UUID(int=random.getrandbits(128))
            row = TextRow(stream, stream, "w", salt=random.randbytes(32))
            recorder.insert_events(
                [StoredEvent(stream, n + 1, "t", b"{}") for n in range(size)],
                vault=[row] if size == 2 else [],
            )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
