"""Import of an upload's rows into a contact list, page by page.

While one page is stored the next one is prepared. A page is one transaction, and the
list records how many rows were imported, so an interrupted import continues where it
stopped. The import pauses while the read model is behind.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hmac import digest as hmac_digest
from itertools import batched
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.app import DECISIONS, AutoLynx, decide
from application.contacts.files.column_names import ColumnRole
from application.contacts.files.contact_groups import group_of
from application.contacts.files.uploads import RejectedRow, StagedRow, Uploads
from application.contacts.phone_numbers import with_extension
from application.errors import ReadModelBehind
from application.event_context import EventContext
from application.ports import ContactLookup, ReadModel
from application.vault import PHONE_AS_GIVEN, ContactRow, RejectRow, VaultRow, digest
from domain.contacts.contact_list import ContactList, RejectCount, Skipped
from domain.gate.groups import GroupedRows, grouped
from domain.values import SkipReason

ROWS_PER_EVENT = 1_000
ROWS_PER_TRANSACTION = 5_000
MOST_BEHIND = 4
"""Transactions that the read model may be behind before the import waits for it."""

LAG_SECONDS = 60.0
"""How long one transaction waits for the read model before the import fails."""

SALT_BYTES = 32

LEFT_OUT = {
    SkipReason.DUPLICATE_IN_CAMPAIGN: "The campaign has this phone number already.",
    SkipReason.ERASED: "This person was erased from the campaign.",
}


type OnProgress = Callable[[int], None]
"""Called after each transaction with the number of contacts imported so far."""


def ignore_progress(_: int) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class ListImport:
    """An upload that is imported into a list of a campaign.

    `roles` are those of the file's columns. `key` is the secret from which the
    campaign's contact ids are made. `has_contacts` says whether the campaign may have
    some of the people already. `not_kept` counts, by reason, the file's rejects whose
    text is not stored. `by` is the actor of the events.
    """

    list_id: UUID
    roles: tuple[ColumnRole, ...]
    campaign_id: UUID
    key: bytes
    has_contacts: bool
    by: str
    not_kept: Mapping[SkipReason, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The rows of two events: new contacts, and people the campaign has already.

    `digest` is that of the new contacts' rows, `groups` the groups of these contacts;
    `up_to` is the ordinal of the last row.
    """

    fresh: list[ContactRow]
    repeated: list[RejectRow]
    digest: str
    groups: tuple[GroupedRows, ...]
    up_to: int


