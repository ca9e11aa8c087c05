"""The contract of the port Streams: in memory, in Postgres, and as a unit of work."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import pytest
from eventsourcing.domain import BaseAggregate
from eventsourcing.persistence import IntegrityError

from application.app import Streams
from application.unit_of_work import UnitOfWork
from domain.assistant import Assistant
from domain.errors import NotFound
from domain.member import Member
from domain.values import Role, member_id_of
from tests.application.memory_streams import MemoryStreams
from tests.wiring import open_services

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BY = "the test"

type Storing = Callable[[], AbstractContextManager[Streams]]
"""Opens the streams; what was appended is stored at the end of the block."""


@pytest.fixture(params=["memory", "log", "unit of work"])
def storing(request: pytest.FixtureRequest) -> Iterator[Storing]:
    if request.param == "memory":
        yield at_once(MemoryStreams())
        return
    with open_services(request.getfixturevalue("database")) as services:
        app = services.app
        yield at_once(app) if request.param == "log" else in_one_append(app)


def at_once(streams: Streams) -> Storing:
    @contextmanager
    def opened() -> Iterator[Streams]:
        yield streams

    return opened


def in_one_append(app: Streams) -> Storing:
    @contextmanager
    def opened() -> Iterator[Streams]:
        unit = UnitOfWork(app, ())
        yield unit
        unit.store()

    return opened


def a_member(name: str) -> Member:
    return Member.add(email=f"{name}@example.com", role=Role.OPERATOR, at=NOW, by=BY)


def add(storing: Storing, *names: str) -> None:
    with storing() as streams:
        streams.append(*map(a_member, names))


def load(storing: Storing, name: str) -> Member:
    with storing() as streams:
        return streams.load(Member, member_id_of(f"{name}@example.com"))


def promote(member: Member) -> Member:
    member.change_role(role=Role.ADMIN, at=NOW, by=BY)
    return member


def test_a_stream_without_events_is_not_found(storing: Storing) -> None:
    missing = a_member("ann").id
    with storing() as streams:
        assert streams.find(Member, missing) is None
        assert streams.find_all([missing]) == {missing: None}
        with pytest.raises(NotFound):
            streams.load(Member, missing)


def test_an_appended_aggregate_is_loaded_with_its_state(storing: Storing) -> None:
    add(storing, "ann")
    with storing() as streams:
        streams.append(promote(load(storing, "ann")))
    found = load(storing, "ann")
    assert (found.email, found.role, found.version) == (
        "ann@example.com",
        Role.ADMIN,
        2,
    )


def test_an_appended_aggregate_is_found_before_the_end_of_the_block(
    storing: Storing,
) -> None:
    with storing() as streams:
        member = a_member("ann")
        streams.append(member)
        assert streams.load(Member, member.id).email == "ann@example.com"


def test_an_aggregate_of_another_class_is_not_found(storing: Storing) -> None:
    add(storing, "ann")
    with storing() as streams:
        assert streams.find(Assistant, a_member("ann").id) is None


def test_many_streams_are_loaded_at_once(storing: Storing) -> None:
    add(storing, "ann", "bob")
    ann, bob, cy = (a_member(name).id for name in ("ann", "bob", "cy"))
    with storing() as streams:
        found = streams.find_all([ann, bob, cy])
    emails = {id_: one and getattr(one, "email", None) for id_, one in found.items()}
    assert emails == {ann: "ann@example.com", bob: "bob@example.com", cy: None}


def test_an_append_to_an_old_version_is_refused_as_a_whole(storing: Storing) -> None:
    add(storing, "ann")
    first, second = load(storing, "ann"), load(storing, "ann")
    with storing() as streams:
        streams.append(promote(first))
    second.remove(at=NOW, by=BY)
    with pytest.raises(IntegrityError), storing() as streams:
        streams.append(a_member("bob"), second)
    assert not load(storing, "ann").removed
    with storing() as streams:
        assert streams.find(Member, a_member("bob").id) is None


def test_a_stream_is_created_once(storing: Storing) -> None:
    add(storing, "ann")
    with pytest.raises(IntegrityError):
        add(storing, "ann")


@pytest.mark.parametrize(("expected", "stored"), [(0, False), (1, True), (2, False)])
def test_an_append_depends_on_the_expected_version_of_another_stream(
    storing: Storing, expected: int, stored: bool
) -> None:
    add(storing, "ann")
    ann, bob = a_member("ann"), a_member("bob")

    def append() -> None:
        with storing() as streams:
            streams.append(bob, expect={ann.id: expected})

    if stored:
        append()
    else:
        with pytest.raises(IntegrityError):
            append()
    with storing() as streams:
        assert (streams.find(Member, bob.id) is not None) == stored


def test_a_stream_that_is_expected_to_be_empty_may_be_missing(storing: Storing) -> None:
    with storing() as streams:
        streams.append(a_member("bob"), expect={a_member("ann").id: 0})
    assert load(storing, "bob").version == 1


def test_nothing_to_append_is_no_error(storing: Storing) -> None:
    with storing() as streams:
        assert streams.append(None) is None


@pytest.fixture(params=["memory", "log"])
def streams(request: pytest.FixtureRequest) -> Iterator[Streams]:
    """Streams that store at once, unlike a unit of work."""
    if request.param == "memory":
        yield MemoryStreams()
        return
    with open_services(request.getfixturevalue("database")) as services:
        yield services.app


def test_an_append_returns_the_position_of_its_last_event(streams: Streams) -> None:
    first = streams.append(a_member("ann"))
    second = streams.append(a_member("bob"), a_member("cy"))
    assert first is not None
    assert second == first + 2


def test_single_events_are_appended(streams: Streams) -> None:
    streams.append(*a_member("ann").collect_events())
    found = streams.find(BaseAggregate, a_member("ann").id)
    assert isinstance(found, Member)
