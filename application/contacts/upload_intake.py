"""An upload's rows, brought into a list page by page, as quickly as readers follow.

While one page is stored the next is made ready. A page is one transaction: whatever
breaks off, the list says how far it is, and goes on from there.
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
from application.contacts.uploads import RejectedRow, StagedRow, Uploads
from application.errors import Failure
from application.event_context import EventContext
from application.ports import ContactLookup, ReadModel
from application.vault import ContactRow, RejectRow, VaultRow, digest
from domain.contact_list import ContactList, RejectCount, Skipped
from domain.values import SkipReason

ROWS_A_FACT = 1_000
ROWS_A_TRANSACTION = 5_000
BEHIND = 4
"""Transactions that readers may be behind before the next one waits for them."""

LAG_SECONDS = 60.0
"""How long a step waits for readers that are behind before it says so."""

SALT_BYTES = 32

LEFT_OUT = {
    SkipReason.DUPLICATE_IN_CAMPAIGN: "The campaign has this phone number already.",
    SkipReason.ERASED: "This person was erased from the campaign.",
}


type Told = Callable[[int], None]


def nobody(_: int) -> None:
    """Tell nobody how far it is."""


class ReadModelBehind(Failure):
    """The read model does not keep up; trying again later is safe."""


@dataclass(frozen=True, slots=True)
class Order:
    """A list to fill with contacts; `key` makes the campaign's contact ids.

    `columns` are the file's. `known` says whether the campaign may have some of the
    people already. `not_kept` counts, by reason, the file's rejects whose text is not
    stored.
    """

    list_id: UUID
    columns: tuple[str, ...]
    campaign_id: UUID
    key: bytes
    known: bool
    by: str
    not_kept: Mapping[SkipReason, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The rows of one fact, and of a second one about those who were there already."""

    fresh: list[ContactRow]
    repeated: list[RejectRow]
    digest: str
    up_to: int


