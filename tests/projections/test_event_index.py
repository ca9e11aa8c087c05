"""A link of the hash chain depends on every byte of its event and all earlier ones."""

from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from projections.event_index import FIRST_HEAD, chained, digest

EVENT = StoredEvent(UUID(int=1), 2, "call.ended", b'{"reason":"x"}')


def changed(**fields: Any) -> StoredEvent:
    return StoredEvent(**{**vars(EVENT), **fields})


@pytest.mark.parametrize(
    "other",
    [
        changed(originator_id=UUID(int=2)),
        changed(originator_version=3),
        changed(topic="call.ende"),
        changed(state=b'{"reason":"y"}'),
        changed(topic="call.ended{", state=b'"reason":"x"}'),
    ],
)
def test_any_change_of_an_event_changes_its_link(other: StoredEvent) -> None:
    assert digest(7, other) != digest(7, EVENT)


def test_a_moved_event_changes_its_link() -> None:
    assert digest(8, EVENT) != digest(7, EVENT)


def test_a_removed_event_changes_every_later_link() -> None:
    first, second = digest(1, EVENT), digest(2, EVENT)
    assert chained(FIRST_HEAD, second) != chained(chained(FIRST_HEAD, first), second)


def test_the_chain_of_release_1_is_still_computed_alike() -> None:
    link = chained(FIRST_HEAD, digest(7, EVENT)).hex()
    assert link == "27a6b55f08fa02578b4b9240a98eed4808ec018a5a616142963caf44244d9d47"
