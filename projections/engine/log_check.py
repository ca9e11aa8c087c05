"""Checks ranges of the log: the chain of hashes, and the digests of the vault's rows.

A range begins with the link that is stored for the event before it, so that ranges can
be checked in any order and in several processes.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from eventsourcing.persistence import MapperDeserialisationError
from eventsourcing.utils import TopicError
from psycopg import sql

from application.vault import ContactRow, KeyRow, MessageRow, RejectRow, TextRow
from domain.contacts.contact_list import ContactList
from domain.numbers.installation import Installation
from domain.values import Evidence, VaultText
from domain.webhook_endpoint import WebhookEndpoint
from projections.engine.chain import Chain, Entry, Problem
from projections.engine.prepared import Prepared, Preparer
from projections.engine.ranges import Range
from projections.engine.row_writer import Packer
from projections.engine.schema import use_read_model
from projections.event_index import FIRST_HEAD, Recorded
from projections.tables.pages import LARGEST
from storage.database import Conn
from storage.log.mapper import TypedMapper
from storage.vault.check import Proof, faults


def chain_after(conn: Conn, schema: str, position: int) -> Chain:
    """Return a chain that begins after a position, with the last link stored by then.

    `position` need not be that of an event.
    """
    query: LiteralString = """
        select hash from {} where position <= %s order by position desc limit 1
    """
    index = sql.Identifier(schema, "event_index")
    row = conn.execute(sql.SQL(query).format(index), (position,)).fetchone()
    return Chain(conn, schema, after=position, head=row[0] if row else FIRST_HEAD)


@dataclass(frozen=True, slots=True)
class Checked:
    """Result for one range.

    `position` and `head` are where its chain ends. `prepared` is None if its events are
    not to be prepared, or if there are none, or if one of them cannot be projected.
    """

    problems: list[Problem]
    position: int
    head: bytes
    prepared: Prepared | None


class LogCheck:
    """Checks the log against the tables of one schema and against the vault."""

    def __init__(self, conn: Conn, schema: str) -> None:
        self._conn, self._schema = conn, schema
        self._mapper = TypedMapper()

    def check(self, wanted: Range, preparer: Preparer) -> Checked:
        """Check one range; prepare its events too, if that is wanted."""
        chain = chain_after(self._conn, self._schema, wanted.after)
        problems: list[Problem] = []
        recorded: list[Recorded | None] = []
        for page in chain.pages(wanted.until):
            decoded = [self._decoded(entry) for entry in page if entry.stored]
            problems += self.problems(chain, page, decoded)
            if wanted.prepare:
                recorded += _projected(page, decoded)
        prepared = _prepared(preparer, max(wanted.after, 0), recorded)
        return Checked(problems, chain.position, chain.head, prepared)

    def problems_of(self, chain: Chain, page: list[Entry]) -> list[Problem]:
        """Return the problems of a page of the chain, ordered by position."""
        decoded = [self._decoded(entry) for entry in page if entry.stored]
        return self.problems(chain, page, decoded)

    def problems(
        self, chain: Chain, page: list[Entry], decoded: list[Recorded | None]
    ) -> list[Problem]:
        proofs = [proof for one in decoded if one for proof in _proofs(one)]
        problems = [Problem(*fault) for fault in faults(self._conn, proofs)]
        problems += chain.problems(page)
        return sorted(problems, key=lambda problem: problem.position or 0)

    def _decoded(self, entry: Entry) -> Recorded | None:
        """Return the event; None if it cannot be decoded, which projecting reports."""
        position, stored, digest = entry.position, entry.stored, entry.digest
        assert stored is not None
        try:
            event = self._mapper.to_domain_event(stored)
        except (MapperDeserialisationError, TopicError):
            return None
        return Recorded(position, stored, event, digest)


def _projected(
    page: list[Entry], decoded: list[Recorded | None]
) -> Iterator[Recorded | None]:
    """Yield the events with positive positions: others are never projected."""
    positions = (entry.position for entry in page if entry.stored)
    for position, event in zip(positions, decoded, strict=True):
        if position > 0:
            yield event


def _read(preparer: Preparer, wanted: Range) -> list[Recorded] | None:
    """Read the events of a range; None if one cannot be decoded."""
    try:
        return preparer.read(wanted.after, wanted.until, LARGEST - 1)[0]
    except (MapperDeserialisationError, TopicError):
        return None


def _prepared(
    preparer: Preparer, after: int, events: Sequence[Recorded | None]
) -> Prepared | None:
    """Prepare events; None if there are none or one of them cannot be projected.

    Whoever applies them one after the other then finds that event.
    """
    known = [event for event in events if event is not None]
    if not known or len(known) < len(events):
        return None
    try:
        return preparer.prepare(after, known)
    except Exception:  # noqa: BLE001 - whatever a handler raises for an event
        return None


class RangeWork:
    """Prepares ranges for the tables of a schema, and checks them if that is wanted.

    `only` and `checked` are as in `worker_pool.Job`.
    """

    def __init__(
        self, conn: Conn, schema: str, only: Collection[str] | None, checked: str
    ) -> None:
        use_read_model(conn, schema)
        self._preparer = Preparer(conn, Packer(conn), only)
        self._check = LogCheck(conn, checked)

    def result(self, wanted: Range) -> Checked:
        """Return the result for one range."""
        if not wanted.check:
            events = _read(self._preparer, wanted) or []
            prepared = _prepared(self._preparer, wanted.after, events)
            return Checked([], wanted.until, FIRST_HEAD, prepared)
        return self._check.check(wanted, self._preparer)


def _proofs(recorded: Recorded) -> Iterator[Proof]:
    """Yield the digests that an event contains of vault rows."""
    event, position, topic = recorded.event, recorded.position, recorded.stored.topic

    def proof(kind: Any, keys: list[tuple[Any, ...]], digest: str) -> Proof:
        return Proof(position, topic, kind, keys, digest)

    id_ = event.originator_id
    match event:
        case ContactList.Created() if event.key_digest is not None:
            yield proof(KeyRow, [(event.campaign_id,)], event.key_digest)
        case Installation.Created():
            yield proof(KeyRow, [(event.originator_id,)], event.key_digest)
        case WebhookEndpoint.Created() | WebhookEndpoint.SecretRotated():
            yield proof(KeyRow, [(event.secret_id,)], event.secret_digest)
        case ContactList.RowsAccepted() if event.contact_ids:
            contacts = [(contact_id, id_) for contact_id in event.contact_ids]
            yield proof(ContactRow, contacts, event.digest)
        case ContactList.RowsSkipped() if event.skipped:
            rows = [(id_, skipped.row) for skipped in event.skipped]
            yield proof(RejectRow, rows, event.digest)
    for value in vars(event).values():
        match value:
            case Evidence(message_id, digest):
                yield proof(MessageRow, [(message_id,)], digest)
            case VaultText(words_id, digest):
                yield proof(TextRow, [(words_id,)], digest)