class Intake:
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

    def fill(self, order: Order, told: Told) -> None:
        """Bring in what the list lacks; `told` is how many it has, page by page.

        Raises ReadModelBehind where readers do not follow.
        """
        while decide(lambda: self._skip_rejects(order)):
            pass
        decide(lambda: self._count_rejects(order))
        self._accept_rows(order, told)

    def wait_for(self, position: int | None) -> None:
        """Let readers see what is stored up to there."""
        if position and not self._read_model.wait_for(position, LAG_SECONDS):
            raise ReadModelBehind(
                "The read model is behind; see that a projector runs, then try again."
            )

    # --- Rows to call -------------------------------------------------------------

    def _accept_rows(self, order: Order, told: Told) -> None:
        contacts = self._app.load(ContactList, order.list_id)
        page, conflicts = self._page(order, contacts.staged_up_to), 0
        stored: deque[int | None] = deque()
        with ThreadPoolExecutor(1, "import") as ahead:
            while page:
                following = ahead.submit(self._page, order, page[-1].up_to)
                try:
                    stored.append(self._accept(contacts, page, order.by))
                    told(contacts.accepted)
                    page, conflicts = following.result(), 0
                except IntegrityError:  # The same was asked twice: both bring rows in.
                    conflicts += 1
                    if conflicts == DECISIONS:
                        raise
                    contacts = self._app.load(ContactList, order.list_id)
                    page = self._page(order, contacts.staged_up_to)
                if len(stored) > BEHIND:
                    self.wait_for(stored.popleft())

    def _accept(self, contacts: ContactList, page: list[_Chunk], by: str) -> int | None:
        rows: list[VaultRow] = []
        for chunk in page:
            self._tell(contacts, chunk, by)
            rows += chunk.fresh
            rows += chunk.repeated
        return self._app.append(contacts, vault=rows)

    def _tell(self, contacts: ContactList, chunk: _Chunk, by: str) -> None:
        at = self._context.now()
        contacts.accept(
            contact_ids=tuple(row.contact_id for row in chunk.fresh),
            digest=chunk.digest,
            staged_up_to=chunk.up_to,
            at=at,
            by=by,
        )
        if chunk.repeated:
            skipped = tuple(
                Skipped(row.row, SkipReason(row.reason)) for row in chunk.repeated
            )
            contacts.skip(skipped=skipped, digest=digest(chunk.repeated), at=at, by=by)

    def _page(self, order: Order, after: int) -> list[_Chunk]:
        """Make the next rows ready for one transaction; none at the end."""
        staged = self._uploads.rows(order.list_id, after, ROWS_A_TRANSACTION)
        ids = [contact_id_of(order.key, row.phone, row.extension) for row in staged]
        known: dict[UUID, SkipReason] = {}
        if order.known and ids:
            known = self._known(order.campaign_id, ids)
            known |= self._erased_numbers(order, ids, staged)
        pairs = batched(zip(ids, staged, strict=True), ROWS_A_FACT)
        return [self._chunk(order, chunk, known) for chunk in pairs]

    def _known(self, campaign_id: UUID, ids: Sequence[UUID]) -> dict[UUID, SkipReason]:
        """Say why these are not to be called, whom the campaign has or had."""
        known = self._contact_lookup.known(campaign_id, ids)
        erased = self._contact_lookup.erased(campaign_id, ids)
        duplicate = dict.fromkeys(known, SkipReason.DUPLICATE_IN_CAMPAIGN)
        return duplicate | dict.fromkeys(erased, SkipReason.ERASED)

    def _erased_numbers(
        self, order: Order, ids: Sequence[UUID], staged: Sequence[StagedRow]
    ) -> dict[UUID, SkipReason]:
        """Find the extensions of numbers that were erased from the campaign."""
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
        order: Order,
        chunk: Sequence[tuple[UUID, StagedRow]],
        known: Mapping[UUID, SkipReason],
    ) -> _Chunk:
        fresh = self._contacts(order, [one for one in chunk if one[0] not in known])
        repeated = [
            self._left_out(order, row, known[id_]) for id_, row in chunk if id_ in known
        ]
        return _Chunk(fresh, repeated, digest(fresh), chunk[-1][1].ordinal)

    def _contacts(
        self, order: Order, people: Sequence[tuple[UUID, StagedRow]]
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
            )
            for salt, (id_, row) in zip(self._salts(len(people)), people, strict=True)
        ]

    def _salts(self, count: int) -> Iterable[bytes]:
        """Ask for randomness once: each time takes a call of the system."""
        found = self._context.random_bytes(SALT_BYTES * count)
        for at in range(0, len(found), SALT_BYTES):
            yield found[at : at + SALT_BYTES]

    def _left_out(self, order: Order, row: StagedRow, reason: SkipReason) -> RejectRow:
        """Keep the file's cells of a skipped row, but nothing of an erased person."""
        erased = reason is SkipReason.ERASED
        return RejectRow(
            salt=self._context.salt(),
            list_id=order.list_id,
            row=row.row,
            reason=reason,
            message=LEFT_OUT[reason],
            cells=() if erased else row.cells(order.columns),
        )

    # --- Rows to leave out --------------------------------------------------------

    def _skip_rejects(self, order: Order) -> bool:
        contacts = self._app.load(ContactList, order.list_id)
        after = contacts.rejects_up_to
        rejects = self._uploads.rejects(order.list_id, after, ROWS_A_TRANSACTION)
        rows: list[VaultRow] = []
        for chunk in batched(rejects, ROWS_A_FACT):
            rows += self._skip(contacts, chunk, order)
        self._app.append(contacts, vault=rows)
        return bool(rejects)

    def _count_rejects(self, order: Order) -> None:
        contacts = self._app.load(ContactList, order.list_id)
        counts = tuple(
            RejectCount(reason, rows) for reason, rows in sorted(order.not_kept.items())
        )
        contacts.count_rejects(counts, at=self._context.now(), by=order.by)
        self._app.append(contacts)

    def _skip(
        self, contacts: ContactList, chunk: Sequence[RejectedRow], order: Order
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


def contact_id_of(key: bytes, phone: str, extension: str | None = None) -> UUID:
    """Return the contact's id: an HMAC of its number and extension.

    The same number and extension are the same contact throughout a campaign. Without
    the campaign's key nobody can find out whether the log holds a given number.
    """
    dialled = f"{phone};ext={extension}" if extension else phone
    return UUID(bytes=hmac_digest(key, dialled.encode(), "sha256")[:16])