class ListImporter:
    """Imports uploads into contact lists."""

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        uploads: Uploads,
        contact_lookup: ContactLookup,
        read_model: ReadModel,
    ) -> None:
        self._app, self._context, self._uploads = app, context, uploads
        self._contact_lookup, self._read_model = contact_lookup, read_model

    def run(self, order: ListImport, on_progress: OnProgress) -> None:
        """Import the rows that the list does not have yet.

        Raises:
            ReadModelBehind: the read model does not catch up; try again later.
        """
        while decide(lambda: self._skip_rejects(order)):
            pass
        decide(lambda: self._count_rejects(order))
        self._accept_rows(order, on_progress)

    def wait_for(self, position: int | None) -> None:
        """Wait until the read model includes the events up to this position."""
        if position and not self._read_model.wait_for(position, LAG_SECONDS):
            raise ReadModelBehind(
                "The read model is behind: check that a projector runs, then try again."
            )

    # --- Rows to call -------------------------------------------------------------

    def _accept_rows(self, order: ListImport, on_progress: OnProgress) -> None:
        contacts = self._app.load(ContactList, order.list_id)
        page, conflicts = self._page(order, contacts.staged_up_to), 0
        stored: deque[int | None] = deque()
        with ThreadPoolExecutor(1, "import") as ahead:
            while page:
                following = ahead.submit(self._page, order, page[-1].up_to)
                try:
                    stored.append(self._accept(contacts, page, order.by))
                    on_progress(contacts.accepted)
                    page, conflicts = following.result(), 0
                except IntegrityError:  # The same request was sent twice.
                    conflicts += 1
                    if conflicts == DECISIONS:
                        raise
                    contacts = self._app.load(ContactList, order.list_id)
                    page = self._page(order, contacts.staged_up_to)
                if len(stored) > MOST_BEHIND:
                    self.wait_for(stored.popleft())

    def _accept(self, contacts: ContactList, page: list[_Chunk], by: str) -> int | None:
        rows: list[VaultRow] = []
        for chunk in page:
            self._record(contacts, chunk, by)
            rows += chunk.fresh
            rows += chunk.repeated
        return self._app.append(contacts, vault=rows)

    def _record(self, contacts: ContactList, chunk: _Chunk, by: str) -> None:
        at = self._context.now()
        contacts.accept(
            contact_ids=tuple(row.contact_id for row in chunk.fresh),
            digest=chunk.digest,
            staged_up_to=chunk.up_to,
            groups=chunk.groups,
            at=at,
            by=by,
        )
        if chunk.repeated:
            skipped = tuple(
                Skipped(row.row, SkipReason(row.reason)) for row in chunk.repeated
            )
            contacts.skip(skipped=skipped, digest=digest(chunk.repeated), at=at, by=by)

    def _page(self, order: ListImport, after: int) -> list[_Chunk]:
        """Prepare the next rows for one transaction; return none at the end."""
        staged = self._uploads.rows(order.list_id, after, ROWS_PER_TRANSACTION)
        ids = [contact_id_of(order.key, row.phone, row.extension) for row in staged]
        known: dict[UUID, SkipReason] = {}
        if order.has_contacts and ids:
            known = self._known(order.campaign_id, ids)
            known |= self._erased_numbers(order, ids, staged)
        pairs = batched(zip(ids, staged, strict=True), ROWS_PER_EVENT)
        return [self._chunk(order, chunk, known) for chunk in pairs]

    def _known(self, campaign_id: UUID, ids: Sequence[UUID]) -> dict[UUID, SkipReason]:
        """Return the contacts that the campaign has or had, with the reason to skip."""
        known = self._contact_lookup.known(campaign_id, ids)
        erased = self._contact_lookup.erased(campaign_id, ids)
        duplicate = dict.fromkeys(known, SkipReason.DUPLICATE_IN_CAMPAIGN)
        return duplicate | dict.fromkeys(erased, SkipReason.ERASED)

    def _erased_numbers(
        self, order: ListImport, ids: Sequence[UUID], staged: Sequence[StagedRow]
    ) -> dict[UUID, SkipReason]:
        """Return the contacts with an extension whose number itself was erased."""
        numbers = {
            contact_id: contact_id_of(order.key, row.phone)
            for contact_id, row in zip(ids, staged, strict=True)
            if row.extension
        }
        if not numbers:
            return {}
        erased = self._contact_lookup.erased(order.campaign_id, [*numbers.values()])
        return {
            contact_id: SkipReason.ERASED
            for contact_id, number_id in numbers.items()
            if number_id in erased
        }

    def _chunk(
        self,
        order: ListImport,
        chunk: Sequence[tuple[UUID, StagedRow]],
        known: Mapping[UUID, SkipReason],
    ) -> _Chunk:
        fresh = self._contacts(order, [one for one in chunk if one[0] not in known])
        repeated = [
            self._left_out(order, row, known[id_]) for id_, row in chunk if id_ in known
        ]
        groups = grouped(group_of(row.phone, row.attributes) for row in fresh)
        return _Chunk(fresh, repeated, digest(fresh), groups, chunk[-1][1].ordinal)

    def _contacts(
        self, order: ListImport, people: Sequence[tuple[UUID, StagedRow]]
    ) -> list[ContactRow]:
        return [
            ContactRow(
                salt=salt,
                contact_id=id_,
                list_id=order.list_id,
                campaign_id=order.campaign_id,
                name=row.name,
                business_name=row.business_name,
                phone=row.phone,
                variables=row.variables,
                extension=row.extension,
                attributes=_attributes(row, order.roles),
            )
            for salt, (id_, row) in zip(self._salts(len(people)), people, strict=True)
        ]

    def _salts(self, count: int) -> Iterable[bytes]:
        """Yield salts from one read of random bytes: each read is a system call."""
        found = self._context.random_bytes(SALT_BYTES * count)
        for at in range(0, len(found), SALT_BYTES):
            yield found[at : at + SALT_BYTES]

    def _left_out(
        self, order: ListImport, row: StagedRow, reason: SkipReason
    ) -> RejectRow:
        """Keep a skipped row's cells, unless the person was erased."""
        erased = reason is SkipReason.ERASED
        return RejectRow(
            salt=self._context.salt(),
            list_id=order.list_id,
            row=row.row,
            reason=reason,
            message=LEFT_OUT[reason],
            cells=() if erased else row.cells(order.roles),
        )

    # --- Rows to leave out --------------------------------------------------------

    def _skip_rejects(self, order: ListImport) -> bool:
        contacts = self._app.load(ContactList, order.list_id)
        after = contacts.rejects_up_to
        rejects = self._uploads.rejects(order.list_id, after, ROWS_PER_TRANSACTION)
        rows: list[VaultRow] = []
        for chunk in batched(rejects, ROWS_PER_EVENT):
            rows += self._skip(contacts, chunk, order)
        self._app.append(contacts, vault=rows)
        return bool(rejects)

    def _count_rejects(self, order: ListImport) -> None:
        contacts = self._app.load(ContactList, order.list_id)
        counts = tuple(
            RejectCount(reason, rows) for reason, rows in sorted(order.not_kept.items())
        )
        contacts.count_rejects(counts, at=self._context.now(), by=order.by)
        self._app.append(contacts)

    def _skip(
        self, contacts: ContactList, chunk: Sequence[RejectedRow], order: ListImport
    ) -> list[RejectRow]:
        rows = [self._reject(order.list_id, row) for row in chunk]
        contacts.skip(
            skipped=tuple(Skipped(row.row, row.reason) for row in chunk),
            digest=digest(rows),
            rejects_up_to=chunk[-1].row,
            at=self._context.now(),
            by=order.by,
        )
        return rows

    def _reject(self, list_id: UUID, row: RejectedRow) -> RejectRow:
        return RejectRow(
            salt=self._context.salt(),
            list_id=list_id,
            row=row.row,
            reason=row.reason,
            message=row.message,
            cells=row.cells,
        )


def _attributes(row: StagedRow, roles: Sequence[ColumnRole]) -> dict[str, str] | None:
    """Return the row's values, with its phone cell if that is not the number."""
    given = row.phone_as_given(roles)
    if given == with_extension(row.phone, row.extension):
        return row.attributes
    return {**(row.attributes or {}), PHONE_AS_GIVEN: given}


def contact_id_of(key: bytes, phone: str, extension: str | None = None) -> UUID:
    """Return the contact's id: an HMAC of its number and extension.

    The same number and extension are the same contact throughout a campaign. Without
    the campaign's key the log does not reveal whether it contains a given number.
    """
    dialled = f"{phone};ext={extension}" if extension else phone
    return UUID(bytes=hmac_digest(key, dialled.encode(), "sha256")[:16])
